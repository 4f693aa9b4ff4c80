// SPDX-License-Identifier: Apache-2.0
// Reads OCI archives and docker archives through an index of the tar.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/layer/layer_reader.h"
#include "builder/layout/located_blob.h"

#include <array>
#include <map>

namespace img {
namespace {

constexpr std::string_view kGzipMagic("\x1f\x8b", 2);
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);

/// First bytes of a range, fewer at its end.
std::string head_of(const InputFile& file, std::uint64_t offset, std::uint64_t size) {
  std::array<std::uint8_t, 4> head{};
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(head.size(), size));
  const std::size_t count = file.read_at(offset, ByteSpan(head).first(wanted));
  return std::string(as_text(ByteView(head).first(count)));
}

Compression compression_of(const LocatedBlob& blob) {
  const std::string head = head_of(*blob.file, blob.offset, blob.size);
  if (head.starts_with(kGzipMagic)) return Compression::gzip;
  if (head.starts_with(kZstdMagic)) return Compression::zstd;
  return Compression::none;
}

/// Regular files and links of a plain tar, by path.
class TarIndex {
 public:
  explicit TarIndex(const fs::path& path) : file_(InputFile::open(path)) {
    refuse_compressed(path);
    TarReadLimits limits;
    limits.entries = 100'000;
    read_tar(
        *file_, path.string(), [&](const TarEntry& entry, Source&) { take(entry); }, limits);
  }

  std::optional<LocatedBlob> find(const std::string& path) const {
    const auto file = files_.find(path);
    if (file != files_.end()) return file->second;
    // Old docker archives link to layers that several images share.
    const auto link = links_.find(path);
    if (link == links_.end()) return std::nullopt;
    const auto target = files_.find(link->second);
    if (target == files_.end()) return std::nullopt;
    return target->second;
  }

  std::string read(const std::string& path, const std::string& document) const {
    const std::optional<LocatedBlob> blob = find(path);
    if (!blob) throw InputError("'" + document + "' is not in the archive");
    return read_all(*open_located(*blob), kLargestDocument, document);
  }

 private:
  void refuse_compressed(const fs::path& path) const {
    const std::string head = head_of(*file_, 0, file_->size());
    if (!head.starts_with(kGzipMagic) && !head.starts_with(kZstdMagic)) return;
    throw UsageError(ErrorText{.message = "archive '" + path.string() + "' is compressed",
                               .hint = "decompress it: images are read from plain tars"});
  }

  void take(const TarEntry& entry) {
    const std::string path = entry.path.str();
    if (entry.entry.type == EntryType::file) {
      files_.emplace(path,
                     LocatedBlob{.file = file_, .offset = entry.data_offset, .size = entry.size});
    } else if (entry.entry.type == EntryType::hardlink) {
      links_.emplace(path, entry.entry.link);
    } else if (entry.entry.type == EntryType::symlink) {
      const fs::path target = (fs::path(path).parent_path() / entry.entry.link).lexically_normal();
      links_.emplace(path, target.string());
    }
  }

  std::shared_ptr<const InputFile> file_;
  std::map<std::string, LocatedBlob> files_;
  std::map<std::string, std::string> links_;
};

class OciArchiveReader final : public LocatingReader {
 public:
  OciArchiveReader(const fs::path& path, TarIndex index)
      : LocatingReader(path), index_(std::move(index)) {
    const std::string document = path.string() + ":oci-layout";
    require_layout_version(index_.read("oci-layout", document), document);
  }
  LayoutFormat format() const override { return LayoutFormat::oci_archive; }
  std::string index_json() override {
    return index_.read("index.json", path().string() + ":index.json");
  }

 protected:
  std::optional<LocatedBlob> find(const Digest& digest) override {
    return index_.find(blob_path_of(digest));
  }

 private:
  TarIndex index_;
};

/// Tells the images of manifest.json in the words of an OCI layout.
class DockerArchiveReader final : public LocatingReader {
 public:
  DockerArchiveReader(const fs::path& path, TarIndex index)
      : LocatingReader(path),
        index_(std::move(index)),
        document_(path.string() + ":manifest.json") {
    const Json images = parse_json(index_.read("manifest.json", document_), document_);
    if (!images.is_array()) throw InputError(document_ + ": expected a list");
    ImageIndex result;
    for (std::size_t i = 0; i < images.size(); ++i) {
      JsonReader image(images[i], document_, "[" + std::to_string(i) + "]");
      add_image(image, result);
    }
    index_json_ = canonical_json(to_json(result));
  }
  LayoutFormat format() const override { return LayoutFormat::docker_archive; }
  std::string index_json() override { return index_json_; }

 protected:
  std::optional<LocatedBlob> find(const Digest& digest) override {
    const auto found = blobs_.find(digest);
    return found == blobs_.end() ? std::nullopt : std::optional<LocatedBlob>(found->second);
  }

 private:
  LocatedBlob member(JsonReader& image, const char* key, const std::string& name) {
    // Names in the index are canonical, so an unsafe one is never found.
    const std::optional<LocatedBlob> blob =
        index_.find(name.starts_with("./") ? name.substr(2) : name);
    if (!blob) image.fail(key, "'" + name + "' is not in the archive");
    return *blob;
  }

  /// A plain layer's digest is its DiffID, a packed one's is its name when that is a digest; both
  /// are verified when it is read. Else the bytes say.
  Digest digest_of(const LocatedBlob& blob, const std::string& name, Compression compression,
                   const DiffId& diff_id) {
    if (compression == Compression::none) return diff_id.digest();
    const std::string hex = fs::path(name).filename().string();
    if (const auto digest = Digest::try_parse("sha256:" + hex)) {
      if (blob_path_of(*digest) == name) return *digest;
    }
    NullSink nowhere;
    HashSink hash(nowhere);
    copy(*open_located(blob), hash);
    return Digest::sha256(hash.digest());
  }

  Descriptor add_layer(JsonReader& image, const std::string& name, const DiffId& diff_id) {
    const LocatedBlob blob = member(image, "Layers", name);
    const Compression compression = compression_of(blob);
    Descriptor layer{.media_type = MediaType::layer(compression),
                     .digest = digest_of(blob, name, compression, diff_id),
                     .size = blob.size};
    blobs_.emplace(layer.digest, blob);
    return layer;
  }

  void add_image(JsonReader& image, ImageIndex& result) {
    const std::string config_name = image.string("Config");
    const LocatedBlob config_blob = member(image, "Config", config_name);
    const std::string config_text =
        read_all(*open_located(config_blob), kLargestDocument, config_name);
    const ImageConfig config = parse_image_config(config_text, config_name);
    const std::vector<std::string> layers = image.string_list("Layers");
    if (layers.size() != config.diff_ids.size()) {
      image.fail("Layers", std::to_string(layers.size()) + " layers for " +
                               std::to_string(config.diff_ids.size()) + " diff ids");
    }
    ImageManifest manifest{.config = add_bytes(MediaType::config(), config_text)};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      manifest.layers.push_back(add_layer(image, layers[i], config.diff_ids[i]));
    }
    Descriptor descriptor = add_bytes(MediaType::manifest(), canonical_json(to_json(manifest)));
    descriptor.platform = config.platform;
    add_to_index(image, descriptor, result);
  }

  Descriptor add_bytes(MediaType type, const std::string& bytes) {
    Descriptor descriptor{
        .media_type = std::move(type), .digest = Digest::of(bytes), .size = bytes.size()};
    blobs_.emplace(descriptor.digest, LocatedBlob{.size = bytes.size(), .bytes = bytes});
    return descriptor;
  }

  static void add_to_index(JsonReader& image, const Descriptor& descriptor, ImageIndex& result) {
    const Json* tags = image.find("RepoTags");
    if (tags == nullptr || tags->is_null() || tags->empty()) {
      result.manifests.push_back(descriptor);
      return;
    }
    for (const std::string& tag : image.string_list("RepoTags")) {
      Descriptor tagged = descriptor;
      tagged.annotations["org.opencontainers.image.ref.name"] = tag;
      result.manifests.push_back(std::move(tagged));
    }
  }

  TarIndex index_;
  std::string document_;
  std::string index_json_;
  std::map<Digest, LocatedBlob> blobs_;
};

}  // namespace

std::unique_ptr<LayoutReader> open_archive(const fs::path& path) {
  TarIndex index(path);
  // Newer docker archives are both; the OCI documents say more.
  if (index.find("oci-layout")) return std::make_unique<OciArchiveReader>(path, std::move(index));
  if (index.find("manifest.json")) {
    return std::make_unique<DockerArchiveReader>(path, std::move(index));
  }
  throw UsageError(ErrorText{.message = "archive '" + path.string() + "' is no image",
                             .details = {{"missing", "oci-layout or manifest.json"}}});
}

}  // namespace img
