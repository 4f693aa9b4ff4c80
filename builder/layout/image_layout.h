// SPDX-License-Identifier: Apache-2.0
// OCI image layouts (directory, OCI archive) and docker archives: writing whole, reading strictly.
#pragma once

#include "builder/base/file.h"
#include "builder/oci/image.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace img {

enum class LayoutFormat { directory, oci_archive, docker_archive };

/// One blob that goes into a layout: a file in the store, or literal bytes (index, manifest,
/// config).
struct LayoutBlob {
  Digest digest;
  std::uint64_t size = 0;
  fs::path file = {};  ///< used when `bytes` is empty
  std::string bytes = {};
  /// Called after the file got another name: a hard link changes the file's status, and a store
  /// that recognises its blobs by that must look again before the link goes.
  std::function<void()> on_linked = nullptr;
};

/// A whole image, ready to be written.
struct LayoutImage {
  std::string index_json;      ///< bytes of index.json
  std::string reference;       ///< "name:tag", for docker-archive's RepoTags
  Digest config;               ///< which blob is the config (docker-archive needs it)
  std::vector<Digest> layers;  ///< bottom to top
  std::vector<LayoutBlob> blobs;
};

/// Writes the image under `target`, which must not exist, or be a layout (directory) or a file
/// (archive) that we may replace. A directory is made beside it and renamed into place, blobs come
/// as hard links, reflinks or copies; an archive is a canonical tar written atomically. Nothing
/// partial is ever visible under `target`. An existing directory that is no OCI layout is refused
/// (UsageError).
void write_layout(const LayoutImage& image, const fs::path& target, LayoutFormat format);

/// A blob as it is stored, whatever its bytes are.
struct StoredBlob {
  std::unique_ptr<Source> source;
  std::uint64_t size = 0;
};

/// Reads an image wherever it is: OCI layout directory, OCI archive, docker archive (plain tar). An
/// archive is indexed, not unpacked. Every document is verified against its digest when read.
class LayoutReader {
 public:
  static std::unique_ptr<LayoutReader> open(const fs::path& path);
  virtual ~LayoutReader() = default;

  virtual LayoutFormat format() const = 0;
  /// Bytes of index.json (for docker archives: one made from manifest.json).
  virtual std::string index_json() = 0;
  virtual bool contains(const Digest& digest) = 0;
  /// Verifying source: throws IntegrityError at the end when size or digest differ.
  virtual std::unique_ptr<Source> open_blob(const Descriptor& descriptor) = 0;
  /// For those who judge an image instead of using it: nothing is verified; nullopt when the blob
  /// is not there.
  virtual std::optional<StoredBlob> open_unverified(const Digest& digest) = 0;
  /// Whole small document (at most 8 MiB), verified.
  virtual std::string read_document(const Descriptor& descriptor) = 0;
};

/// The one image that `reference` (a tag, or empty) and `platform` select from a layout; descends
/// nested indexes. UsageError naming the candidates when there is not exactly one.
struct SelectedImage {
  Descriptor manifest_descriptor;
  std::string manifest_bytes;
  ImageManifest manifest;
  std::string config_bytes;
  ImageConfig config;
};
SelectedImage select_image(LayoutReader& layout, const std::string& reference = {},
                           const std::optional<Platform>& platform = {});

}  // namespace img
