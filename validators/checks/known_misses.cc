// SPDX-License-Identifier: Apache-2.0
// The table of libraries that may be missing, one exact pair a row, each with its reason.

#include "validators/checks/known_misses.h"

#include <array>
#include <string>

namespace img {
namespace {

struct KnownMiss {
  std::string_view object;  ///< end of its path: file, or folders and file
  std::string_view needed;
  const char* reason;
};

constexpr const char* kRdma =
    "cuFile opens this plug-in only for GPUDirect Storage over RDMA, whose libraries belong to the "
    "host's network driver";
constexpr const char* kTransport =
    "NVSHMEM opens this transport only where the host's network has it";
constexpr const char* kBootstrap =
    "NVSHMEM opens this bootstrap only when it is started by that launcher";
constexpr const char* kTriton =
    "triton opens its plug-ins itself, in processes that have loaded libtriton.so";
constexpr const char* kFortran =
    "the wheel of torch ships this file without what it needs, and nothing in it needs the file";

// cuFile 1.13 and 1.17, NVSHMEM 3.7, triton 3.9 and torch 2.15, as published for Linux x86-64.
constexpr std::array<KnownMiss, 16> kKnown{{
    {"libcufile_rdma.so.1", "libmlx5.so.1", kRdma},
    {"libcufile_rdma.so.1", "librdmacm.so.1", kRdma},
    {"libcufile_rdma.so.1", "libibverbs.so.1", kRdma},
    {"nvidia/nvshmem/lib/nvshmem_bootstrap_mpi.so.3", "libmpi.so.40", kBootstrap},
    {"nvidia/nvshmem/lib/nvshmem_bootstrap_pmix.so.3", "libpmix.so.2", kBootstrap},
    {"nvidia/nvshmem/lib/nvshmem_bootstrap_shmem.so.3", "liboshmem.so.40", kBootstrap},
    {"nvidia/nvshmem/lib/nvshmem_transport_gpunetio.so.6", "libmlx5.so.1", kTransport},
    {"nvidia/nvshmem/lib/nvshmem_transport_ibdevx.so.6", "libmlx5.so.1", kTransport},
    {"nvidia/nvshmem/lib/nvshmem_transport_ibgda.so.6", "libmlx5.so.1", kTransport},
    {"nvidia/nvshmem/lib/nvshmem_transport_libfabric.so.6", "libfabric.so.1", kTransport},
    {"nvidia/nvshmem/lib/nvshmem_transport_ucx.so.6", "libucs.so.0", kTransport},
    {"nvidia/nvshmem/lib/nvshmem_transport_ucx.so.6", "libucp.so.0", kTransport},
    {"triton/plugins/libMLIRDialectPlugin.so", "libtriton.so", kTriton},
    {"triton/plugins/libMLIRDialectPlugin.so.24.0git", "libtriton.so", kTriton},
    {"triton/plugins/libTritonPluginsTestLib.so", "libtriton.so", kTriton},
    {"torch/lib/libgfortran.so.5", "libquadmath.so.0", kFortran},
}};

}  // namespace

bool is_brought_by_driver(std::string_view soname) {
  return soname == "libcuda.so.1" || soname == "libnvidia-ml.so.1";
}

const char* known_miss(std::string_view path, std::string_view needed) {
  for (const KnownMiss& miss : kKnown) {
    if (miss.needed == needed && path.ends_with("/" + std::string(miss.object))) {
      return miss.reason;
    }
  }
  return nullptr;
}

}  // namespace img
