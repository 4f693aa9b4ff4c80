// SPDX-License-Identifier: Apache-2.0
// Imports a base image from a local layout.

#include "builder/assemble/base_image.h"

#include "builder/assemble/debian_layers.h"
#include "builder/assemble/layer_tree.h"
#include "builder/layer/layer_reader.h"
#include "builder/layout/image_layout.h"

namespace img {
namespace {

/// The compressed digest does not bind the DiffID: prove it by decompressing once.
Layer verified_layer(const Descriptor& layer, const DiffId& expected, Store& store) {
  const std::string key(layer.digest.hex());
  if (const auto fact = store.find_fact("base-layers", key)) {
    JsonReader reader(*fact, "base layer fact " + key, "");
    if (reader.string("diffId") == expected.str()) {
      return {layer, expected, reader.unsigned_integer("uncompressedSize")};
    }
  }
  const auto compression = layer.media_type.compression();
  if (!compression) {
    throw InputError("'" + layer.media_type.str() + "' is no layer type that can be read");
  }
  const auto packed = store.open(layer.digest);
  const auto plain = open_decompressed(*packed, *compression);
  NullSink nowhere;
  HashSink hash(nowhere);
  const std::uint64_t size = copy(*plain, hash);
  const DiffId actual{Digest::sha256(hash.digest())};
  if (actual != expected) {
    throw IntegrityError(ErrorText{
        .message = "layer '" + layer.digest.str() + "' of the base image has another DiffID",
        .details = {{"expected", expected.str(), "rootfs.diff_ids of the image config"},
                    {"got", actual.str(), "sha256 of the decompressed layer"}}});
  }
  store.put_fact("base-layers", key, {{"diffId", actual.str()}, {"uncompressedSize", size}});
  return {layer, expected, size};
}

void import_layer(LayoutReader& layout, const Descriptor& layer, Store& store) {
  if (store.contains(layer.digest)) return;
  const auto source = layout.open_blob(layer);
  const auto writer = store.writer();
  copy(*source, *writer);
  writer->finish();
  writer->commit(layer.digest);  // open_blob has verified every byte
}

Descriptor wanted_descriptor(LayoutReader& layout, const OciSpec& spec) {
  const Digest digest = Digest::parse(spec.digest);
  if (!layout.contains(digest)) {
    throw IntegrityError(ErrorText{
        .message = "'" + spec.layout + "' does not hold the base image that the recipe names",
        .details = {{"expected", spec.digest, "digest of the recipe"}}});
  }
  const ImageIndex index = parse_image_index(layout.index_json(), spec.layout + "/index.json");
  for (const Descriptor& candidate : index.manifests) {
    if (candidate.digest == digest) return candidate;
  }
  throw IntegrityError(ErrorText{
      .message = "'" + spec.layout + "' does not list the base image that the recipe names",
      .details = {{"expected", spec.digest, "digest of the recipe"}}});
}

}  // namespace

BaseImage import_base_image(const OciSpec& spec, const Platform& platform, Store& store) {
  return with_context("importing base image '" + spec.layout + "'", [&] {
    const auto layout = LayoutReader::open(spec.layout);
    const Descriptor wanted = wanted_descriptor(*layout, spec);
    SelectedImage image = select_image(*layout, wanted.digest.str(), platform);
    if (image.config.diff_ids.size() != image.manifest.layers.size()) {
      throw InputError("the base image has " + std::to_string(image.manifest.layers.size()) +
                       " layers but " + std::to_string(image.config.diff_ids.size()) + " diff_ids");
    }
    std::vector<Layer> layers;
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
      import_layer(*layout, image.manifest.layers[i], store);
      layers.push_back(verified_layer(image.manifest.layers[i], image.config.diff_ids[i], store));
    }
    return BaseImage{.config = std::move(image.config),
                     .layers = std::move(layers),
                     .name = "",
                     .digest = spec.digest};
  });
}

std::optional<Accounts> accounts_of_base(const BaseImage& base, Store& store) {
  // By the layers, since an image digest covers more than they do and is not always the manifest's.
  Json layers = Json::array();
  for (const Layer& layer : base.layers) layers.push_back(layer.diff_id.str());
  const std::string key(Digest::of(canonical_json(layers)).hex());
  if (const auto fact = store.find_fact("base-accounts", key)) {
    if (fact->is_null()) return std::nullopt;
    JsonReader reader(*fact, "base account fact " + key, "");
    return Accounts{reader.string("passwd"), reader.string("group")};
  }
  const MergedTree merged = merge_layers(base.descriptors(), store);
  const std::optional<Accounts> accounts = accounts_in(merged.tree);
  store.put_fact(
      "base-accounts", key,
      accounts ? Json{{"passwd", accounts->passwd}, {"group", accounts->group}} : Json());
  return accounts;
}

}  // namespace img
