// SPDX-License-Identifier: Apache-2.0
// dlopen, dlsym and /proc/self/maps.
#include "validators/probes/library.h"

#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

namespace probe {

Library::Library(const std::string& name, int flags) : handle_(::dlopen(name.c_str(), flags)) {
  if (handle_ == nullptr) {
    const char* const text = ::dlerror();
    error_ = text != nullptr ? text : "dlopen gives no reason";
  }
}

std::string Library::path() const {
  link_map* map = nullptr;
  if (handle_ == nullptr || ::dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) {
    return {};
  }
  char* const real = ::realpath(map->l_name, nullptr);
  std::string path = real != nullptr ? real : map->l_name;
  std::free(real);
  return path;
}

void* Library::symbol(const char* name) const {
  return handle_ != nullptr ? ::dlsym(handle_, name) : nullptr;
}

std::set<std::string> mapped_libraries() {
  std::set<std::string> files;
  std::FILE* const maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return files;
  char* line = nullptr;
  std::size_t size = 0;
  while (::getline(&line, &size, maps) > 0) {
    // "start-end rwxp offset device inode          /path": the path is the rest of the line.
    char permissions[5] = {};
    int at = 0;
    if (std::sscanf(line, "%*x-%*x %4s %*x %*s %*u %n", permissions, &at) != 1 || at == 0) continue;
    std::string path(line + at);
    while (!path.empty() && path.back() == '\n') path.pop_back();
    if (permissions[2] == 'x' && path.starts_with("/")) files.insert(std::move(path));
  }
  std::free(line);
  std::fclose(maps);
  return files;
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace probe
