// SPDX-License-Identifier: Apache-2.0
// What all readers of images share: finding a blob's bytes, and never giving out unverified ones.
#pragma once

#include "builder/layout/image_layout.h"

#include <memory>
#include <optional>
#include <string>

namespace img {

/// Where the bytes of a blob are: a range of a file, or memory when `file` is null.
struct LocatedBlob {
  std::shared_ptr<const InputFile> file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string bytes = {};
};

/// A reader that can locate blobs; verification is written once, here.
class LocatingReader : public LayoutReader {
 public:
  explicit LocatingReader(fs::path path) : path_(std::move(path)) {}
  bool contains(const Digest& digest) override { return find(digest).has_value(); }
  std::unique_ptr<Source> open_blob(const Descriptor& descriptor) override;
  std::optional<StoredBlob> open_unverified(const Digest& digest) override;
  std::string read_document(const Descriptor& descriptor) override;

 protected:
  virtual std::optional<LocatedBlob> find(const Digest& digest) = 0;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Largest JSON document of an image that is read.
inline constexpr std::uint64_t kLargestDocument = 8 << 20;

/// "blobs/sha256/<hex>"
std::string blob_path_of(const Digest& digest);
std::unique_ptr<Source> open_located(const LocatedBlob& blob);

// The readers; LayoutReader::open chooses.
std::unique_ptr<LayoutReader> open_layout_folder(const fs::path& path);
std::unique_ptr<LayoutReader> open_archive(const fs::path& path);

/// InputError unless `text` is an oci-layout document of version 1.
void require_layout_version(const std::string& text, const std::string& document);

}  // namespace img
