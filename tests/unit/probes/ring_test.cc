// SPDX-License-Identifier: Apache-2.0
// Tests of rendezvous and ring over real processes.
#include "validators/probes/ring.h"

#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/rendezvous.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace probe {
namespace {

std::int64_t in_seconds(int seconds) {
  return monotonic_ns() + std::int64_t{seconds} * 1'000'000'000;
}

/// Runs `body` in each rank once all have the ring; 1 for a rank that could not meet.
std::vector<ChildEnd> with_ring(int ranks, Rendezvous& rendezvous, int absent, int seconds,
                                const std::function<int(Ring&, int)>& body) {
  return run_group(
      ranks,
      [&](int rank) {
        if (rank == absent) return 0;
        const std::int64_t deadline = in_seconds(seconds);
        UniqueId id{};
        std::string problem;
        std::unique_ptr<Ring> ring;
        if (rank == 0) ring = Ring::create(ranks, id, deadline, problem);
        if (!rendezvous.meet(rank, ranks, id, deadline).empty()) return 1;
        if (rank != 0) ring = Ring::open(rank, ranks, id, deadline, problem);
        if (ring == nullptr || !ring->barrier()) return 2;
        ring->forget_name();
        return body(*ring, rank);
      },
      std::chrono::seconds(60));
}

class Rendezvouses : public testing::TestWithParam<std::unique_ptr<Rendezvous> (*)()> {};
INSTANTIATE_TEST_SUITE_P(OfBothKinds, Rendezvouses,
                         testing::Values(file_rendezvous, tcp_rendezvous));

TEST_P(Rendezvouses, LetEveryRankSumEveryElement) {
  for (const int ranks : {1, 2, 3, 5}) {
    const auto rendezvous = GetParam()();
    // Fewer elements than ranks, a size that does not divide, and more than one mailbox.
    for (const std::size_t count : {std::size_t{1}, std::size_t{1001}, std::size_t{200'003}}) {
      const auto again = GetParam()();
      const auto ends = with_ring(ranks, *again, -1, 40, [&](Ring& ring, int rank) {
        std::vector<double> values(count);
        std::iota(values.begin(), values.end(), 1000.0 * rank);
        if (!ring.all_reduce(std::span<double>(values))) return 3;
        const double offset = 1000.0 * ranks * (ranks - 1) / 2;
        for (std::size_t i = 0; i < count; ++i) {
          if (values[i] != static_cast<double>(i) * ranks + offset) return 4;
        }
        return 0;
      });
      for (const ChildEnd& end : ends)
        EXPECT_TRUE(end.good()) << ranks << " " << count << " " << end.code;
    }
  }
}

TEST_P(Rendezvouses, GiveUpWhenARankDoesNotCome) {
  const auto rendezvous = GetParam()();
  const auto ends = with_ring(3, *rendezvous, 1, 1, [](Ring&, int) { return 0; });
  EXPECT_EQ(ends[0].code, 1);
  EXPECT_EQ(ends[2].code, 1);
  EXPECT_LT(ends[0].seconds, 20);
}

TEST(Ring, GivesUpWhenANeighbourDies) {
  const auto rendezvous = file_rendezvous();
  const auto ends = with_ring(3, *rendezvous, -1, 2, [](Ring& ring, int rank) {
    if (rank == 1) return 0;  // gone after the rendezvous
    std::vector<float> values(1000, 1.0f);
    return ring.all_reduce(std::span<float>(values)) ? 0 : 5;
  });
  EXPECT_EQ(ends[0].code, 5);
  EXPECT_EQ(ends[2].code, 5);
}

TEST(Ring, AgreesOnTheLargestValue) {
  const auto rendezvous = file_rendezvous();
  const auto ends = with_ring(4, *rendezvous, -1, 20, [](Ring& ring, int rank) {
    for (int round = 0; round < 50; ++round) {
      double value = (rank * 7 + round) % 4;
      if (!ring.largest(value) || value != 3) return 6;
    }
    return 0;
  });
  for (const ChildEnd& end : ends) EXPECT_TRUE(end.good());
}

}  // namespace
}  // namespace probe
