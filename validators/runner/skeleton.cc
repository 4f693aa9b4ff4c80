// SPDX-License-Identifier: Apache-2.0
// Makes the topmost layer from what the image has and what a container needs.
#include "validators/runner/skeleton.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "validators/runner/enter_program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

struct MountPoint {
  const char* name;
  mode_t mode;
};
constexpr std::array<MountPoint, 5> kMountPoints = {
    {{"proc", 0755}, {"sys", 0755}, {"dev", 0755}, {"tmp", 01777}, {".imgcheck", 0755}}};

std::string kind_of(const StackedPlace& place) {
  if (place.kind == PlaceKind::link) return "a link to '" + printable(place.target) + "'";
  return "no folder";
}

class SkeletonMaker {
 public:
  SkeletonMaker(const fs::path& folder, const LayerStack& stack, Owners owners)
      : folder_(folder), stack_(stack), owners_(owners) {}

  void mount_point(const MountPoint& point) const {
    const StackedPlace place = stack_.look(point.name);
    if (place.kind == PlaceKind::folder) return;
    if (place.kind != PlaceKind::absent) {
      throw InputError("the image has " + kind_of(place) + " as '/" + point.name +
                       "', where the runner mounts a folder");
    }
    make(point.name, {.kind = PlaceKind::folder, .mode = point.mode});
  }

  /// A folder and those above it, with the attributes that the image has for them.
  void folder(const std::string& path) const {
    // Folders come parents first, so most of a deep path is there already.
    std::size_t known = path.size();
    while (known != 0 && !made_.contains(path.substr(0, known))) {
      const std::size_t slash = path.rfind('/', known - 1);
      known = slash == std::string::npos ? 0 : slash;
    }
    while (known != path.size()) {
      known = std::min(path.find('/', known + 1), path.size());
      const std::string part = path.substr(0, known);
      const StackedPlace place = stack_.look(part);
      // Below a link nothing can be hidden; the link would be.
      if (place.kind == PlaceKind::link || place.kind == PlaceKind::other) return;
      make(part, place);
      made_.insert(part);
    }
  }

  void enter_program_file() const {
    const fs::path path = folder_ / (kEnterPlace + 1);
    const Fd file = Fd::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0755);
    const ByteView bytes = enter_program();
    if (::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
        fchmod(file.get(), 0755) == 0) {
      return;
    }
    const int error = errno;
    throw SystemError(error, "cannot write '" + path.string() + "'");
  }

 private:
  void make(const std::string& path, const StackedPlace& place) const {
    const fs::path target = folder_ / path;
    const bool made = mkdir(target.c_str(), 0700) == 0;
    if (!made && errno == EEXIST) return;
    // By path: this folder is ours alone, and nothing of the image is in it.
    const bool owned =
        owners_ == Owners::ours || (made && chown(target.c_str(), place.uid, place.gid) == 0);
    // Who is not root still has to make what lies below.
    const mode_t mode = owners_ == Owners::ours ? place.mode | 0700 : place.mode;
    if (made && owned && chmod(target.c_str(), mode) == 0) return;
    const int error = errno;
    throw SystemError(error, "cannot make folder '" + target.string() + "'");
  }

  const fs::path& folder_;
  const LayerStack& stack_;
  Owners owners_;
  mutable std::unordered_set<std::string> made_;
};

bool is_in(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

}  // namespace

void make_skeleton(const fs::path& skeleton, const LayerStack& stack,
                   const std::string& working_dir, Owners owners) {
  const SkeletonMaker maker(skeleton, stack, owners);
  for (const MountPoint& point : kMountPoints) maker.mount_point(point);
  for (const std::string& path : stack.hidden_attributes()) maker.folder(path);
  if (working_dir != "/" && stack.look(working_dir.substr(1)).kind == PlaceKind::absent) {
    maker.folder(working_dir.substr(1));
  }
  maker.enter_program_file();
}

void make_image_folder(const fs::path& skeleton, const LayerStack& stack, const std::string& path,
                       Owners owners) {
  SkeletonMaker(skeleton, stack, owners).folder(path);
}

std::string working_dir_of(const std::string& configured, const LayerStack& stack) {
  if (configured.empty()) return "/";
  const auto refuse = [&](const std::string& meaning) {
    throw InputError(ErrorText{
        .message = "the image's working directory is in a file system of the kernel",
        .details = {{"WorkingDir", configured, "the image's config"}, {"that is", meaning}},
        .hint = "name a folder of the image"});
  };
  std::string plain = fs::path("/" + configured).lexically_normal().string();
  if (configured.find('\0') != std::string::npos) throw InputError("WorkingDir holds a NUL");
  // As written too: what the image itself has in /proc is not what will be mounted there.
  for (const char* folder : {"/proc", "/sys", "/dev"}) {
    if (is_in(plain, folder) || is_in("/" + configured, folder)) refuse(plain);
  }
  const std::string resolved = stack.resolve(configured);
  for (const char* folder : {"/proc", "/sys", "/dev"}) {
    if (is_in(resolved, folder)) refuse(resolved);
  }
  return resolved;
}

}  // namespace img
