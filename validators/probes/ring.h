// SPDX-License-Identifier: Apache-2.0
// A ring all-reduce over shared memory: what NCCL does over links, done by processes of one
// machine.
#pragma once

#include "validators/probes/rendezvous.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace probe {

inline constexpr int kMostRanks = 64;

/// One rank's end of the shared memory. All functions give up at the deadline of the ring, or when
/// another rank has given up, and return false from then on.
class Ring {
 public:
  /// Makes or opens the memory that the id names; `problem` says why it could not. Rank 0 makes it
  /// before the rendezvous, so that whoever has the id finds it.
  static std::unique_ptr<Ring> create(int ranks, UniqueId& id, std::int64_t deadline_ns,
                                      std::string& problem);
  static std::unique_ptr<Ring> open(int rank, int ranks, const UniqueId& id,
                                    std::int64_t deadline_ns, std::string& problem);
  virtual ~Ring() = default;

  /// Everybody has opened it: takes its name away.
  virtual void forget_name() = 0;
  virtual bool barrier() = 0;
  /// Sums `values` of all ranks, in place, in 2(n-1) steps of one n-th each.
  virtual bool all_reduce(std::span<float> values) = 0;
  virtual bool all_reduce(std::span<double> values) = 0;
  /// The largest of the ranks' values, the same for all.
  virtual bool largest(double& value) = 0;
};

}  // namespace probe
