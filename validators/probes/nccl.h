// SPDX-License-Identifier: Apache-2.0
// The functions of NCCL that the probes call, found by name.
#pragma once

#include "validators/probes/library.h"
#include "validators/probes/rendezvous.h"

#include <cstddef>
#include <string>

namespace probe {

/// Goes by value, as NCCL has it.
struct NcclId {
  char bytes[128];
};
static_assert(sizeof(NcclId) == sizeof(UniqueId));

/// Function pointers; nullptr where this NCCL has no such function. Communicators and streams are
/// `void*` here, enumerations `int`.
struct Nccl {
  explicit Nccl(const Library& library);

  int (*get_id)(NcclId* id);
  int (*join)(void** communicator, int ranks, NcclId id, int rank);
  int (*leave)(void* communicator);
  int (*all_reduce)(const void* from, void* to, std::size_t count, int type, int operation,
                    void* communicator, void* stream);
  const char* (*error_text)(int result);

  const char* missing() const;
};

inline constexpr int kNcclFloat32 = 7, kNcclFloat64 = 8, kNcclSum = 0, kNcclMax = 2;

}  // namespace probe
