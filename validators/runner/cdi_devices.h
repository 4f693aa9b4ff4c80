// SPDX-License-Identifier: Apache-2.0
// Devices of this machine for a container, chosen by name from its CDI specifications.
#pragma once

#include "builder/base/file.h"
#include "validators/runner/cdi_spec.h"
#include "validators/runner/runtime_config.h"

#include <string>
#include <vector>

namespace img {

/// What a name without a kind is one of.
inline constexpr const char* kGpuKind = "nvidia.com/gpu";

/// Where specifications are; of two with the same device, that of the later folder counts.
std::vector<fs::path> cdi_folders();

struct DeviceRequest {
  /// "all", an index ("0"), a UUID ("GPU-…", "MIG-…"), any other name of a GPU in a specification,
  /// or a full name ("vendor.com/class=name").
  std::vector<std::string> names;
  std::vector<fs::path> folders = cdi_folders();
  bool rootless = false;  ///< device files are then those of the host, with their rights
};

/// UsageError for a name that no device can have.
void require_device_names(const std::vector<std::string>& names);

/// What the devices need, to be put in RunnerOptions::edits; the notes say which hooks were not
/// honoured. UnavailableError: no specification (the hint makes one), no such device (the details
/// say which there are), a specification that is broken or older than what is installed.
ContainerEdits edits_for_devices(const DeviceRequest& request);

}  // namespace img
