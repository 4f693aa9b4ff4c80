// SPDX-License-Identifier: Apache-2.0
// Layout folders, the choice of a reader for a path, and the verification that all readers share.
#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "builder/layout/located_blob.h"

#include <algorithm>

namespace img {
namespace {

/// Hands out the bytes of a blob; the last ones only when size and digest are right.
class VerifyingSource final : public Source {
 public:
  VerifyingSource(LocatedBlob blob, Digest digest)
      : blob_(std::move(blob)), source_(open_located(blob_)), digest_(std::move(digest)) {}

  std::size_t read(ByteSpan buffer) override {
    const std::size_t count = source_->read(buffer);
    hash_.update(ByteView(buffer).first(count));
    count_ += count;
    if (!verified_ && (count == 0 || count_ == blob_.size)) verify();
    return count;
  }

 private:
  void verify() {
    verified_ = true;
    const Digest found = Digest::sha256(hash_.finish());
    hash_ = Sha256();
    if (found == digest_) return;
    throw IntegrityError(ErrorText{.message = "blob '" + digest_.str() + "' has other bytes",
                                   .details = {{"expected", digest_.str(), "its descriptor"},
                                               {"got", found.str(), "sha256 of its bytes"}}});
  }

  LocatedBlob blob_;
  std::unique_ptr<Source> source_;
  Digest digest_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
  bool verified_ = false;
};

/// Hands out the bytes of a blob as they are.
class StoredSource final : public Source {
 public:
  explicit StoredSource(LocatedBlob blob) : blob_(std::move(blob)), source_(open_located(blob_)) {}
  std::size_t read(ByteSpan buffer) override { return source_->read(buffer); }

 private:
  LocatedBlob blob_;
  std::unique_ptr<Source> source_;
};

class FolderReader final : public LocatingReader {
 public:
  explicit FolderReader(const fs::path& path) : LocatingReader(path) {
    const fs::path marker = path / "oci-layout";
    require_layout_version(read_file(marker, kLargestDocument), marker.string());
  }
  LayoutFormat format() const override { return LayoutFormat::directory; }
  std::string index_json() override { return read_file(path() / "index.json", kLargestDocument); }

 protected:
  std::optional<LocatedBlob> find(const Digest& digest) override {
    const fs::path file = path() / blob_path_of(digest);
    // A link is followed, since what it leads to is verified; anything but a regular file could
    // block.
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return std::nullopt;
    std::shared_ptr<const InputFile> opened = InputFile::open(file);
    const std::uint64_t size = opened->size();
    return LocatedBlob{.file = std::move(opened), .offset = 0, .size = size};
  }
};

}  // namespace

std::string blob_path_of(const Digest& digest) {
  return "blobs/" + std::string(digest.algorithm()) + "/" + std::string(digest.hex());
}

std::unique_ptr<Source> open_located(const LocatedBlob& blob) {
  if (blob.file) return std::make_unique<FileSource>(blob.file, blob.offset, blob.size);
  return std::make_unique<ViewSource>(as_bytes(blob.bytes));
}

void require_layout_version(const std::string& text, const std::string& document) {
  const Json json = parse_json(text, document);
  JsonReader reader(json, document, "");
  const std::string version = reader.string("imageLayoutVersion");
  if (!version.starts_with("1.")) {
    reader.fail("imageLayoutVersion", "expected version 1, found '" + version + "'");
  }
}

std::unique_ptr<Source> LocatingReader::open_blob(const Descriptor& descriptor) {
  const Digest& digest = descriptor.digest;
  if (!digest.is_sha256()) {
    throw InputError("blob '" + digest.str() + "' cannot be verified: only sha256 is supported");
  }
  std::optional<LocatedBlob> blob = find(digest);
  if (!blob) {
    throw IntegrityError("image '" + path_.string() + "' lacks blob '" + digest.str() + "'");
  }
  if (blob->size != descriptor.size) {
    throw IntegrityError(ErrorText{
        .message = "blob '" + digest.str() + "' has another size",
        .details = {{"expected", with_commas(descriptor.size) + " bytes", "its descriptor"},
                    {"got", with_commas(blob->size) + " bytes", path_.string()}}});
  }
  return std::make_unique<VerifyingSource>(std::move(*blob), digest);
}

std::optional<StoredBlob> LocatingReader::open_unverified(const Digest& digest) {
  std::optional<LocatedBlob> blob = find(digest);
  if (!blob) return std::nullopt;
  const std::uint64_t size = blob->size;
  return StoredBlob{.source = std::make_unique<StoredSource>(std::move(*blob)), .size = size};
}

std::string LocatingReader::read_document(const Descriptor& descriptor) {
  if (descriptor.size > kLargestDocument) {
    throw InputError(
        ErrorText{.message = "document '" + descriptor.digest.str() + "' is larger than allowed",
                  .details = {{"limit", with_commas(kLargestDocument) + " bytes"},
                              {"got", with_commas(descriptor.size) + " bytes"}}});
  }
  return read_all(*open_blob(descriptor), kLargestDocument, descriptor.digest.str());
}

std::unique_ptr<LayoutReader> open_layout_folder(const fs::path& path) {
  return std::make_unique<FolderReader>(path);
}

std::unique_ptr<LayoutReader> LayoutReader::open(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw UsageError("there is no image '" + path.string() + "'");
  }
  if (status.type() == fs::file_type::directory) {
    if (fs::is_regular_file(path / "oci-layout", error)) return open_layout_folder(path);
    throw UsageError(ErrorText{.message = "folder '" + path.string() + "' is no OCI layout",
                               .details = {{"missing", "oci-layout"}}});
  }
  if (status.type() == fs::file_type::regular) return open_archive(path);
  throw UsageError("'" + path.string() + "' is neither a folder nor a file");
}

}  // namespace img
