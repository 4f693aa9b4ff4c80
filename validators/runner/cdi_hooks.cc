// SPDX-License-Identifier: Apache-2.0
// What NVIDIA's hooks do, as edits: links, folders of the loader, nothing where it is so already.
#include "validators/runner/cdi_hooks.h"

#include "builder/base/text.h"

#include <algorithm>

namespace img {
namespace {

/// "nvidia-cdi-hook NAME …" or "nvidia-ctk hook NAME …"; `name` is empty for any other program.
struct NvidiaHook {
  std::string name;
  std::vector<std::string> arguments;

  /// Values of a flag, which comes as "--flag value" or "--flag=value"; several with commas.
  std::vector<std::string> values(const std::string& flag) const {
    std::vector<std::string> list;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      std::string value;
      if (arguments[i].starts_with(flag + "=")) {
        value = arguments[i].substr(flag.size() + 1);
      } else if (arguments[i] == flag && i + 1 < arguments.size()) {
        value = arguments[++i];
      } else {
        continue;
      }
      for (std::string& part : split(value, ',')) list.push_back(std::move(part));
    }
    return list;
  }
};

NvidiaHook nvidia_hook(const CdiHook& hook) {
  const std::string program = fs::path(hook.path).filename().string();
  // [0] is the program's name again, [1] of nvidia-ctk is "hook".
  std::size_t at = 1;
  if (program == "nvidia-ctk" && hook.arguments.size() > 1 && hook.arguments[1] == "hook") at = 2;
  if ((program != "nvidia-cdi-hook" && at == 1) || hook.arguments.size() <= at) return {};
  const auto first = hook.arguments.begin() + static_cast<std::ptrdiff_t>(at);
  return {*first, {first + 1, hook.arguments.end()}};
}

bool is_absolute(const std::string& path) {
  const std::vector<std::string> parts = split(path, '/');
  return path.starts_with('/') && std::find(parts.begin(), parts.end(), "..") == parts.end();
}

/// False: something in it is not understood, and nothing was done.
bool create_symlinks(const NvidiaHook& hook, ContainerEdits& edits) {
  std::vector<ContainerLink> links;
  for (const std::string& text : hook.values("--link")) {
    const std::size_t colons = text.find("::");
    if (colons == std::string::npos || colons == 0) return false;
    ContainerLink link{.path = text.substr(colons + 2), .target = text.substr(0, colons)};
    if (!is_absolute(link.path) || link.target.find("::") != std::string::npos) return false;
    links.push_back(std::move(link));
  }
  edits.links.insert(edits.links.end(), links.begin(), links.end());
  return true;
}

bool update_ldcache(const NvidiaHook& hook, ContainerEdits& edits) {
  const std::vector<std::string> folders = hook.values("--folder");
  if (!std::all_of(folders.begin(), folders.end(), is_absolute)) return false;
  for (const std::string& folder : folders) {
    std::string plain = fs::path(folder).lexically_normal().string();
    if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
    auto& list = edits.linker_folders;
    if (std::find(list.begin(), list.end(), plain) == list.end()) list.push_back(plain);
  }
  return true;
}

/// Folders below /dev are made by the runtime, and as these hooks want them.
bool is_chmod_of_dev(const NvidiaHook& hook) {
  const auto modes = hook.values("--mode"), paths = hook.values("--path");
  return std::all_of(modes.begin(), modes.end(),
                     [](const std::string& mode) { return mode == "755" || mode == "0755"; }) &&
         std::all_of(paths.begin(), paths.end(), [](const std::string& path) {
           return is_absolute(path) && path.starts_with("/dev/");
         });
}

const char* why_not_run(const NvidiaHook& hook) {
  if (hook.name == "enable-cuda-compat") {
    return "a driver library that the image brings for newer CUDA is not put before the machine's";
  }
  if (hook.name == "update-application-profile") return "it is about displays only";
  return "it would be a foreign program with root's rights outside of the container";
}

}  // namespace

void honour_hook(const CdiHook& hook, ContainerEdits& edits) {
  const NvidiaHook known = nvidia_hook(hook);
  if (known.name == "create-symlinks" && create_symlinks(known, edits)) return;
  if ((known.name == "update-ldcache" || known.name == "create-soname-symlinks") &&
      update_ldcache(known, edits)) {
    return;
  }
  if (known.name == "chmod" && is_chmod_of_dev(known)) return;
  // They keep programs from making device files, which nobody in our containers can.
  if (known.name == "disable-device-node-modification" || known.name == "update-nvidia-params") {
    return;
  }
  const std::string program = fs::path(hook.path).filename().string();
  const std::string name = known.name.empty() ? program : program + " " + known.name;
  std::string note = "hook '" + printable(name) + "' of a device is not run: " + why_not_run(known);
  if (std::find(edits.notes.begin(), edits.notes.end(), note) == edits.notes.end()) {
    edits.notes.push_back(std::move(note));
  }
}

}  // namespace img
