// SPDX-License-Identifier: Apache-2.0
// Sums numbers over several processes and checks every one: the harness of a GPU all-reduce with
// shared memory in the place of GPUs and links.
//
//   allreduce --rendezvous file|tcp [--ranks N] [--seconds N] [--absent RANK]
//
// Events: result {transport, stand_in, ranks, type, bytes, elements_checked, wrong, iterations,
// seconds_min, seconds_median, seconds_p99, algorithm_bandwidth, bus_bandwidth}; failure {ranks,
// rank, error}; child. Bandwidths are bytes (10^0) a second.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/rendezvous.h"
#include "validators/probes/ring.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace probe {
namespace {

constexpr int kWarmUps = 2;
/// Latency, a size that no number of ranks divides, one piece and a bit, and the plateau.
constexpr std::array<std::size_t, 4> kBytes{8, 1000, (1 << 20) + 8, 8 << 20};

int iterations_for(std::size_t bytes) { return bytes > (1 << 20) ? 5 : 20; }

/// Values repeat after so many elements: a prime, so that no piece or part starts like another.
constexpr std::size_t kPeriod = 251;
using Pattern = std::array<double, kPeriod>;

/// Whole numbers that differ between neighbours, ranks and rounds; sums of them are exact.
Pattern values_of(int rank, int round) {
  Pattern pattern{};
  for (std::size_t i = 0; i < kPeriod; ++i) {
    pattern[i] = static_cast<double>((i * 31 + static_cast<std::size_t>(rank) * 17 +
                                      static_cast<std::size_t>(round) * 7) %
                                     kPeriod) -
                 125;
  }
  return pattern;
}

Pattern sums_of(int ranks, int round) {
  Pattern sums{};
  for (int rank = 0; rank < ranks; ++rank) {
    const Pattern values = values_of(rank, round);
    for (std::size_t i = 0; i < kPeriod; ++i) sums[i] += values[i];
  }
  return sums;
}

template <typename T>
void fill(std::vector<T>& values, const Pattern& pattern) {
  std::size_t at = 0;
  for (T& value : values) {
    value = static_cast<T>(pattern[at]);
    at = at + 1 == kPeriod ? 0 : at + 1;
  }
}

template <typename T>
std::int64_t count_wrong(const std::vector<T>& values, const Pattern& expected) {
  std::int64_t wrong = 0;
  std::size_t at = 0;
  for (const T value : values) {
    if (value != static_cast<T>(expected[at])) ++wrong;
    at = at + 1 == kPeriod ? 0 : at + 1;
  }
  return wrong;
}

struct Measured {
  std::vector<double> seconds;  ///< of the slowest rank, each iteration
  std::int64_t wrong = 0, checked = 0;
};

template <typename T>
bool measure(Ring& ring, int rank, int ranks, std::size_t bytes, Measured& measured) {
  std::vector<T> values(bytes / sizeof(T));
  for (int round = 0; round < kWarmUps + iterations_for(bytes); ++round) {
    fill(values, values_of(rank, round));
    if (!ring.barrier()) return false;
    const std::int64_t began = monotonic_ns();
    if (!ring.all_reduce(std::span<T>(values))) return false;
    double seconds = static_cast<double>(monotonic_ns() - began) / 1e9;
    if (!ring.largest(seconds)) return false;
    if (round >= kWarmUps) measured.seconds.push_back(seconds);
    measured.wrong += count_wrong(values, sums_of(ranks, round));
    measured.checked += static_cast<std::int64_t>(values.size());
  }
  return true;
}

/// The count of the rank with most wrong elements: one wrong anywhere must be seen.
bool worst_count(Ring& ring, std::int64_t& count) {
  auto value = static_cast<double>(count);
  if (!ring.largest(value)) return false;
  count = static_cast<std::int64_t>(value);
  return true;
}

void report_result(int ranks, const char* type, std::size_t bytes, Measured& measured) {
  std::sort(measured.seconds.begin(), measured.seconds.end());
  const std::size_t count = measured.seconds.size();
  const double median = count % 2 == 1
                            ? measured.seconds[count / 2]
                            : (measured.seconds[count / 2 - 1] + measured.seconds[count / 2]) / 2;
  const double algorithm = static_cast<double>(bytes) / median;
  const double factor = 2.0 * (ranks - 1) / ranks;
  Event("result")
      .text("transport", "shared memory")
      .flag("stand_in", true)
      .integer("ranks", ranks)
      .text("type", type)
      .integer("bytes", static_cast<std::int64_t>(bytes))
      .integer("elements_checked", measured.checked)
      .integer("wrong", measured.wrong)
      .integer("iterations", static_cast<std::int64_t>(count))
      .number("seconds_min", measured.seconds.front())
      .number("seconds_median", median)
      .number("seconds_p99", measured.seconds[(count * 99 - 1) / 100])
      .number("algorithm_bandwidth", algorithm)
      .number("bus_bandwidth", algorithm * factor)
      .emit();
}

template <typename T>
bool run_type(Ring& ring, int rank, int ranks, const char* type) {
  for (const std::size_t bytes : kBytes) {
    Measured measured;
    if (!measure<T>(ring, rank, ranks, bytes, measured)) return false;
    if (!worst_count(ring, measured.wrong)) return false;
    if (rank == 0) report_result(ranks, type, bytes, measured);
  }
  return true;
}

int fail(int rank, int ranks, const std::string& error) {
  Event("failure").integer("ranks", ranks).integer("rank", rank).text("error", error).emit();
  return 1;
}

int run_rank(int rank, int ranks, Rendezvous& rendezvous, std::chrono::seconds limit) {
  const std::int64_t deadline = monotonic_ns() + limit.count() * 1'000'000'000;
  UniqueId id{};
  std::string problem;
  std::unique_ptr<Ring> ring;
  if (rank == 0) {
    ring = Ring::create(ranks, id, deadline, problem);
    if (ring == nullptr) return fail(rank, ranks, problem);
  }
  problem = rendezvous.meet(rank, ranks, id, deadline);
  if (!problem.empty()) return fail(rank, ranks, problem);
  if (rank != 0) {
    ring = Ring::open(rank, ranks, id, deadline, problem);
    if (ring == nullptr) return fail(rank, ranks, problem);
  }
  if (!ring->barrier()) return fail(rank, ranks, "not all ranks opened the shared memory");
  ring->forget_name();
  if (!run_type<float>(*ring, rank, ranks, "float32") ||
      !run_type<double>(*ring, rank, ranks, "float64")) {
    return fail(rank, ranks, "a neighbour did not answer in time");
  }
  return 0;
}

void run_ranks(int ranks, const std::string& kind, long absent, std::chrono::seconds limit) {
  const std::unique_ptr<Rendezvous> rendezvous =
      kind == "tcp" ? tcp_rendezvous() : file_rendezvous();
  const std::vector<ChildEnd> ends = run_group(
      ranks,
      [&](int rank) { return rank == absent ? 0 : run_rank(rank, ranks, *rendezvous, limit); },
      limit + std::chrono::seconds(5));
  for (int rank = 0; rank < ranks; ++rank) {
    report("rank " + std::to_string(rank) + " of " + std::to_string(ranks),
           ends[static_cast<std::size_t>(rank)]);
  }
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"rendezvous", "ranks", "seconds", "absent"});
  const std::string kind = arguments.one("rendezvous", "file");
  if (kind != "file" && kind != "tcp") {
    std::fprintf(stderr, "error: unknown rendezvous '%s'\n", kind.c_str());
    return 2;
  }
  const long only = arguments.number("ranks", 0, 1, kMostRanks);
  const long absent = arguments.number("absent", -1, 0, kMostRanks);
  const std::chrono::seconds limit(arguments.number("seconds", 30, 1, 3600));
  start("allreduce");
  for (const int ranks : {2, 3, 4}) {
    if (only == 0) run_ranks(ranks, kind, absent, limit);
  }
  if (only != 0) run_ranks(static_cast<int>(only), kind, absent, limit);
  probe::end();
  return 0;
}
