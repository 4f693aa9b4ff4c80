// SPDX-License-Identifier: Apache-2.0
// The few files of an image that its Python needs to start, unpacked into a private folder.
#include "builder/assemble/python_files.h"

#include "builder/assemble/spool_file.h"
#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

constexpr int kMostLinks = 40;
constexpr std::string_view kLoaderName = "ld-linux";
/// What CPython links; its extension modules are not needed for compiling.
constexpr std::array<std::string_view, 9> kLibraries = {kLoaderName, "libc.so",       "libm.so",
                                                        "libdl.so",  "libpthread.so", "libutil.so",
                                                        "libz.so",   "libexpat.so",   "libpython"};
/// Parts of the standard library that are big and of no use here.
constexpr std::array<std::string_view, 7> kUnused = {
    "test", "site-packages", "dist-packages", "idlelib", "tkinter", "ensurepip", "lib2to3"};

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Where a link text leads, on paper; empty when it leads out of the root.
std::string followed(const std::string& link_path, const std::string& target) {
  std::vector<std::string> parts;
  const std::string from = target.starts_with('/') ? "" : parent_of(link_path);
  for (const std::string& part : split(from + "/" + target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return "";
    } else {
      parts.pop_back();
    }
  }
  return PythonFileChoice::merged_usr(join(parts, "/"));
}

bool is_loader(const std::string& path) { return name_of(path).starts_with(kLoaderName); }

}  // namespace

std::string PythonFileChoice::merged_usr(const std::string& path) {
  for (const std::string_view folder : {"bin", "lib", "lib64"}) {
    if (is_below(path, folder)) return "usr/" + path;
  }
  return path;
}

PythonFileChoice::PythonFileChoice(const PythonSpec& python)
    : interpreter_(merged_usr(EntryPath::parse(python.path.substr(1)).str())),
      bin_(parent_of(interpreter_)),
      prefix_(parent_of(bin_)),
      standard_library_(prefix_ + "/lib/python" + python.version) {}

bool PythonFileChoice::is_library(const std::string& path) const {
  const std::string folder = parent_of(path);
  const bool is_place = folder == "usr/lib" || folder == "usr/lib64" ||
                        folder == prefix_ + "/lib" ||
                        (parent_of(folder) == "usr/lib" && folder.ends_with("-linux-gnu"));
  if (!is_place) return false;
  const std::string_view name = name_of(path);
  return std::any_of(kLibraries.begin(), kLibraries.end(),
                     [&](std::string_view start) { return name.starts_with(start); });
}

bool PythonFileChoice::wants(const std::string& path) const {
  if (is_below(path, standard_library_)) {
    const std::string_view rest = std::string_view(path).substr(standard_library_.size() + 1);
    const std::string_view first = rest.substr(0, rest.find('/'));
    return std::find(kUnused.begin(), kUnused.end(), first) == kUnused.end() &&
           !first.starts_with("config-");
  }
  if (parent_of(path) == bin_) return name_of(path).starts_with("python");
  return is_library(path);
}

PythonUnpacker::PythonUnpacker(fs::path root, const PythonSpec& python)
    : root_(fs::absolute(root)), choice_(python), python_path_(python.path) {
  // Its presence tells CPython that the folder is a home; the modules in it are not needed.
  create_folders(root_ / choice_.standard_library() / "lib-dynload");
}

bool PythonUnpacker::wants(const EntryPath& path) const {
  return choice_.wants(PythonFileChoice::merged_usr(path.str()));
}

void PythonUnpacker::take(const EntryPath& entry_path, const Entry& entry, Source& body) {
  const std::string path = PythonFileChoice::merged_usr(entry_path.str());
  if (!choice_.wants(path)) return;
  if (entry.type == EntryType::file) {
    write(path, entry, body);
  } else if (entry.type == EntryType::symlink) {
    links_[path] = followed(path, entry.link);
  } else if (entry.type == EntryType::hardlink) {
    links_[path] = PythonFileChoice::merged_usr(entry.link);
  }
}

void PythonUnpacker::write(const std::string& path, const Entry& entry, Source& body) {
  // The same file can come twice where an image has both /lib and /usr/lib; the first is as good.
  if (!files_.insert(path).second) return;
  const fs::path file = root_ / path;
  create_folders(file.parent_path());
  SpoolFile out(file);
  copy(body, out);
  out.finish();
  if (chmod(file.c_str(), (entry.mode & 0111) != 0 ? 0755 : 0644) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot change the mode of '" + file.string() + "'");
  }
}

std::string PythonUnpacker::end_of_links(std::string path) const {
  for (int i = 0; i < kMostLinks; ++i) {
    const auto link = links_.find(path);
    if (link == links_.end()) return files_.contains(path) ? path : std::string();
    path = link->second;
  }
  return "";
}

void PythonUnpacker::finish() {
  for (const auto& [path, target] : links_) {
    const std::string end = end_of_links(target);
    if (end.empty() || files_.contains(path)) continue;
    const fs::path link = root_ / path;
    create_folders(link.parent_path());
    if (::link((root_ / end).c_str(), link.c_str()) != 0) {
      const int error = errno;
      throw SystemError(error, "cannot make '" + link.string() + "'");
    }
  }
  for (const auto& [path, target] : links_) {
    if (!end_of_links(target).empty()) files_.insert(path);
  }
  if (!files_.contains(choice_.interpreter())) {
    throw UnavailableError("no file of the image is its Python '" + python_path_ + "'");
  }
  loader();
}

fs::path PythonUnpacker::loader() const {
  const auto found = std::find_if(files_.begin(), files_.end(), is_loader);
  if (found != files_.end()) return root_ / *found;
  throw UnavailableError("no file of the image is the dynamic loader of its Python '" +
                         python_path_ + "'");
}

std::vector<std::string> PythonUnpacker::library_folders() const {
  std::set<std::string> folders;
  for (const std::string& path : files_) {
    if (choice_.is_library(path)) folders.insert((root_ / parent_of(path)).string());
  }
  return {folders.begin(), folders.end()};
}

}  // namespace img
