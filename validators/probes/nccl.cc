// SPDX-License-Identifier: Apache-2.0
// Finds the functions of NCCL.
#include "validators/probes/nccl.h"

namespace probe {
namespace {

template <typename Function>
void find(const Library& nccl, const char* name, Function*& function) {
  function = nccl.function<Function>(name);
}

}  // namespace

Nccl::Nccl(const Library& library) {
  find(library, "ncclGetUniqueId", get_id);
  find(library, "ncclCommInitRank", join);
  find(library, "ncclCommDestroy", leave);
  find(library, "ncclAllReduce", all_reduce);
  find(library, "ncclGetErrorString", error_text);
}

const char* Nccl::missing() const {
  if (get_id == nullptr) return "ncclGetUniqueId";
  if (join == nullptr) return "ncclCommInitRank";
  if (leave == nullptr) return "ncclCommDestroy";
  if (all_reduce == nullptr) return "ncclAllReduce";
  return error_text == nullptr ? "ncclGetErrorString" : nullptr;
}

}  // namespace probe
