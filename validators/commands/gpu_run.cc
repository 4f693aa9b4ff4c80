// SPDX-License-Identifier: Apache-2.0
// Says what keeps the GPU tiers from running here: no GPU, or containers that get none.

#include "validators/commands/gpu_run.h"

#include "builder/base/file.h"
#include "validators/judge/catalogue.h"

#include <algorithm>

namespace img {
namespace {

/// NVIDIA's kernel module makes this one device for all GPUs together.
constexpr const char* kControlDevice = "/dev/nvidiactl";

std::string why_blocked() {
  std::error_code error;
  if (!fs::exists(kControlDevice, error)) {
    return std::string("this machine has no NVIDIA GPU: there is no '") + kControlDevice + "'";
  }
  return "containers are started without GPUs here: run 'imgcheck-inside' in a container that "
         "docker, podman or Kubernetes gave the GPUs to";
}

}  // namespace

std::vector<CheckResult> run_gpu_tier(Tier tier, const std::vector<std::string>& ids) {
  const std::string reason = why_blocked();
  std::vector<CheckResult> results;
  for (const CheckInfo& info : catalogue()) {
    const std::string id(info.id);
    const bool wanted = ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end();
    if (info.tier == tier && wanted) results.push_back(blocked(id, tier, reason));
  }
  return results;
}

}  // namespace img
