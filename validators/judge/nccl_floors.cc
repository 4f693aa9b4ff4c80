// SPDX-License-Identifier: Apache-2.0
// The table of bandwidths; the more special name of a GPU stands before the more general one.
#include "validators/judge/nccl_floors.h"

namespace img {
namespace {

constexpr std::uint64_t kMiB = 1ull << 20;
constexpr std::uint64_t kGiB = 1ull << 30;

constexpr std::string_view kMlEngineering = "stas00/ml-engineering network/README.md";
constexpr std::string_view kClusterHealth =
    "GoogleCloudPlatform/cluster-health-scanner helm values, the lowest of its machines";

}  // namespace

const std::vector<BandwidthReference>& bandwidth_references() {
  // Demands of a provider's acceptance test where there is one, else what was measured. NVLS lifts
  // bandwidth only from some number of ranks on, so that the numbers are no multiples.
  static const std::vector<BandwidthReference> kReferences{
      {"H100 NVL", 2, 1, kGiB, 208, "Azure/azurehpc-health-checks conf/nc80adis_h100_v5.conf"},
      {"H100 PCIe", 2, 1, kGiB, 116, "NVIDIA/nccl#1161 (with a bridge)"},
      {"H100 80GB HBM3", 8, 1, 8 * kGiB, 460,
       "Azure/azurehpc-health-checks conf/nd96isr_h100_v5.conf"},
      {"H100 80GB HBM3", 16, 2, 8 * kGiB, 60, kClusterHealth},
      {"H200", 4, 1, 8 * kGiB, 363, kMlEngineering},
      {"H200", 5, 1, 8 * kGiB, 414, kMlEngineering},
      {"H200", 6, 1, 8 * kGiB, 436, kMlEngineering},
      {"H200", 7, 1, 8 * kGiB, 460, kMlEngineering},
      {"H200", 8, 1, 8 * kGiB, 473, kMlEngineering},
      {"H200", 16, 2, 8 * kGiB, 250, kClusterHealth},
      {"GB200", 8, 2, 8 * kGiB, 160, kClusterHealth},
      {"B200", 4, 1, 8 * kGiB, 673, kMlEngineering},
      {"B200", 8, 1, 16 * kMiB, 255, kMlEngineering},
      {"B200", 8, 1, 256 * kMiB, 646, kMlEngineering},
      {"B200", 8, 1, 4 * kGiB, 741, kMlEngineering},
      {"B200", 8, 1, 8 * kGiB, 838, kMlEngineering},
      {"B200", 16, 2, 8 * kGiB, 250, kClusterHealth},
      {"A100-SXM", 8, 1, 8 * kGiB, 228, "Azure/azurehpc-health-checks conf/nd96asr_v4.conf"},
      {"A100 80GB PCIe", 2, 1, kGiB, 193, "Azure/azurehpc-health-checks conf/nc48ads_a100_v4.conf"},
      {"A100 80GB PCIe", 4, 1, kGiB, 25, "Azure/azurehpc-health-checks conf/nc96ads_a100_v4.conf"},
      {"V100-SXM2", 8, 1, kGiB, 110, "Azure/azurehpc-health-checks conf/nd40rs_v2.conf"},
      {"RTX 5090", 4, 1, kGiB, 35, "NVIDIA/nccl#1639"},
      {"RTX 5090", 8, 1, kGiB, 28, "NVIDIA/nccl#1639"},
  };
  return kReferences;
}

const BandwidthReference* find_reference(std::string_view gpu, int ranks, int nodes,
                                         std::uint64_t bytes) {
  const BandwidthReference* best = nullptr;
  std::string_view name;
  for (const BandwidthReference& one : bandwidth_references()) {
    if (gpu.find(one.gpu) == std::string_view::npos) continue;
    // The first name that fits is the GPU's: "GB200" holds "B200" too.
    if (name.empty()) name = one.gpu;
    if (one.gpu != name || one.ranks != ranks || one.nodes != nodes || one.bytes > bytes) continue;
    if (best == nullptr || one.bytes > best->bytes) best = &one;
  }
  return best;
}

}  // namespace img
