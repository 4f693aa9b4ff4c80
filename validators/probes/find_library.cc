// SPDX-License-Identifier: Apache-2.0
// Looks through folders of NVIDIA's wheels.
#include "validators/probes/find_library.h"

#include "validators/probes/events.h"

#include <algorithm>

#include <dirent.h>
#include <dlfcn.h>

namespace probe {
namespace {

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const stream = ::opendir(folder.c_str());
  if (stream == nullptr) return names;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(folder + "/" + name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

/// "libnccl.so.2" is of the stem "libnccl"; "libcudnn_ops.so.9" is not of "libcudnn".
bool is_of_stem(std::string_view path, std::string_view stem) {
  std::string_view name = base_name(path);
  return name.starts_with(stem) && name.substr(stem.size()).starts_with(".so");
}

void report(const WantedLibrary& wanted, const std::string& path, const Library& library) {
  Event("library")
      .text("library", wanted.name)
      .text("path", path)
      .text("error", library.error())
      .flag("stand_in", library.symbol("imgcheck_stand_in") != nullptr)
      .emit();
}

}  // namespace

std::string library_file(const WantedLibrary& wanted, const Arguments& arguments) {
  std::vector<std::string> files = arguments.all("library");
  if (const std::string torch = arguments.one("torch"); !torch.empty()) {
    const std::string site = torch.substr(0, torch.rfind('/'));
    for (const std::string& package : entries_of(site + "/nvidia")) {
      for (const std::string& file : entries_of(package + "/lib")) files.push_back(file);
    }
    for (const std::string& file : entries_of(torch + "/lib")) files.push_back(file);
  }
  const auto found = std::find_if(files.begin(), files.end(), [&](const std::string& file) {
    return is_of_stem(file, wanted.stem);
  });
  return found == files.end() ? std::string() : *found;
}

Library open_library(const WantedLibrary& wanted, const std::string& file, int flags) {
  if (!file.empty()) {
    Library library(file, flags);
    report(wanted, file, library);
    return library;
  }
  for (const char* soname : wanted.sonames) {
    Library library(soname, flags);
    const bool absent = library.error().find("cannot open shared object file") != std::string::npos;
    if (!library.loaded() && absent) continue;
    report(wanted, library.loaded() ? library.path() : soname, library);
    return library;
  }
  Library none(wanted.sonames.back(), flags);
  report(wanted, "", none);
  return none;
}

}  // namespace probe
