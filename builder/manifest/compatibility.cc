// SPDX-License-Identifier: Apache-2.0
// Answers of the compatibility table: releases, GPUs, drivers, and whose code runs where.
#include "builder/manifest/compatibility.h"

#include "builder/base/text.h"
#include "builder/manifest/compatibility_data.h"

#include <algorithm>

namespace img {

std::optional<ComputeCapability> parse_compute_capability(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  if (parts.size() != 2) return std::nullopt;
  const auto major = parse_decimal(parts[0]);
  const auto minor = parse_decimal(parts[1]);
  if (!major || !minor || *major > 99 || *minor > 9) return std::nullopt;
  return ComputeCapability(static_cast<int>(*major), static_cast<int>(*minor));
}

std::string to_string(ComputeCapability capability) {
  return std::to_string(capability.first) + "." + std::to_string(capability.second);
}

int compare_dotted(std::string_view left, std::string_view right) {
  const std::vector<std::string> lefts = split(left, '.');
  const std::vector<std::string> rights = split(right, '.');
  for (std::size_t at = 0; at < std::max(lefts.size(), rights.size()); ++at) {
    const std::string a = at < lefts.size() ? lefts[at] : "0";
    const std::string b = at < rights.size() ? rights[at] : "0";
    const auto number_a = parse_decimal(a);
    const auto number_b = parse_decimal(b);
    if (number_a && number_b) {
      if (*number_a != *number_b) return *number_a < *number_b ? -1 : 1;
    } else if (a != b) {
      return a < b ? -1 : 1;
    }
  }
  return 0;
}

const TorchVariant* TorchRelease::find_cuda(std::string_view cuda) const {
  for (const TorchVariant& variant : variants) {
    if (variant.cuda == cuda || variant.name == cuda) return &variant;
  }
  return nullptr;
}

const TorchVariant* TorchRelease::default_variant() const {
  for (const TorchVariant& variant : variants) {
    if (variant.is_default) return &variant;
  }
  return nullptr;
}

bool TorchVariant::is_verified(std::string_view key) const {
  return std::any_of(verified.begin(), verified.end(), [key](const Verified& proof) {
    return std::find(proof.values.begin(), proof.values.end(), key) != proof.values.end();
  });
}

std::string TorchRelease::triton_of(std::string_view version) const {
  const auto patch = triton_by_patch.find(std::string(version.substr(0, version.find('+'))));
  return patch == triton_by_patch.end() ? triton : patch->second;
}

bool SdpaRule::fits(std::string_view torch, std::string_view cuda, ComputeCapability device) const {
  const std::string_view version = torch.substr(0, torch.find('+'));
  return compare_dotted(version, torch_from) >= 0 &&
         (torch_to.empty() || compare_dotted(version, torch_to) <= 0) &&
         (cuda_from.empty() || compare_dotted(cuda, cuda_from) >= 0) &&
         (cuda_to.empty() || compare_dotted(cuda, cuda_to) <= 0) && device >= compute_from &&
         device <= compute_to;
}

const TorchRelease* Compatibility::find_torch(std::string_view version) const {
  const std::vector<std::string> parts = split(version.substr(0, version.find('+')), '.');
  if (parts.size() < 2) return nullptr;
  const std::string wanted = parts[0] + "." + parts[1];
  for (const TorchRelease& release : torch) {
    if (release.release == wanted) return &release;
  }
  return nullptr;
}

const GpuModel* Compatibility::find_gpu(std::string_view name) const {
  for (const GpuModel& gpu : gpus) {
    if (gpu.name == name) return &gpu;
  }
  return nullptr;
}

std::vector<std::string> Compatibility::gpu_names() const {
  std::vector<std::string> names;
  for (const GpuModel& gpu : gpus) names.push_back(gpu.name);
  return names;
}

std::string Compatibility::driver_floor_of(std::string_view cuda) const {
  const auto floor = driver_floor.find(std::string(cuda.substr(0, cuda.find('.'))));
  return floor == driver_floor.end() ? std::string() : floor->second;
}

bool Compatibility::code_runs_on(ComputeCapability code, ComputeCapability device) const {
  if (code.first != device.first || code.second > device.second) return false;
  return std::find(does_not_run.begin(), does_not_run.end(), std::pair(code, device)) ==
         does_not_run.end();
}

std::optional<bool> Compatibility::covers(const TorchVariant& variant,
                                          ComputeCapability device) const {
  if (variant.compute.empty() && variant.ptx.empty()) return std::nullopt;
  const bool by_code =
      std::any_of(variant.compute.begin(), variant.compute.end(),
                  [&](ComputeCapability code) { return code_runs_on(code, device); });
  const bool by_ptx = std::any_of(variant.ptx.begin(), variant.ptx.end(),
                                  [&](ComputeCapability ptx) { return ptx <= device; });
  return by_code || by_ptx;
}

const SdpaRule* Compatibility::expected_sdpa(std::string_view version, const TorchVariant& variant,
                                             ComputeCapability device) const {
  for (const SdpaRule& rule : sdpa) {
    if (rule.fits(version, variant.cuda, device)) return &rule;
  }
  return nullptr;
}

std::string Compatibility::packaged_driver_of(const TorchVariant& variant) const {
  const std::string& toolkit = variant.toolkit.empty() ? variant.cuda : variant.toolkit;
  for (const auto& [version, driver] : toolkit_driver) {
    if (compare_dotted(version, toolkit) == 0) return driver;
  }
  return {};
}

const Compatibility& builtin_compatibility() {
  static const Compatibility table =
      parse_compatibility(std::string(compatibility_yaml()), "manifests/compatibility.yaml");
  return table;
}

}  // namespace img
