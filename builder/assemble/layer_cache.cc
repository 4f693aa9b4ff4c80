// SPDX-License-Identifier: Apache-2.0
// Reads and writes the facts that map layer inputs to layer blobs.

#include "builder/assemble/layer_cache.h"

namespace img {

std::string layer_key(const Json& inputs) {
  return std::string(Digest::of(canonical_json(inputs)).hex());
}

std::optional<CachedLayer> find_layer(const Store& store, const std::string& key) {
  const auto fact = store.find_fact("layers", key);
  if (!fact) return std::nullopt;
  JsonReader reader(*fact, "layer fact " + key, "");
  CachedLayer cached{.layer = {.descriptor = parse_descriptor(reader.object("descriptor"),
                                                              "layer fact " + key, "descriptor"),
                               .diff_id = DiffId(Digest::parse(reader.string("diffId"))),
                               .uncompressed_size = reader.unsigned_integer("uncompressedSize")},
                     .accounts = {}};
  if (const Json* accounts = reader.find("accounts"); accounts != nullptr) {
    JsonReader texts(*accounts, "layer fact " + key, "accounts");
    cached.accounts = Accounts{texts.string("passwd"), texts.string("group")};
  }
  if (!store.contains(cached.layer.descriptor.digest)) return std::nullopt;
  return cached;
}

void remember_layer(Store& store, const std::string& key, const CachedLayer& cached) {
  Json fact{{"descriptor", to_json(cached.layer.descriptor)},
            {"diffId", cached.layer.diff_id.str()},
            {"uncompressedSize", cached.layer.uncompressed_size}};
  if (cached.accounts) {
    fact["accounts"] = {{"passwd", cached.accounts->passwd}, {"group", cached.accounts->group}};
  }
  store.put_fact("layers", key, fact);
}

}  // namespace img
