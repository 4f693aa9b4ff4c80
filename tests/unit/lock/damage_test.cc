// SPDX-License-Identifier: Apache-2.0
// Locks with random damage: read or refused, nothing else; what is read can be written again.
#include "tests/support/damage.h"

#include "builder/lock/lock_file.h"
#include "tests/unit/lock/sample_lock.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(Damage, LocksAreReadOrRefused) {
  testing::expect_clear_errors(
      {format_lock(test::sample_lock())}, 4000, "x.lock.json", [](const std::string& text) {
        const std::string written = format_lock(parse_lock(text, "x.lock.json"));
        EXPECT_EQ(format_lock(parse_lock(written, "x.lock.json")), written);
      });
}

}  // namespace
}  // namespace img
