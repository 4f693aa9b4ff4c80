// SPDX-License-Identifier: Apache-2.0
// Which files are kept as text for checks.
#include "validators/image/wanted_texts.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::array<std::string_view, 13> kPaths = {
    "/etc/ld.so.cache",     "/etc/ld.so.conf",      "/etc/ld.so.preload",  "/etc/passwd",
    "/etc/group",           "/etc/os-release",      "/etc/debian_version", "/usr/lib/os-release",
    "/etc/pip.conf",        "/var/lib/dpkg/status", "/etc/environment",    "/etc/nsswitch.conf",
    "/etc/apt/sources.list"};

constexpr std::array<std::string_view, 2> kFolders = {"/etc/ld.so.conf.d/",
                                                      "/var/lib/dpkg/status.d/"};

constexpr std::array<std::string_view, 8> kDistInfo = {
    "METADATA",      "WHEEL",           "INSTALLER",        "REQUESTED",
    "top_level.txt", "direct_url.json", "entry_points.txt", "PKG-INFO"};

constexpr std::array<std::string_view, 5> kNames = {
    "pyvenv.cfg", "cudnn_version.h", "cudnn_version_v9.h", "nccl.h", "sitecustomize.py"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

}  // namespace

bool is_text_wanted(std::string_view path) {
  if (is_one_of(kPaths, path)) return true;
  if (std::any_of(kFolders.begin(), kFolders.end(),
                  [&](std::string_view folder) { return path.starts_with(folder); })) {
    return true;
  }
  const std::string_view name = last_part(path);
  const std::string_view folder = last_part(folder_of(path));
  if (is_one_of(kNames, name)) return true;
  if (folder.ends_with(".dist-info") || folder.ends_with(".egg-info")) {
    return is_one_of(kDistInfo, name);
  }
  if (name == "version.py") return folder == "torch";
  if (name == "version.json" || name == "version.txt") return folder.starts_with("cuda");
  return name.ends_with(".pth") && (folder == "site-packages" || folder == "dist-packages");
}

}  // namespace img
