// SPDX-License-Identifier: Apache-2.0
// Compares two images document by document, then layer by layer.

#include "builder/layout/image_diff.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/layer/layer_reader.h"

#include <algorithm>
#include <map>
#include <optional>

namespace img {
namespace {

/// One entry as far as it is compared.
struct EntryFacts {
  std::vector<std::pair<std::string, std::string>> fields;  // name, value
  std::uint64_t place = 0;
};
using EntryMap = std::map<std::string, EntryFacts>;

std::string octal(std::uint32_t mode) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + mode % 8));
    mode /= 8;
  } while (mode != 0);
  return "0" + digits;
}

EntryFacts facts_of(const TarEntry& tar, Source& body, std::uint64_t place) {
  const Entry& entry = tar.entry;
  EntryFacts facts{.fields = {{"type", std::string(to_string(entry.type))},
                              {"mode", octal(entry.mode)},
                              {"uid", std::to_string(entry.uid)},
                              {"gid", std::to_string(entry.gid)},
                              {"mtime", std::to_string(tar.mtime)},
                              {"link", entry.link}},
                   .place = place};
  for (const auto& [name, value] : entry.xattrs) {
    facts.fields.emplace_back("xattr " + name, to_hex(as_bytes(value)));
  }
  if (entry.type == EntryType::file) {
    NullSink nowhere;
    HashSink hash(nowhere);
    const std::uint64_t size = copy(body, hash);
    facts.fields.emplace_back("size", std::to_string(size));
    facts.fields.emplace_back("content", Digest::sha256(hash.digest()).str());
  }
  return facts;
}

EntryMap read_entries(LayoutReader& layout, const Descriptor& layer) {
  const auto compression = layer.media_type.compression();
  if (!compression) {
    throw InputError("'" + layer.media_type.str() + "' is no layer type that can be read");
  }
  const auto packed = layout.open_blob(layer);
  const auto plain = open_decompressed(*packed, *compression);
  EntryMap entries;
  read_tar(*plain, layer.digest.str(), [&](const TarEntry& tar, Source& body) {
    const std::uint64_t place = entries.size();
    entries.emplace(tar.path.str(), facts_of(tar, body, place));
  });
  return entries;
}

/// Collects, keeping the first `limit`.
class Collector {
 public:
  Collector(ImageDiff& diff, std::size_t limit) : diff_(diff), limit_(limit) {}
  void add(ImageDifference difference) {
    ++diff_.total;
    if (diff_.differences.size() < limit_) diff_.differences.push_back(std::move(difference));
  }

 private:
  ImageDiff& diff_;
  std::size_t limit_;
};

std::string json_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

void diff_json(const std::string& level, const std::string& path, const Json* left,
               const Json* right, Collector& out) {
  if (left != nullptr && right != nullptr && *left == *right) return;
  const bool objects =
      left != nullptr && right != nullptr && left->is_object() && right->is_object();
  const bool arrays = left != nullptr && right != nullptr && left->is_array() && right->is_array();
  if (objects) {
    std::map<std::string, std::pair<const Json*, const Json*>> keys;
    for (const auto& [key, value] : left->items()) keys[key].first = &value;
    for (const auto& [key, value] : right->items()) keys[key].second = &value;
    for (const auto& [key, pair] : keys) {
      diff_json(level, path.empty() ? key : path + "." + key, pair.first, pair.second, out);
    }
  } else if (arrays) {
    for (std::size_t i = 0; i < std::max(left->size(), right->size()); ++i) {
      diff_json(level, path + "[" + std::to_string(i) + "]",
                i < left->size() ? &(*left)[i] : nullptr,
                i < right->size() ? &(*right)[i] : nullptr, out);
    }
  } else {
    out.add({.level = level,
             .where = level,
             .field = path,
             .left = left != nullptr ? json_text(*left) : "",
             .right = right != nullptr ? json_text(*right) : ""});
  }
}

void diff_documents(const std::string& level, const std::string& left, const std::string& right,
                    Collector& out) {
  if (left == right) return;
  const Json left_json = parse_json(left, level);
  const Json right_json = parse_json(right, level);
  if (left_json == right_json) {
    out.add({.level = level, .where = level, .field = "encoding", .left = left, .right = right});
    return;
  }
  diff_json(level, "", &left_json, &right_json, out);
}

void diff_entry(const std::string& where, const EntryFacts& left, const EntryFacts& right,
                Collector& out) {
  std::map<std::string, std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : left.fields) fields[name].first = value;
  for (const auto& [name, value] : right.fields) fields[name].second = value;
  for (const auto& [name, values] : fields) {
    if (values.first == values.second) continue;
    out.add({.level = "entry",
             .where = where,
             .field = name,
             .left = values.first,
             .right = values.second});
  }
}

void diff_entries(const EntryMap& left, const EntryMap& right, LayerDifference& layer,
                  Collector& out) {
  std::map<std::string, std::pair<const EntryFacts*, const EntryFacts*>> paths;
  for (const auto& [path, facts] : left) paths[path].first = &facts;
  for (const auto& [path, facts] : right) paths[path].second = &facts;
  for (const auto& [path, pair] : paths) {
    const std::string where = "layers[" + std::to_string(layer.index) + "] " + path;
    if (pair.first == nullptr || pair.second == nullptr) {
      ++(pair.first == nullptr ? layer.added : layer.removed);
      out.add({.level = "entry",
               .where = where,
               .field = "presence",
               .left = pair.first != nullptr ? "there" : "",
               .right = pair.second != nullptr ? "there" : ""});
    } else if (pair.first->fields != pair.second->fields) {
      ++layer.changed;
      diff_entry(where, *pair.first, *pair.second, out);
    } else {
      ++layer.equal;
    }
  }
  if (layer.added + layer.removed + layer.changed == 0) {
    out.add({.level = "layer",
             .where = "layers[" + std::to_string(layer.index) + "]",
             .field = "order or tar encoding of the same entries",
             .left = layer.left,
             .right = layer.right});
  }
}

class LayerPairs {
 public:
  LayerPairs(LayoutReader& left, LayoutReader& right, const ImageDiffOptions& options,
             ImageDiff& diff, Collector& out)
      : left_(left), right_(right), options_(options), diff_(diff), out_(out) {}

  void compare(const SelectedImage& left, const SelectedImage& right) {
    const std::size_t count = std::max(left.manifest.layers.size(), right.manifest.layers.size());
    for (std::size_t i = 0; i < count; ++i) compare_pair(left, right, i);
  }

 private:
  static const Descriptor* layer(const SelectedImage& image, std::size_t i) {
    return i < image.manifest.layers.size() ? &image.manifest.layers[i] : nullptr;
  }
  static std::string diff_id(const SelectedImage& image, std::size_t i) {
    return i < image.config.diff_ids.size() ? image.config.diff_ids[i].str() : "";
  }

  void compare_pair(const SelectedImage& left, const SelectedImage& right, std::size_t i) {
    const Descriptor* a = layer(left, i);
    const Descriptor* b = layer(right, i);
    if (a != nullptr && b != nullptr && a->digest == b->digest) return;
    LayerDifference difference{.index = i, .left = diff_id(left, i), .right = diff_id(right, i)};
    if (options_.on_layer) options_.on_layer("layers[" + std::to_string(i) + "]");
    if (a != nullptr && b != nullptr && difference.left == difference.right) {
      difference.same_content = true;
      out_.add({.level = "layer",
                .where = "layers[" + std::to_string(i) + "]",
                .field = "compression",
                .left = a->digest.str(),
                .right = b->digest.str()});
    } else {
      diff_entries(a != nullptr ? read_entries(left_, *a) : EntryMap{},
                   b != nullptr ? read_entries(right_, *b) : EntryMap{}, difference, out_);
    }
    diff_.layers.push_back(std::move(difference));
  }

  LayoutReader& left_;
  LayoutReader& right_;
  const ImageDiffOptions& options_;
  ImageDiff& diff_;
  Collector& out_;
};

}  // namespace

ImageDiff diff_images(LayoutReader& left, LayoutReader& right, const ImageDiffOptions& options) {
  ImageDiff diff;
  Collector out(diff, options.limit);
  const SelectedImage a = select_image(left, options.left_reference);
  const SelectedImage b = select_image(right, options.right_reference);
  diff_documents("index", left.index_json(), right.index_json(), out);
  diff_documents("manifest", a.manifest_bytes, b.manifest_bytes, out);
  diff_documents("config", a.config_bytes, b.config_bytes, out);
  LayerPairs(left, right, options, diff, out).compare(a, b);
  return diff;
}

}  // namespace img
