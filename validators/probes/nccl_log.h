// SPDX-License-Identifier: Apache-2.0
// Has NCCL write its log to a file of this process and finds in it how an all-reduce was done.
#pragma once

#include <cstddef>
#include <string>

namespace probe {

/// Sets NCCL's variables; before NCCL is loaded.
void write_log();
/// What NCCL wrote so far; empty when there is no log.
std::string own_log();
void remove_log();

/// "NVLS" and "SIMPLE"; empty where the log does not say.
struct NcclTuning {
  std::string algorithm, protocol;
};
/// From the last line "AllReduce: BYTES Bytes -> Algo A proto P"; A and P are names since NCCL 2.24
/// and numbers before.
NcclTuning tuning_of(const std::string& log, std::size_t bytes);

}  // namespace probe
