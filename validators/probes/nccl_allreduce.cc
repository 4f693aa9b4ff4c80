// SPDX-License-Identifier: Apache-2.0
// Runs NCCL's all-reduce over all visible GPUs, by threads, by processes, or as one process of many
// on several machines, and verifies every element.
//
//   nccl_allreduce --mode threads|processes|environment [--library FILE]… [--torch FOLDER]
//                  [--rendezvous file|tcp] [--most BYTES] [--iterations N] [--seconds N]
//
// Sizes go from 8 bytes to the plateau: a quarter of the smallest free memory, at most `--most`. A
// time is that of the slowest rank, measured by events on the GPU; bandwidths are those of
// nccl-tests. Events: library {library, path, error, stand_in}; devices {count}; rank {rank, ranks,
// bytes, elements, wrong}; result {mode, ranks, nodes, bytes, iterations, seconds_min,
// seconds_median, seconds_p99, algorithm_bandwidth, bus_bandwidth, algorithm, protocol}; failure
// {rank, error}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/cuda_driver.h"
#include "validators/probes/events.h"
#include "validators/probes/find_library.h"
#include "validators/probes/nccl.h"
#include "validators/probes/nccl_log.h"
#include "validators/probes/remote_rendezvous.h"
#include "validators/probes/rendezvous.h"

#include <climits>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr int kMostDevices = 64;
constexpr int kWarmUps = 5;
/// Values repeat with this period, which no block of a kernel has: each place can be wrong by
/// itself, and one piece of host memory serves any size.
constexpr std::size_t kPeriod = 251;
constexpr std::size_t kPiece = kPeriod * 65536;  ///< elements, 63 MiB of float32

struct Plan {
  std::string mode;
  std::string library;  ///< file of NCCL; empty: the loader's
  std::size_t most = 0;
  int iterations = 20;
  std::chrono::seconds limit{300};
};

struct Member {
  int rank = 0, ranks = 1, device = 0, nodes = 1;
  bool writes_library = false;
};

/// Whole numbers whose sums float32 holds exactly for any number of ranks that exists.
float value_of(int rank, std::size_t index) {
  const std::size_t mixed = (index * 31 + static_cast<std::size_t>(rank) * 17) % kPeriod;
  return static_cast<float>(static_cast<int>(mixed) - 125);
}

std::vector<float> own_values(int rank, std::size_t count) {
  std::vector<float> values(std::min(count, kPiece));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_of(rank, i % kPeriod);
  return values;
}

std::vector<float> sums(int ranks, std::size_t count) {
  std::array<float, kPeriod> period{};
  for (int rank = 0; rank < ranks; ++rank) {
    for (std::size_t i = 0; i < kPeriod; ++i) period[i] += value_of(rank, i);
  }
  std::vector<float> values(std::min(count, kPiece));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = period[i % kPeriod];
  return values;
}

std::mutex events_mutex;  // an event is one write, but building several must not interleave

/// One rank's work on one GPU; the first failure ends it, with its words.
class Rank {
 public:
  Rank(const CudaDriver& cuda, const Nccl& nccl, const Plan& plan, const Member& member)
      : cuda_(cuda), nccl_(nccl), plan_(plan), member_(member) {}

  std::string run(Rendezvous& rendezvous) {
    const std::int64_t deadline = monotonic_ns() + plan_.limit.count() * 1'000'000'000;
    if (!enter() || !meet(rendezvous, deadline) || !agree_on_sizes()) return problem_;
    for (std::size_t bytes : sizes_) {
      if (!measure(bytes)) return problem_;
      if (monotonic_ns() > deadline) return "the time for the all-reduce is up";
    }
    nccl_.leave(communicator_);
    return {};
  }

 private:
  bool fail(const std::string& what) {
    problem_ = "rank " + std::to_string(member_.rank) + ": " + what;
    return false;
  }
  bool check(const char* function, int rc) {
    return rc == 0 || fail(std::string(function) + ": " + cuda_.name_of(rc));
  }
  bool ask(const char* function, int rc) {
    return rc == 0 || fail(std::string(function) + ": " + nccl_.error_text(rc));
  }

  bool enter() {
    const CudaFailure failure = enter_device(cuda_, member_.device);
    if (!failure.function.empty()) return check(failure.function.c_str(), failure.code);
    return check("cuEventCreate", cuda_.create_event(&before_, 0)) &&
           check("cuEventCreate", cuda_.create_event(&after_, 0));
  }

  bool meet(Rendezvous& rendezvous, std::int64_t deadline) {
    NcclId id{};
    if (member_.rank == 0 && !ask("ncclGetUniqueId", nccl_.get_id(&id))) return false;
    UniqueId bytes{};
    std::memcpy(bytes.data(), id.bytes, sizeof(id.bytes));
    const std::string absent = rendezvous.meet(member_.rank, member_.ranks, bytes, deadline);
    if (!absent.empty()) return fail(absent);
    std::memcpy(id.bytes, bytes.data(), sizeof(id.bytes));
    return ask("ncclCommInitRank", nccl_.join(&communicator_, member_.ranks, id, member_.rank));
  }

  /// Both buffers of the plateau must fit into every GPU.
  bool agree_on_sizes() {
    std::size_t free = 0, total = 0;
    if (!check("cuMemGetInfo_v2", cuda_.memory_info(&free, &total))) return false;
    std::vector<double> smallest{-static_cast<double>(free)};
    if (!combine(smallest, kNcclMax)) return false;
    std::size_t plateau = 1 << 20;
    const auto room = static_cast<std::size_t>(-smallest[0]) / 4;
    while (plateau * 2 <= std::min(room, plan_.most)) plateau *= 2;
    // Latency, a size that no number of ranks divides, and the plateau.
    for (const std::size_t bytes : {std::size_t{8}, std::size_t{1004}, std::size_t{65536},
                                    std::size_t{1} << 20, std::size_t{64} << 20}) {
      if (bytes < plateau) sizes_.push_back(bytes);
    }
    sizes_.push_back(plateau);
    return check("cuMemAlloc_v2", cuda_.allocate(&from_, plateau)) &&
           check("cuMemAlloc_v2", cuda_.allocate(&to_, plateau));
  }

  /// The largest or the sum of every rank's numbers, by NCCL itself.
  bool combine(std::vector<double>& values, int operation) {
    const std::size_t bytes = values.size() * sizeof(double);
    DevicePointer memory = 0;
    const bool done =
        check("cuMemAlloc_v2", cuda_.allocate(&memory, bytes)) &&
        check("cuMemcpyHtoD_v2", cuda_.copy_in(memory, values.data(), bytes)) &&
        ask("ncclAllReduce",
            nccl_.all_reduce(reinterpret_cast<void*>(memory), reinterpret_cast<void*>(memory),
                             values.size(), kNcclFloat64, operation, communicator_, nullptr)) &&
        check("cuCtxSynchronize", cuda_.synchronize()) &&
        check("cuMemcpyDtoH_v2", cuda_.copy_out(values.data(), memory, bytes));
    if (memory != 0) cuda_.release(memory);
    return done;
  }

  bool reduce(std::size_t count) {
    return ask("ncclAllReduce",
               nccl_.all_reduce(reinterpret_cast<void*>(from_), reinterpret_cast<void*>(to_), count,
                                kNcclFloat32, kNcclSum, communicator_, nullptr));
  }

  bool fill(std::size_t count) {
    const std::vector<float> piece = own_values(member_.rank, count);
    for (std::size_t at = 0; at < count; at += piece.size()) {
      const std::size_t bytes = std::min(piece.size(), count - at) * sizeof(float);
      if (!check("cuMemcpyHtoD_v2",
                 cuda_.copy_in(from_ + at * sizeof(float), piece.data(), bytes))) {
        return false;
      }
    }
    return check("cuMemsetD32_v2", cuda_.set_words(to_, 0x7FC00000u, count));  // NaN
  }

  bool verify(std::size_t count) {
    const std::vector<float> right = sums(member_.ranks, count);
    std::vector<float> piece(right.size());
    std::int64_t wrong = 0;
    for (std::size_t at = 0; at < count; at += piece.size()) {
      const std::size_t length = std::min(piece.size(), count - at);
      if (!check("cuMemcpyDtoH_v2",
                 cuda_.copy_out(piece.data(), to_ + at * sizeof(float), length * sizeof(float)))) {
        return false;
      }
      for (std::size_t i = 0; i < length; ++i) wrong += piece[i] == right[i] ? 0 : 1;
    }
    const std::lock_guard lock(events_mutex);
    Event("rank")
        .integer("rank", member_.rank)
        .integer("ranks", member_.ranks)
        .integer("bytes", static_cast<std::int64_t>(count * sizeof(float)))
        .integer("elements", static_cast<std::int64_t>(count))
        .integer("wrong", wrong)
        .emit();
    return true;
  }

  /// Seconds of one all-reduce by the GPU's own clock.
  bool time_one(std::size_t count, double& seconds) {
    float milliseconds = 0;
    if (!check("cuEventRecord", cuda_.record_event(before_, nullptr)) || !reduce(count) ||
        !check("cuEventRecord", cuda_.record_event(after_, nullptr)) ||
        !check("cuEventSynchronize", cuda_.synchronize_event(after_)) ||
        !check("cuEventElapsedTime", cuda_.elapsed(&milliseconds, before_, after_))) {
      return false;
    }
    seconds = static_cast<double>(milliseconds) / 1e3;
    return true;
  }

  bool measure(std::size_t bytes) {
    const std::size_t count = bytes / sizeof(float);
    if (!fill(count)) return false;
    for (int round = 0; round < kWarmUps; ++round) {
      if (!reduce(count)) return false;
    }
    if (!check("cuCtxSynchronize", cuda_.synchronize())) return false;
    std::vector<double> seconds(static_cast<std::size_t>(plan_.iterations));
    for (double& one : seconds) {
      if (!time_one(count, one)) return false;
    }
    if (!verify(count) || !combine(seconds, kNcclMax)) return false;
    if (member_.rank == 0) report(count * sizeof(float), seconds);
    return true;
  }

  void report(std::size_t bytes, std::vector<double> seconds) const {
    std::sort(seconds.begin(), seconds.end());
    const std::size_t count = seconds.size();
    const double median =
        count % 2 == 1 ? seconds[count / 2] : (seconds[count / 2 - 1] + seconds[count / 2]) / 2;
    const double algorithm = static_cast<double>(bytes) / median;
    const NcclTuning tuning = tuning_of(own_log(), bytes);
    const std::lock_guard lock(events_mutex);
    Event("result")
        .text("mode", plan_.mode)
        .integer("ranks", member_.ranks)
        .integer("nodes", member_.nodes)
        .integer("bytes", static_cast<std::int64_t>(bytes))
        .integer("iterations", static_cast<std::int64_t>(count))
        .number("seconds_min", seconds.front())
        .number("seconds_median", median)
        .number("seconds_p99", seconds[(count * 99 - 1) / 100])
        .number("algorithm_bandwidth", algorithm)
        .number("bus_bandwidth", algorithm * 2 * (member_.ranks - 1) / member_.ranks)
        .text("algorithm", tuning.algorithm)
        .text("protocol", tuning.protocol)
        .emit();
  }

  const CudaDriver& cuda_;
  const Nccl& nccl_;
  const Plan& plan_;
  const Member member_;
  void *communicator_ = nullptr, *before_ = nullptr, *after_ = nullptr;
  DevicePointer from_ = 0, to_ = 0;
  std::vector<std::size_t> sizes_;
  std::string problem_;
};

void report_failure(int rank, const std::string& error) {
  const std::lock_guard lock(events_mutex);
  Event("failure").integer("rank", rank).text("error", error).emit();
}

/// What a process needs for its ranks; NCCL's log is on before NCCL is there.
struct Libraries {
  explicit Libraries(const Plan& plan)
      : cuda(Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)),
        nccl((write_log(), open_library(kNccl, plan.library, RTLD_NOW | RTLD_LOCAL))) {}
  ~Libraries() { remove_log(); }
  Libraries(const Libraries&) = delete;
  Libraries& operator=(const Libraries&) = delete;

  bool complete() const {
    if (const char* const symbol = nccl.missing()) {
      report_failure(0, std::string("NCCL has no '") + symbol + "'");
      return false;
    }
    return cuda.missing() == nullptr;
  }
  CudaDriver cuda;
  Nccl nccl;
};

int run_member(const Plan& plan, const Member& member, Rendezvous& rendezvous) {
  const Libraries libraries(plan);
  if (!libraries.complete()) return 0;
  const std::string problem = Rank(libraries.cuda, libraries.nccl, plan, member).run(rendezvous);
  if (problem.empty()) return 0;
  report_failure(member.rank, problem);
  return 1;
}

/// Threads of one process hand the id over by a rendezvous too: the same code for all modes.
int run_threads(const Plan& plan, int ranks, Rendezvous& rendezvous) {
  const Libraries libraries(plan);
  if (!libraries.complete()) return 0;
  std::vector<std::string> problems(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      const Member member{.rank = rank, .ranks = ranks, .device = rank};
      problems[static_cast<std::size_t>(rank)] =
          Rank(libraries.cuda, libraries.nccl, plan, member).run(rendezvous);
      // The others wait in NCCL for a rank that has given up.
      if (!problems[static_cast<std::size_t>(rank)].empty()) {
        report_failure(rank, problems[static_cast<std::size_t>(rank)]);
        remove_log();
        ::_exit(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

int count_devices() {
  const CudaDriver cuda(Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL));
  int count = 0;
  if (cuda.missing() != nullptr || cuda.init(0) != 0 || cuda.device_count(&count) != 0) return 0;
  return std::clamp(count, 0, kMostDevices);
}

void run_here(const Plan& plan, int devices, const std::string& kind) {
  const std::unique_ptr<Rendezvous> rendezvous =
      kind == "tcp" ? tcp_rendezvous() : file_rendezvous();
  const std::chrono::seconds limit = plan.limit + std::chrono::seconds(10);
  if (plan.mode == "threads") {
    report("threads", run_forked([&] { return run_threads(plan, devices, *rendezvous); }, limit));
    return;
  }
  const std::vector<ChildEnd> ends = run_group(
      devices,
      [&](int rank) {
        return run_member(plan, {.rank = rank, .ranks = devices, .device = rank}, *rendezvous);
      },
      limit);
  for (std::size_t rank = 0; rank < ends.size(); ++rank) {
    report("rank " + std::to_string(rank) + " of " + std::to_string(devices), ends[rank]);
  }
}

void run_as_member(const Plan& plan, int devices) {
  const Membership membership = membership_of_environment();
  if (!membership.problem.empty()) return report_failure(-1, membership.problem);
  const int local = membership.local_ranks > 0 ? membership.local_ranks : devices;
  // A launcher may show each process its own GPU only.
  const Member member{.rank = membership.rank,
                      .ranks = membership.ranks,
                      .device = membership.local_rank % devices,
                      .nodes = std::max(1, (membership.ranks + local - 1) / std::max(1, local))};
  const std::unique_ptr<Rendezvous> rendezvous =
      remote_rendezvous(membership.host, membership.port);
  report("rank " + std::to_string(member.rank) + " of " + std::to_string(member.ranks),
         run_forked([&] { return run_member(plan, member, *rendezvous); },
                    plan.limit + std::chrono::seconds(10)));
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(
      argc, argv, {"mode", "library", "torch", "rendezvous", "most", "iterations", "seconds"});
  Plan plan;
  plan.mode = arguments.one("mode", "threads");
  if (plan.mode != "threads" && plan.mode != "processes" && plan.mode != "environment") {
    std::fprintf(stderr, "error: unknown mode '%s'\n", plan.mode.c_str());
    return 2;
  }
  const std::string kind = arguments.one("rendezvous", "file");
  if (kind != "file" && kind != "tcp") {
    std::fprintf(stderr, "error: unknown rendezvous '%s'\n", kind.c_str());
    return 2;
  }
  plan.library = library_file(kNccl, arguments);
  plan.most = static_cast<std::size_t>(arguments.number("most", 8l << 30, 1 << 20, 1l << 40));
  plan.iterations = static_cast<int>(arguments.number("iterations", 20, 2, 1000));
  plan.limit = std::chrono::seconds(arguments.number("seconds", 280, 1, 3600));
  start("nccl_allreduce");
  const ChildEnd counted = run_forked(count_devices, std::chrono::seconds(60));
  const int devices = counted.kind == ChildEnd::Kind::exited ? counted.code : 0;
  if (counted.kind != ChildEnd::Kind::exited) report("counting the GPUs", counted);
  Event("devices").integer("count", devices).emit();
  if (plan.mode == "environment" && devices > 0) {
    run_as_member(plan, devices);
  } else if (devices > 1) {
    run_here(plan, devices, kind);
  }
  probe::end();
  return 0;
}
