// SPDX-License-Identifier: Apache-2.0
// Reads the machine's specifications, chooses devices and turns their edits into ours.
#include "validators/runner/cdi_devices.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "validators/runner/cdi_hooks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

namespace img {
namespace {

constexpr const char* kMakeSpecification = "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml";
constexpr const char* kMakeWithUuids =
    "nvidia-ctk cdi generate --device-name-strategy=index --device-name-strategy=uuid "
    "--output=/etc/cdi/nvidia.yaml";
constexpr std::uint64_t kMostBytes = 1 << 20;

struct FullName {
  std::string kind, name;
  std::string text() const { return kind + "=" + name; }
};

FullName full_name(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {kGpuKind, text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

/// All specifications of some folders.
class Registry {
 public:
  explicit Registry(const std::vector<fs::path>& folders) : folders_(folders) {
    for (std::size_t i = 0; i < folders.size(); ++i) read_folder(folders[i], i);
  }

  struct Device {
    const CdiSpec* spec;
    const CdiDevice* device;
  };

  /// More than one for "all" where no device has that name.
  std::vector<Device> find(const FullName& wanted) const {
    if (const auto device = one(wanted)) return {*device};
    if (wanted.name == "all") {
      const std::vector<Device> devices = all_of(wanted.kind);
      if (!devices.empty()) return devices;
    }
    // nvidia-ctk has names with their type too ("gpu0").
    if (parse_decimal(wanted.name)) {
      if (const auto device = one({wanted.kind, "gpu" + wanted.name})) return {*device};
    }
    fail(wanted);
  }

  /// Files that cannot be read though no device of them was asked for.
  std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    for (const UnavailableError& error : broken_) {
      const auto& position = error.text().position;
      notes.push_back("a CDI specification is left out: " +
                      (position ? position->file + ":" + std::to_string(position->line) + ": "
                                : std::string()) +
                      error.text().message);
    }
    return notes;
  }

 private:
  struct Entry {
    std::size_t folder;
    Device device;
    const CdiSpec* conflict = nullptr;  // another of the same folder
  };

  void read_folder(const fs::path& folder, std::size_t index) {
    struct stat info {};
    if (stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return;
    for (const std::string& name : sorted_names(folder)) {
      if (!name.ends_with(".json") && !name.ends_with(".yaml")) continue;
      try {
        const fs::path file = folder / name;
        specs_.push_back(
            std::make_unique<CdiSpec>(parse_cdi_spec(read_specification(file), file.string())));
        add(*specs_.back(), index);
      } catch (const UnavailableError& error) {
        broken_.push_back(error);
      }
    }
  }

  static std::string read_specification(const fs::path& file) {
    try {
      return read_file(file, kMostBytes);
    } catch (const Error& error) {
      throw UnavailableError(error.text());
    }
  }

  void add(const CdiSpec& spec, std::size_t folder) {
    for (const CdiDevice& device : spec.devices) {
      const Entry entry{folder, {&spec, &device}};
      const auto [found, is_new] = entries_.emplace(std::pair(spec.kind, device.name), entry);
      if (is_new) continue;
      if (found->second.folder == folder) {
        found->second.conflict = &spec;
      } else {
        found->second = entry;
      }
    }
  }

  std::optional<Device> one(const FullName& name) const {
    const auto found = entries_.find({name.kind, name.name});
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    if (entry.conflict != nullptr) {
      throw UnavailableError(
          ErrorText{.message = "two CDI specifications have the device '" + name.text() + "'",
                    .details = {{"one", entry.device.spec->file}, {"other", entry.conflict->file}},
                    .hint = "remove one of them"});
    }
    return entry.device;
  }

  std::vector<Device> all_of(const std::string& kind) const {
    std::vector<Device> devices;
    for (const auto& [name, entry] : entries_) {
      if (name.first == kind) devices.push_back(*one({kind, name.second}));
    }
    return devices;
  }

  [[noreturn]] void fail(const FullName& wanted) const {
    // A broken file may be the one that has it.
    if (!broken_.empty()) throw UnavailableError(broken_.front());
    const bool is_gpu = wanted.kind == kGpuKind;
    std::vector<std::string> places;
    for (const fs::path& folder : folders_) places.push_back(folder.string());
    ErrorText text{.details = {{"wanted", wanted.text()}, {"searched", join(places, ", ")}}};
    std::vector<std::string> same_kind, all;
    for (const auto& [name, entry] : entries_) {
      all.push_back(name.first + "=" + name.second);
      if (name.first == wanted.kind) same_kind.push_back(name.second);
    }
    if (same_kind.empty()) {
      text.message = "there is no CDI specification of " +
                     (is_gpu ? "GPUs" : "'" + wanted.kind + "'") + " on this machine";
      if (!all.empty()) text.details.push_back({"there are", join(all, ", ")});
      if (is_gpu) text.hint = kMakeSpecification;
    } else {
      text.message = "the CDI specification has no device '" + wanted.name + "'";
      text.details.push_back({"there are", join(same_kind, ", ")});
      const auto near = did_you_mean(wanted.name, same_kind);
      const bool uuid = wanted.name.starts_with("GPU-") || wanted.name.starts_with("MIG-");
      if (near) {
        text.hint = "did you mean '" + *near + "'?";
      } else if (is_gpu) {
        text.hint = uuid ? kMakeWithUuids : kMakeSpecification;
      }
    }
    throw UnavailableError(std::move(text));
  }

  std::vector<fs::path> folders_;
  std::vector<std::unique_ptr<CdiSpec>> specs_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;
  std::vector<UnavailableError> broken_;
};

/// Turns edits of specifications into edits of containers; the last one of a path counts.
class EditMerger {
 public:
  explicit EditMerger(bool rootless) : rootless_(rootless) {}

  void add(const CdiEdits& edits, const std::string& file) {
    file_ = file;
    for (const std::string& entry : edits.env) {
      const std::size_t equals = entry.find('=');
      result_.env.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    for (const CdiDeviceNode& node : edits.device_nodes) add_device(node);
    for (const CdiMount& mount : edits.mounts) add_mount(mount);
    for (const CdiHook& hook : edits.hooks) honour_hook(hook, result_);
    for (const std::uint32_t group : edits.groups) add_group(group);
    if (edits.intel_rdt) note("cache and memory bandwidth of a device (intelRdt) are not set");
    if (edits.net_devices) note("network devices of a device are left out: there is no network");
  }

  ContainerEdits take() {
    // Folders before what is in them.
    std::vector<std::pair<std::string, Json>> mounts(mounts_.begin(), mounts_.end());
    std::stable_sort(mounts.begin(), mounts.end(), [](const auto& a, const auto& b) {
      return std::count(a.first.begin(), a.first.end(), '/') <
             std::count(b.first.begin(), b.first.end(), '/');
    });
    for (auto& [place, mount] : mounts) result_.mounts.push_back(std::move(mount));
    for (auto& [path, device] : devices_) result_.devices.push_back(std::move(device));
    for (auto& [path, rule] : rules_) result_.device_rules.push_back(std::move(rule));
    if (rootless_ && has_devices_) {
      note("device files in the container are this machine's own, with the rights of this user");
    }
    return std::move(result_);
  }

 private:
  void note(const std::string& text) {
    auto& notes = result_.notes;
    if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
  }

  [[noreturn]] void fail(const std::string& message, const std::string& value) const {
    throw UnavailableError(
        ErrorText{.message = message,
                  .details = {{"path", value}, {"specification", file_}},
                  .hint = "make the specification again, e.g. " + std::string(kMakeSpecification)});
  }

  void add_group(std::uint32_t group) {
    if (rootless_)
      return note("a device asks for group " + std::to_string(group) +
                  ", which only root can give");
    auto& groups = result_.groups;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }

  void add_device(const CdiDeviceNode& node) {
    if (!node.path.starts_with("/dev/")) {
      fail("the CDI specification wants a device file outside of /dev", node.path);
    }
    struct stat info {};
    if (lstat(node.host_path.c_str(), &info) != 0) {
      fail("a device file of the CDI specification is not there", node.host_path);
    }
    const char type = S_ISCHR(info.st_mode)    ? 'c'
                      : S_ISBLK(info.st_mode)  ? 'b'
                      : S_ISFIFO(info.st_mode) ? 'p'
                                               : ' ';
    const char wanted = node.type.empty() ? type : node.type == "u" ? 'c' : node.type.front();
    if (type == ' ' || type != wanted) {
      fail("a device file of the CDI specification is of another type", node.host_path);
    }
    has_devices_ = true;
    devices_.erase(node.path);
    rules_.erase(node.path);
    mounts_.erase(node.path);
    if (rootless_) {
      // Only root makes device files; the host's own is mounted, where its rights allow to use it.
      mounts_[node.path] = {{"destination", node.path},
                            {"type", "bind"},
                            {"source", node.host_path},
                            {"options", {"bind"}}};
      return;
    }
    Json device = {{"path", node.path}, {"type", std::string(1, type)}};
    if (type != 'p') {
      // The specification's numbers may be of another start of the machine.
      device["major"] = major(info.st_rdev);
      device["minor"] = minor(info.st_rdev);
      add_rule(node, type, info.st_rdev);
    }
    if (node.file_mode) device["fileMode"] = *node.file_mode;
    if (node.uid) device["uid"] = *node.uid;
    if (node.gid) device["gid"] = *node.gid;
    devices_[node.path] = std::move(device);
  }

  void add_rule(const CdiDeviceNode& node, char type, dev_t number) {
    if (node.permissions == "none") return;
    std::string access = node.permissions.empty() ? "rw" : node.permissions;
    std::erase(access, 'm');  // nobody in a container of ours has the right to make device files
    if (access.empty()) return;
    rules_[node.path] = {{"allow", true},
                         {"type", std::string(1, type)},
                         {"major", major(number)},
                         {"minor", minor(number)},
                         {"access", access}};
  }

  void add_mount(const CdiMount& mount) {
    struct statvfs system {};
    if (statvfs(mount.host_path.c_str(), &system) != 0) {
      fail("a file of the CDI specification is not there", mount.host_path);
    }
    const auto has = [&](const char* option) {
      return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
    };
    // Read-only whatever the specification says, and without what is mounted further below.
    Json options = {"bind", "ro", "nosuid", "nodev", "rprivate"};
    // Whoever is not root cannot take away what the file system has.
    if (has("noexec") || (system.f_flag & ST_NOEXEC) != 0) options.push_back("noexec");
    if (has("rw")) note("'" + printable(mount.container_path) + "' of a device is read-only");
    mounts_[mount.container_path] = {{"destination", mount.container_path},
                                     {"type", "bind"},
                                     {"source", mount.host_path},
                                     {"options", std::move(options)}};
  }

  bool rootless_;
  bool has_devices_ = false;
  std::string file_;
  std::map<std::string, Json> mounts_, devices_, rules_;  // by path in the container
  ContainerEdits result_;
};

}  // namespace

std::vector<fs::path> cdi_folders() { return {"/etc/cdi", "/var/run/cdi"}; }

void require_device_names(const std::vector<std::string>& names) {
  for (const std::string& text : names) {
    const FullName name = full_name(text);
    if (is_cdi_kind(name.kind) && is_cdi_device_name(name.name)) continue;
    throw UsageError(ErrorText{
        .message = "'" + printable(text) + "' is no name of a GPU",
        .hint = "use all, an index (0), a UUID (GPU-…, MIG-…) or a full name (vendor.com/class=x), "
                "several with commas"});
  }
}

ContainerEdits edits_for_devices(const DeviceRequest& request) {
  const Registry registry(request.folders);
  EditMerger merger(request.rootless);
  std::set<const CdiSpec*> specs;
  std::set<const CdiDevice*> devices;
  for (const std::string& text : request.names) {
    for (const auto& [spec, device] : registry.find(full_name(text))) {
      // What all devices of a file need comes once, and before what one of them changes.
      if (specs.insert(spec).second) merger.add(spec->edits, spec->file);
      if (devices.insert(device).second) merger.add(device->edits, spec->file);
    }
  }
  ContainerEdits edits = merger.take();
  for (std::string& note : registry.notes()) edits.notes.push_back(std::move(note));
  return edits;
}

}  // namespace img
