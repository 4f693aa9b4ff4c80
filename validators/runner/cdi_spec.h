// SPDX-License-Identifier: Apache-2.0
// One file of the Container Device Interface: what a vendor says that a container needs for a
// device (CDI specification 0.3.0 to 1.1.0).
#pragma once

#include "builder/base/file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace img {

struct CdiDeviceNode {
  std::string path, host_path;  ///< host_path: `path` when not given
  std::string type;             ///< "b", "c", "u", "p"; empty: as on the host
  std::optional<std::uint32_t> major, minor, file_mode, uid, gid;
  std::string permissions;  ///< of "rwm", or "none"; empty: all
};

struct CdiMount {
  std::string host_path, container_path, type;
  std::vector<std::string> options;
};

struct CdiHook {
  std::string when, path;  ///< "createContainer"; absolute path on the host
  std::vector<std::string> arguments, env;
};

struct CdiEdits {
  std::vector<std::string> env;  ///< "NAME=value"
  std::vector<CdiDeviceNode> device_nodes;
  std::vector<CdiMount> mounts;
  std::vector<CdiHook> hooks;
  std::vector<std::uint32_t> groups;
  bool intel_rdt = false, net_devices = false;  ///< there, but not what the runner does
};

struct CdiDevice {
  std::string name;
  CdiEdits edits;
};

struct CdiSpec {
  std::string file, version;
  std::string kind;  ///< "nvidia.com/gpu"
  std::vector<CdiDevice> devices;
  CdiEdits edits;  ///< needed by every one of them
};

/// `name` is the path as the user knows it; its end says whether it is JSON or YAML.
/// UnavailableError with position, value and hint for anything that the CDI specification does not
/// allow: unknown keys, keys of a later version than the file's own, wrong names and types.
CdiSpec parse_cdi_spec(std::string text, const std::string& name);

/// Names as the specification has them: "0", "GPU-4f…", "0:1".
bool is_cdi_device_name(std::string_view name);
/// "vendor.com/class"
bool is_cdi_kind(std::string_view kind);

}  // namespace img
