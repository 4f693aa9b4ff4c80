// SPDX-License-Identifier: Apache-2.0
// The config.json of a container (OCI runtime-spec): as little as a probe needs, nothing more.
#pragma once

#include "builder/base/json.h"
#include "validators/runner/runtime.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace img {

/// A symbolic link that a container needs.
struct ContainerLink {
  std::string path, target;  ///< path: absolute; target: as it is
};

/// What a device specification adds to a container (cdi_devices.h).
struct ContainerEdits {
  Json mounts = Json::array();        ///< of the runtime-spec's `mounts`
  Json devices = Json::array();       ///< of `linux.devices`
  Json device_rules = Json::array();  ///< of `linux.resources.devices`
  std::map<std::string, std::string> env;
  std::vector<std::uint32_t> groups;        ///< more groups of the process; not for who is not root
  std::vector<ContainerLink> links;         ///< made in the image by place_edits
  std::vector<std::string> linker_folders;  ///< whose libraries programs must find (place_edits)
  std::vector<std::string> library_path;    ///< put at the end of LD_LIBRARY_PATH
  std::vector<std::string> notes;           ///< what a report should say, one sentence each
};

struct ContainerProcess {
  /// [0]: absolute path in the container. Empty: the enter program alone, which ends at once.
  std::vector<std::string> arguments;
  std::vector<std::string> env;  ///< "NAME=value"
  std::string working_dir = "/";
  std::uint32_t uid = 0, gid = 0;
  bool writable_tmp = false;  ///< a fresh tmpfs on /tmp
  fs::path bundle;            ///< host folder, read-only on /.imgcheck; empty: none
};

/// Read-only root `rootfs`, own pid, network (empty), ipc, uts and mount namespaces, no
/// capabilities, no new privileges, masked and read-only paths of the kernel, limits of memory,
/// processes and descriptors, a filter of system calls that no probe needs. The first process is
/// the enter program (enter.cc), which gives the call its ids where the container has one only.
Json runtime_config(const ContainerProcess& process, const ContainerLimits& limits,
                    const RuntimeTraits& traits, const ContainerEdits& edits = {});

/// The environment of a call: the image's own (of a name that comes twice the last; entries that
/// are no variables are left out), then `unset` removed, then `added`.
std::vector<std::string> call_environment(const std::vector<std::string>& image,
                                          const std::vector<std::string>& unset,
                                          const std::map<std::string, std::string>& added);

}  // namespace img
