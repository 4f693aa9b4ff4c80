// SPDX-License-Identifier: Apache-2.0
// How processes that know only their rank find each other: one gives an id, all get it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace probe {

/// What NCCL calls a unique id: bytes that rank 0 makes and everybody needs.
using UniqueId = std::array<std::uint8_t, 128>;

class Rendezvous {
 public:
  virtual ~Rendezvous() = default;
  /// Rank 0 passes its id on; the others get it in `id`. Returns when all ranks have it, or the
  /// deadline (monotonic nanoseconds) has come: then the text says who did not.
  virtual std::string meet(int rank, int ranks, UniqueId& id, std::int64_t deadline_ns) = 0;
};

/// Over files in a folder that all ranks can write. The folder is made here and removed at the end
/// of the process that made it.
std::unique_ptr<Rendezvous> file_rendezvous();
/// Over TCP on the loopback interface, a port that the system chooses.
std::unique_ptr<Rendezvous> tcp_rendezvous();

}  // namespace probe
