// SPDX-License-Identifier: Apache-2.0
// Writes a whole image as a layout folder or an archive, all or nothing.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/layer/layer_writer.h"
#include "builder/layout/located_blob.h"
#include "builder/layout/output_workspace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

constexpr const char* kLayoutJson = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);

[[noreturn]] void fail(int error, const std::string& what, const fs::path& path) {
  throw SystemError(error, what + " '" + path.string() + "'");
}

/// Each blob once: two layers can be equal.
std::vector<const LayoutBlob*> distinct_blobs(const LayoutImage& image) {
  std::vector<const LayoutBlob*> blobs;
  std::set<Digest> seen;
  for (const LayoutBlob& blob : image.blobs) {
    if (seen.insert(blob.digest).second) blobs.push_back(&blob);
  }
  return blobs;
}

const LayoutBlob& blob_of(const LayoutImage& image, const Digest& digest) {
  const auto found = std::find_if(image.blobs.begin(), image.blobs.end(),
                                  [&](const LayoutBlob& blob) { return blob.digest == digest; });
  if (found == image.blobs.end()) throw InternalError("no blob '" + digest.str() + "' to write");
  return *found;
}

std::shared_ptr<const InputFile> open_whole(const LayoutBlob& blob) {
  std::shared_ptr<const InputFile> file = InputFile::open(blob.file);
  if (file->size() == blob.size) return file;
  throw IntegrityError(
      ErrorText{.message = "blob '" + blob.digest.str() + "' has another size than it had",
                .details = {{"expected", with_commas(blob.size) + " bytes"},
                            {"got", with_commas(file->size()) + " bytes", blob.file.string()}}});
}

// ---- folder ----

void sync_folder(const fs::path& folder) {
  const Fd fd = Fd::open(folder, O_RDONLY | O_DIRECTORY);
  if (fsync(fd.get()) == 0) return;
  const int error = errno;
  fail(error, "cannot sync", folder);
}

void fill_folder(const LayoutImage& image, const fs::path& folder) {
  create_folders(folder / "blobs" / "sha256");
  for (const LayoutBlob* blob : distinct_blobs(image)) {
    const fs::path path = folder / blob_path_of(blob->digest);
    create_folders(path.parent_path());
    if (blob->file.empty()) {
      write_file(path, blob->bytes, 0444);
    } else {
      open_whole(*blob);
      link_or_copy(blob->file, path);
      if (blob->on_linked) blob->on_linked();
    }
  }
  write_file(folder / "oci-layout", kLayoutJson);
  write_file(folder / "index.json", image.index_json);
  sync_folder(folder / "blobs" / "sha256");
}

/// A folder is replaced only when nothing in it can be somebody's only copy of something else.
void require_replaceable(const fs::path& target) {
  if (!fs::is_directory(target)) {
    throw UsageError(ErrorText{.message = "'" + target.string() + "' is kept: it is no folder",
                               .hint = "choose another output, or remove it"});
  }
  static constexpr std::array<std::string_view, 3> kOurs = {"blobs", "index.json", "oci-layout"};
  const std::vector<std::string> names = sorted_names(target);
  for (const std::string& name : names) {
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) continue;
    throw UsageError(ErrorText{.message = "folder '" + target.string() + "' is kept: it holds '" +
                                          name + "', which is no part of an OCI layout",
                               .hint = "choose another output, or remove the folder"});
  }
  if (names.empty() || fs::is_regular_file(target / "oci-layout")) return;
  throw UsageError(
      ErrorText{.message = "folder '" + target.string() + "' is kept: it is no OCI layout",
                .hint = "choose another output, or remove the folder"});
}

/// True when both changed places.
bool exchange(const fs::path& a, const fs::path& b) {
  if (renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  const int error = errno;
  if (error == EINVAL || error == ENOSYS || error == ENOTSUP) return false;
  fail(error, "cannot replace", b);
}

void move_folder(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return;
  const int error = errno;
  fail(error, "cannot write", to);
}

void write_folder(const LayoutImage& image, const fs::path& target) {
  if (fs::exists(target)) require_replaceable(target);
  const fs::path parent = target.parent_path();
  create_folders(parent);
  // Its destructor removes what is left in it: half a layout, or the replaced one.
  const OutputWorkspace work(parent);
  const fs::path fresh = work.path() / "new";
  fill_folder(image, fresh);
  sync_folder(fresh);
  if (!fs::exists(target)) {
    move_folder(fresh, target);
  } else if (!exchange(fresh, target)) {
    move_folder(target, work.path() / "old");
    move_folder(fresh, target);
  }
  sync_folder(parent);
}

// ---- archives ----

constexpr const char* kOrigin = "image";

void add_text(Tree& tree, const std::string& path, std::string text) {
  tree.put(EntryPath::parse(path), Entry::file(literal(std::move(text)), 0644, kOrigin));
}

void add_blob(Tree& tree, const LayoutBlob& blob) {
  const std::string path = blob_path_of(blob.digest);
  if (blob.file.empty()) {
    add_text(tree, path, blob.bytes);
    return;
  }
  StoredContent content{.file = open_whole(blob), .offset = 0, .size = blob.size};
  tree.put(EntryPath::parse(path), Entry::file(std::move(content), 0644, kOrigin));
}

Tree oci_archive(const LayoutImage& image) {
  Tree tree;
  add_text(tree, "oci-layout", kLayoutJson);
  add_text(tree, "index.json", image.index_json);
  for (const LayoutBlob* blob : distinct_blobs(image)) add_blob(tree, *blob);
  return tree;
}

/// `docker load` and its like know gzip and plain tars only.
void require_docker_layer(const LayoutBlob& blob) {
  if (blob.file.empty()) return;
  std::array<std::uint8_t, kZstdMagic.size()> head{};
  InputFile::open(blob.file)->read_at(0, head);
  if (as_text(head) != kZstdMagic) return;
  throw UsageError(ErrorText{.message = "a docker archive cannot carry zstd layers",
                             .details = {{"layer", blob.digest.str()}},
                             .hint = "build with --compression gzip"});
}

Tree docker_archive(const LayoutImage& image) {
  Tree tree;
  Json layers = Json::array();
  for (const Digest& digest : image.layers) {
    const LayoutBlob& blob = blob_of(image, digest);
    require_docker_layer(blob);
    add_blob(tree, blob);
    layers.push_back(blob_path_of(digest));
  }
  add_blob(tree, blob_of(image, image.config));
  Json tags = Json::array();
  if (!image.reference.empty()) tags.push_back(image.reference);
  add_text(
      tree, "manifest.json",
      canonical_json(Json::array(
          {{{"Config", blob_path_of(image.config)}, {"Layers", layers}, {"RepoTags", tags}}})));
  return tree;
}

void write_archive(Tree tree, const fs::path& target) {
  if (fs::is_directory(target)) {
    throw UsageError(ErrorText{.message = "'" + target.string() + "' is a folder, not an archive",
                               .hint = "choose another output, or remove the folder"});
  }
  tree.seal(kOrigin);
  create_folders(target.parent_path());
  const OutputWorkspace work(target.parent_path());
  AtomicFile file(target, 0644, work.path());
  write_tar(tree, file);
  file.commit();
}

/// Without a trailing slash, and with links followed where they lead somewhere.
fs::path real_target(const fs::path& target) {
  const fs::path path = fs::weakly_canonical(fs::absolute(target));
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

void write_layout(const LayoutImage& image, const fs::path& target, LayoutFormat format) {
  const fs::path path = real_target(target);
  switch (format) {
    case LayoutFormat::directory:
      return write_folder(image, path);
    case LayoutFormat::oci_archive:
      return write_archive(oci_archive(image), path);
    case LayoutFormat::docker_archive:
      return write_archive(docker_archive(image), path);
  }
}

}  // namespace img
