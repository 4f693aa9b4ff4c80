// SPDX-License-Identifier: Apache-2.0
// Mount points, links and names of libraries, made in the topmost layer of a container.
#include "validators/runner/edit_places.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "validators/elf/elf_dynamic.h"
#include "validators/runner/skeleton.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

constexpr int kMostLinks = 40;

/// "/usr/lib/x" → {"/usr/lib", "x"}
std::pair<std::string, std::string> split_last(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string in_folder(const std::string& folder, const std::string& name) {
  return (folder == "/" ? "" : folder) + "/" + name;
}

bool is_in(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

/// The soname of a 64-bit library on this machine; empty for anything else.
std::string soname_of(const fs::path& file) {
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 64) return "";
  const auto size = static_cast<std::size_t>(info.st_size);
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapped == MAP_FAILED) return "";
  std::string soname;
  try {
    const ElfView view({static_cast<const std::uint8_t*>(mapped), size}, file.string());
    if (view.is_64()) {
      if (const auto dynamic = read_dynamic(view, read_layout(view))) soname = dynamic->soname;
    }
  } catch (const InputError&) {
    // Not a library: ldconfig passes it over too.
  }
  munmap(mapped, size);
  return soname.find('/') == std::string::npos ? soname : "";
}

class EditPlacer {
 public:
  EditPlacer(const fs::path& skeleton, const LayerStack& stack, Owners owners, ContainerEdits edits)
      : skeleton_(skeleton), stack_(stack), owners_(owners), edits_(std::move(edits)) {}

  ContainerEdits run() {
    for (const std::string& folder : edits_.linker_folders) {
      linker_folders_.insert(stack_.resolve(folder));
    }
    for (Json& mount : edits_.mounts) place_mount(mount);
    for (ContainerLink& link : edits_.links) place_link(link);
    if (!linker_folders_.empty()) name_libraries();
    return std::move(edits_);
  }

 private:
  /// Where the image's links lead: the last name is followed too, as a runtime would.
  std::string followed(std::string path) const {
    for (int links = 0; links <= kMostLinks; ++links) {
      const auto [parent, name] = split_last(path);
      if (name.empty() || name == "." || name == "..") return stack_.resolve(path);
      const std::string folder = stack_.resolve(parent);
      const std::string place = in_folder(folder, name);
      const StackedPlace found = stack_.look(place.substr(1));
      if (found.kind != PlaceKind::link) return place;
      path = found.target.starts_with('/') ? found.target : in_folder(folder, found.target);
    }
    throw InputError("'" + path + "' leads through too many links");
  }

  void require_free(const std::string& wanted, const std::string& place) const {
    for (const char* folder : {"/proc", "/sys", kBundlePlace, kEnterPlace, kDriverPlace}) {
      if (!is_in(place, folder)) continue;
      throw InputError(ErrorText{.message = "a device's file would be where it must not be",
                                 .details = {{"wanted", wanted, "the CDI specification"},
                                             {"that is", place, "in the image"}}});
    }
  }

  void place_mount(Json& mount) {
    const std::string wanted = mount["destination"];
    const std::string place = followed(wanted);
    require_free(wanted, place);
    if (place == "/") throw InputError("a device's file would be the root of the image");
    mount["destination"] = place;
    // What is in /dev is made by the runtime in a file system of its own.
    if (is_in(place, "/dev")) return;
    struct stat info {};
    const std::string source = mount["source"];
    if (stat(source.c_str(), &info) != 0) {
      const int error = errno;
      throw SystemError(error, "cannot read '" + source + "'");
    }
    const bool is_folder = S_ISDIR(info.st_mode);
    mounts_[place] = source;
    if (is_folder) mounted_folders_.insert(place);
    // A place below another mount is that mount's matter.
    if (is_below_mount(place)) return;
    const StackedPlace found = stack_.look(place.substr(1));
    if (found.kind == PlaceKind::absent) return make_mount_point(place, is_folder);
    if ((found.kind == PlaceKind::folder) == is_folder) return;
    throw InputError("the image has a " + std::string(is_folder ? "file" : "folder") + " as '" +
                     printable(place) + "', where a device needs a " +
                     (is_folder ? "folder" : "file"));
  }

  bool is_below_mount(const std::string& place) const {
    return std::any_of(mounted_folders_.begin(), mounted_folders_.end(),
                       [&](const auto& folder) { return place != folder && is_in(place, folder); });
  }

  /// The folder of `place` in the skeleton. No link is followed on the way: of the image's there is
  /// none here, and one of the specification's must not lead out.
  Fd skeleton_folder(const std::string& parent) const {
    if (parent == "/") return SafeFolder(skeleton_).open("");
    make_image_folder(skeleton_, stack_, parent.substr(1), owners_);
    return SafeFolder(skeleton_).open(parent.substr(1));
  }

  void make_mount_point(const std::string& place, bool is_folder) const {
    if (is_folder) {
      make_image_folder(skeleton_, stack_, place.substr(1), owners_);
      return;
    }
    const auto [parent, name] = split_last(place);
    const Fd folder = skeleton_folder(parent);
    const Fd file(openat(folder.get(), name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
    const int error = errno;
    if (!file && error != EEXIST)
      throw SystemError(error, "cannot make '" + name + "' to mount on");
  }

  /// The last link of a path counts; whatever file the image has there is hidden.
  void place_link(ContainerLink& link) {
    const auto [parent, name] = split_last(link.path);
    if (name.empty() || name == ".") throw InputError("'" + link.path + "' is no name of a link");
    const std::string place = in_folder(stack_.resolve(parent), name);
    require_free(link.path, place);
    link.path = place;
    if (is_in(place, "/dev") || is_below_mount(place)) {
      edits_.notes.push_back("link '" + printable(place) +
                             "' of a device is not made: it is in a folder that is mounted");
      return;
    }
    if (mounts_.contains(place)) return;  // the file itself is there
    if (stack_.look(place.substr(1)).kind == PlaceKind::folder) {
      throw InputError("the image has a folder as '" + printable(place) +
                       "', where a device needs a link");
    }
    make_link(place, link.target);
    links_[place] = link.target;
  }

  void make_link(const std::string& place, const std::string& target) const {
    const auto [parent, name] = split_last(place);
    const Fd folder = skeleton_folder(parent);
    if (unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      const int error = errno;
      throw SystemError(error, "cannot replace '" + place + "' in a container");
    }
    if (symlinkat(target.c_str(), folder.get(), name.c_str()) != 0) {
      const int error = errno;
      throw SystemError(error, "cannot make link '" + place + "' in a container");
    }
  }

  /// What ldconfig would do for the folders, without running a program of the image or the host.
  void name_libraries() {
    std::map<std::string, std::string> names;  // in kDriverPlace → where it leads
    for (const auto& [place, source] : mounts_) {
      const auto [folder, name] = split_last(place);
      if (!linker_folders_.contains(folder)) continue;
      const std::string soname = soname_of(source);
      if (soname.empty()) continue;
      names.emplace(name, place);
      if (soname == name || !make_soname_link(in_folder(folder, soname), name)) continue;
      names.emplace(soname, place);
    }
    for (const auto& [place, target] : links_) {
      const auto [folder, name] = split_last(place);
      if (linker_folders_.contains(folder)) names.emplace(name, place);
    }
    for (const auto& [name, place] : names) make_link(in_folder(kDriverPlace, name), place);
    if (!names.empty()) edits_.library_path.emplace_back(kDriverPlace);
    // In a folder that is mounted as a whole there is nothing of the image.
    for (const std::string& folder : linker_folders_) {
      if (mounted_folders_.contains(folder) || is_below_mount(folder)) {
        edits_.library_path.push_back(folder);
      }
    }
  }

  /// False when the image's own file has the name, which ldconfig leaves as it is.
  bool make_soname_link(const std::string& place, const std::string& target) {
    if (mounts_.contains(place) || links_.contains(place)) return true;
    const StackedPlace found = stack_.look(place.substr(1));
    if (found.kind == PlaceKind::other || found.kind == PlaceKind::folder) {
      edits_.notes.push_back("the image has its own '" + printable(place) +
                             "', which hides that of the machine's driver");
      return false;
    }
    make_link(place, target);
    return true;
  }

  const fs::path& skeleton_;
  const LayerStack& stack_;
  Owners owners_;
  ContainerEdits edits_;
  std::set<std::string> linker_folders_, mounted_folders_;
  std::map<std::string, std::string> mounts_;  // place → source on the host
  std::map<std::string, std::string> links_;   // place → target
};

}  // namespace

ContainerEdits place_edits(const fs::path& skeleton, const LayerStack& stack, Owners owners,
                           ContainerEdits edits) {
  return EditPlacer(skeleton, stack, owners, std::move(edits)).run();
}

}  // namespace img
