// SPDX-License-Identifier: Apache-2.0
// The table of libraries that may be missing, one exact pair a row, each with its reason.

#include "validators/checks/known_misses.h"

#include <array>

namespace img {
namespace {

struct KnownMiss {
  std::string_view object;  ///< soname of the object, or its file name when it has none
  std::string_view needed;
  const char* reason;
};

constexpr const char* kRdma =
    "cuFile opens this plug-in only for GPUDirect Storage over RDMA, whose libraries belong to the "
    "host's network driver";

constexpr std::array<KnownMiss, 3> kKnown{{
    {"libcufile_rdma.so.1", "libmlx5.so.1", kRdma},
    {"libcufile_rdma.so.1", "librdmacm.so.1", kRdma},
    {"libcufile_rdma.so.1", "libibverbs.so.1", kRdma},
}};

}  // namespace

bool is_brought_by_driver(std::string_view soname) {
  return soname == "libcuda.so.1" || soname == "libnvidia-ml.so.1";
}

const char* known_miss(std::string_view object_soname, std::string_view needed) {
  for (const KnownMiss& miss : kKnown) {
    if (miss.object == object_soname && miss.needed == needed) return miss.reason;
  }
  return nullptr;
}

}  // namespace img
