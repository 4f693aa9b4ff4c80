// SPDX-License-Identifier: Apache-2.0
// A stand-in for libnccl.so.2: ranks are threads or processes, and meet in shared memory that their
// unique id names. Faults: nccl-abort, nccl-hang, nccl-wrong, nccl-slow, nccl-init.
#include "tests/support/fake_gpu/fake.h"

#include <algorithm>
#include <atomic>
#include <cstdio>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace {

struct Id {
  char bytes[128];
};

constexpr std::size_t kPart = 1 << 20;

struct Shared {
  std::atomic<unsigned> arrived, generation, left;
};

struct Communicator {
  std::string name;
  int ranks = 0, rank = 0;
  Shared* shared = nullptr;
  std::size_t bytes = 0;

  char* part(int of) const {
    return reinterpret_cast<char*>(shared) + 4096 + static_cast<std::size_t>(of) * kPart;
  }
  void barrier() const {
    const unsigned generation = shared->generation.load();
    if (shared->arrived.fetch_add(1) + 1 == static_cast<unsigned>(ranks)) {
      shared->arrived = 0;
      shared->generation.fetch_add(1);
      return;
    }
    while (shared->generation.load() == generation) ::sched_yield();
  }
};

/// What NCCL's tuner writes with NCCL_DEBUG=INFO.
void log_line(std::size_t bytes) {
  const char* const path = std::getenv("NCCL_DEBUG_FILE");
  if (path == nullptr) return;
  std::FILE* const file = std::fopen(path, "a");
  if (file == nullptr) return;
  std::fprintf(file,
               "host:1:2 [0] NCCL INFO AllReduce: %zu Bytes -> Algo %s proto %s "
               "channel{Lo..Hi}={0..15}\n",
               bytes, bytes > (1 << 20) ? "NVLS" : "RING", bytes > 4096 ? "SIMPLE" : "LL");
  std::fclose(file);
}

template <typename T>
void combine(const Communicator& one, const T* from, T* to, std::size_t count, bool largest) {
  const std::size_t step = kPart / sizeof(T);
  for (std::size_t at = 0; at < count; at += step) {
    const std::size_t length = std::min(step, count - at);
    std::memcpy(one.part(one.rank), from + at, length * sizeof(T));
    one.barrier();
    for (std::size_t i = 0; i < length; ++i) {
      T value = reinterpret_cast<T*>(one.part(0))[i];
      for (int rank = 1; rank < one.ranks; ++rank) {
        const T other = reinterpret_cast<T*>(one.part(rank))[i];
        value = largest ? std::max(value, other) : value + other;
      }
      to[at + i] = value;
    }
    one.barrier();
  }
}

}  // namespace

extern "C" {

int ncclGetVersion(int* version) {
  *version = 22703;
  return 0;
}
int ncclGetUniqueId(Id* id) {
  static std::atomic<int> made{0};
  std::snprintf(id->bytes, sizeof(id->bytes), "/imgcheck-fake-nccl-%d-%d",
                static_cast<int>(getpid()), made++);
  return 0;
}
int ncclCommInitRank(void** made, int ranks, Id id, int rank) {
  if (fake::has_fault("nccl-init")) return 2;
  auto* const one = new Communicator;
  one->name = id.bytes;
  one->ranks = ranks;
  one->rank = rank;
  one->bytes = 4096 + static_cast<std::size_t>(ranks) * kPart;
  const int file = ::shm_open(one->name.c_str(), O_RDWR | O_CREAT, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(one->bytes)) != 0) return 2;
  one->shared = static_cast<Shared*>(
      ::mmap(nullptr, one->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  ::close(file);
  one->barrier();
  if (rank == 0) ::shm_unlink(one->name.c_str());
  *made = one;
  return 0;
}
int ncclCommDestroy(void* communicator) {
  delete static_cast<Communicator*>(communicator);
  return 0;
}
int ncclAllReduce(const void* from, void* to, std::size_t count, int type, int operation,
                  void* communicator, void*) {
  const auto& one = *static_cast<Communicator*>(communicator);
  if (one.rank == one.ranks - 1) fake::misbehave("nccl");
  if (fake::has_fault("nccl-slow")) ::usleep(20'000);
  if (type == 7) {
    combine(one, static_cast<const float*>(from), static_cast<float*>(to), count, operation == 2);
    if (fake::has_fault("nccl-wrong") && one.rank == one.ranks - 1 && count > 200) {
      static_cast<float*>(to)[count - 1] += 1;
    }
    log_line(count * sizeof(float));
  } else if (type == 8) {
    combine(one, static_cast<const double*>(from), static_cast<double*>(to), count, operation == 2);
  } else {
    return 4;
  }
  return 0;
}
const char* ncclGetErrorString(int result) {
  if (result == 0) return "no error";
  return result == 2 ? "unhandled system error (run with NCCL_DEBUG=INFO for details)"
                     : "invalid argument";
}

}  // extern "C"
