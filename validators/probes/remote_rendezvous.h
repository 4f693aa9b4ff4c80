// SPDX-License-Identifier: Apache-2.0
// How processes on several machines find each other: over TCP at an address that all know.
#pragma once

#include "validators/probes/rendezvous.h"

#include <memory>
#include <string>

namespace probe {

/// Rank 0 listens at `host`:`port`, the others connect until it does. `host` is a name or an
/// address of rank 0's machine.
std::unique_ptr<Rendezvous> remote_rendezvous(std::string host, int port);

/// What torchrun, Slurm's examples and Kubernetes' operators set for each process.
struct Membership {
  int rank = 0, ranks = 0, local_rank = 0, local_ranks = 0;
  std::string host;
  int port = 0;  ///< of this rendezvous: MASTER_PORT + 1, since MASTER_PORT may be torchrun's
  std::string problem;  ///< what is missing or wrong; empty: nothing
};
/// From RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or of Slurm
/// SLURM_PROCID, SLURM_NTASKS and SLURM_LOCALID in place of the first three.
Membership membership_of_environment();

}  // namespace probe
