// SPDX-License-Identifier: Apache-2.0
// Overlay semantics by hand: topmost wins, folders merge, whiteouts and opaque folders hide.
#include "validators/runner/layer_stack.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace img {
namespace {

constexpr int kMostLinks = 40;  // as Linux allows

/// "a/b/c" → {"a/b", "c"}
std::pair<std::string, std::string> split_last(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string link_target(int folder, const std::string& name) {
  std::array<char, 4097> buffer{};
  const ssize_t size = readlinkat(folder, name.c_str(), buffer.data(), buffer.size());
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

bool is_opaque(int folder) {
  char value = 0;
  return fgetxattr(folder, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

}  // namespace

LayerStack::LayerStack(const std::vector<UnpackedLayer>& layers) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    layers_.push_back({SafeFolder(layer->tree), &layer->facts});
    if (layer->facts.hides_everything_below) return;
  }
}

LayerStack::Found LayerStack::find(const Layer& layer, const std::string& path) {
  const auto [parent, name] = split_last(path);
  const Fd folder = layer.tree.try_open(parent);
  struct stat info {};
  if (!folder ||
      fstatat(folder.get(), name.empty() ? "." : name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};
  }
  Found found;
  if (S_ISDIR(info.st_mode)) {
    const Fd self = layer.tree.try_open(path);
    found.presence = self && is_opaque(self.get()) ? Presence::opaque_folder : Presence::folder;
    found.place = {PlaceKind::folder, info.st_mode & 07777, info.st_uid, info.st_gid, {}};
  } else if (S_ISCHR(info.st_mode) && info.st_rdev == 0) {
    found.presence = Presence::hidden;
  } else if (S_ISLNK(info.st_mode)) {
    found.presence = Presence::link;
    found.place.kind = PlaceKind::link;
    found.place.target = link_target(folder.get(), name);
  } else {
    found.presence = Presence::other;
    found.place.kind = PlaceKind::other;
  }
  return found;
}

/// Of the layers that can be seen beside `folder`, those that can be seen in it: the ones below a
/// whiteout, a file or an opaque folder have nothing to say.
std::size_t LayerStack::visible_below(const std::string& folder, std::size_t visible) const {
  for (std::size_t i = 0; i < visible; ++i) {
    const Presence presence = find(layers_[i], folder).presence;
    if (presence == Presence::absent || presence == Presence::folder) continue;
    visible = presence == Presence::opaque_folder ? i + 1 : i;
  }
  return visible;
}

std::size_t LayerStack::visible_in(const std::string& folder) const {
  // From the nearest folder above that is known, one by one.
  std::size_t known = folder.size();
  auto found = visible_.find(folder);
  while (found == visible_.end() && known != 0) {
    known = folder.rfind('/', known - 1);
    if (known == std::string::npos) known = 0;
    if (known != 0) found = visible_.find(folder.substr(0, known));
  }
  std::size_t visible = found == visible_.end() ? layers_.size() : found->second;
  while (known != folder.size()) {
    known = std::min(folder.find('/', known + 1), folder.size());
    const std::string part = folder.substr(0, known);
    visible = visible_below(part, visible);
    visible_.emplace(part, visible);
  }
  return visible;
}

StackedPlace LayerStack::look(const std::string& path) const {
  const std::string parent = split_last(path).first;
  const std::size_t visible = parent.empty() ? layers_.size() : visible_in(parent);
  std::optional<StackedPlace> topmost;
  for (std::size_t i = 0; i < visible; ++i) {
    const Found found = find(layers_[i], path);
    if (found.presence == Presence::absent) continue;
    const bool is_folder =
        found.presence == Presence::folder || found.presence == Presence::opaque_folder;
    if (!is_folder) return topmost ? *topmost : found.place;
    if (!topmost) topmost = found.place;
    if (!layers_[i].facts->implied.contains(path)) return found.place;
    if (found.presence == Presence::opaque_folder) break;
  }
  return topmost.value_or(StackedPlace{});
}

std::string LayerStack::resolve(const std::string& path) const {
  const std::vector<std::string> start = split(path, '/');
  std::deque<std::string> rest(start.begin(), start.end());
  std::vector<std::string> done;
  int links = 0;
  while (!rest.empty()) {
    const std::string name = std::move(rest.front());
    rest.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(name);
    const StackedPlace place = look(join(done, "/"));
    if (place.kind == PlaceKind::other) {
      throw InputError("'" + path + "' leads through '/" + join(done, "/") +
                       "', which is no folder");
    }
    if (place.kind != PlaceKind::link) continue;
    if (++links > kMostLinks) throw InputError("'" + path + "' leads through too many links");
    if (place.target.starts_with('/')) {
      done.clear();
    } else {
      done.pop_back();
    }
    const std::vector<std::string> more = split(place.target, '/');
    rest.insert(rest.begin(), more.begin(), more.end());
  }
  return "/" + join(done, "/");
}

std::vector<std::string> LayerStack::hidden_attributes() const {
  std::set<std::string> candidates;
  for (const Layer& layer : layers_) {
    candidates.insert(layer.facts->implied.begin(), layer.facts->implied.end());
  }
  std::vector<std::string> result;
  for (const std::string& path : candidates) {
    if (is_declared_below(path)) result.push_back(path);
  }
  return result;
}

/// Only where the topmost folder is an implied one does another speak for it.
bool LayerStack::is_declared_below(const std::string& path) const {
  bool is_topmost = true;
  for (const Layer& layer : layers_) {
    const Presence presence = find(layer, path).presence;
    if (presence == Presence::absent) continue;
    if (presence != Presence::folder && presence != Presence::opaque_folder) return false;
    const bool implied = layer.facts->implied.contains(path);
    if (!implied) return !is_topmost;
    if (presence == Presence::opaque_folder) return false;
    is_topmost = false;
  }
  return false;
}

std::vector<fs::path> LayerStack::trees() const {
  std::vector<fs::path> trees;
  for (const Layer& layer : layers_) trees.push_back(layer.tree.path());
  return trees;
}

}  // namespace img
