// SPDX-License-Identifier: Apache-2.0
// The checks of the GPU tiers, one function each, and what they know of the devices.
#pragma once

#include "validators/judge/container_checks.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace img {

struct GpuDevice {
  std::int64_t index = 0;
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  std::uint64_t memory = 0;  ///< bytes
};

/// What the run of `gpu_state` says; every field may be absent.
struct GpuState {
  std::string why_none;  ///< why there is no GPU to work with; empty: there is one
  std::vector<GpuDevice> devices;
};
GpuState read_gpu_state(const ProbeRun* run);

/// "9.0"
std::string capability_text(const GpuDevice& device);

// Each judges the usable ones among its runs.
Judgement judge_driver_floor(const ContainerInput& input);
Judgement judge_gpu_health(const ContainerInput& input);
Judgement judge_gpu_memory(const ContainerInput& input);
Judgement judge_first_kernel(const ContainerInput& input);
Judgement judge_convolution(const ContainerInput& input);
Judgement judge_flash_attention(const ContainerInput& input);
Judgement judge_efficient_attention(const ContainerInput& input);
Judgement judge_cudnn_attention(const ContainerInput& input);
Judgement judge_attention_choice(const ContainerInput& input);
Judgement judge_gpu_cold_start(const ContainerInput& input);
Judgement judge_nccl_all_reduce(const ContainerInput& input);

}  // namespace img
