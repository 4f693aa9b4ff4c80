// SPDX-License-Identifier: Apache-2.0
// Every locked byte into a folder that serves as a source anywhere.
#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"

#include <map>
#include <set>

#include <sys/stat.h>

namespace img {
namespace {

/// File name in the export → what it holds.
using ExportPlan = std::map<std::string, const WantedFile*>;

ExportPlan plan_export(const std::vector<WantedFile>& files) {
  ExportPlan plan;
  for (const WantedFile& file : files) {
    const std::string base = fs::path(file.path.empty() ? file.name : file.path).filename();
    const std::string folder = file.is_wheel ? "wheels/" : "debs/";
    const auto [place, is_new] = plan.emplace(folder + base, &file);
    // Two archives may call different files the same; a folder source finds them by digest as well.
    if (!is_new && place->second->digest != file.digest) {
      plan.emplace(folder + std::string(file.digest.hex()), &file);
    }
  }
  return plan;
}

bool same_inode(const fs::path& a, const fs::path& b) {
  struct stat first {};
  struct stat second {};
  return lstat(a.c_str(), &first) == 0 && lstat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_complete(const fs::path& path, const WantedFile& file, const fs::path& blob) {
  if (same_inode(path, blob)) return true;
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (static_cast<std::uint64_t>(info.st_size) != file.size) return false;
  FileSource source(InputFile::open(path));
  NullSink nowhere;
  HashSink hash(nowhere);
  copy(source, hash);
  return Digest::sha256(hash.digest()) == file.digest;
}

void place_file(const fs::path& path, const WantedFile& file, Store& store) {
  // The blob is known good now; a name beside the final one makes the result appear at once.
  store.open_file(file.digest);
  if (is_complete(path, file, store.blob_path(file.digest))) return;
  const fs::path temporary = path.parent_path() / (".tmp-" + std::string(file.digest.hex()));
  remove_tree(temporary);
  store.link_to(file.digest, temporary);
  fs::rename(temporary, path);
}

}  // namespace

void export_files(const std::vector<WantedFile>& files, Store& store, const fs::path& folder,
                  Progress& progress) {
  create_folders(folder);
  std::string sums;
  std::set<std::string> folders;
  for (const auto& [name, file] : plan_export(files)) {
    check_interrupt();
    const fs::path path = folder / name;
    if (folders.insert(path.parent_path()).second) create_folders(path.parent_path());
    ProgressTask task = progress.task("exporting", file->name, file->size);
    place_file(path, *file, store);
    task.reset_to(file->size);
    task.finish();
    sums += std::string(file->digest.hex()) + "  " + name + "\n";
  }
  write_file(folder / "SHA256SUMS", sums);
}

}  // namespace img
