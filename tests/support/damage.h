// SPDX-License-Identifier: Apache-2.0
// Random damage to valid samples, the same on every machine: a reader may only accept or refuse.
#pragma once

#include "builder/base/error.h"
#include "builder/base/stream.h"
#include "builder/base/text.h"
#include "tests/support/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace img::testing {

/// One change at a random place: a bit, a byte, a telling byte, a cut, an insertion, a repeat.
inline void damage_once(Random& random, std::string& bytes) {
  using namespace std::string_view_literals;
  if (bytes.empty()) {
    bytes.push_back(static_cast<char>(random.next()));
    return;
  }
  const std::size_t at = random.below(bytes.size());
  const std::size_t length = 1 + random.below(std::min<std::size_t>(bytes.size() - at, 40));
  // What fields, numbers and texts are made of, and the ends of their ranges.
  static constexpr std::string_view kTelling =
      "\0\xff\x7f\x80/.-\"'\\{}[],:#&*!%@`|> \n\r\t0123789eE"sv;
  switch (random.below(8)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      bytes[at] = static_cast<char>(random.next());
      break;
    case 2:
      bytes[at] = kTelling[random.below(kTelling.size())];
      break;
    case 3:
      bytes.resize(at);
      break;
    case 4:
      bytes.erase(at, length);
      break;
    case 5:
      bytes.insert(at, 1 + random.below(9), kTelling[random.below(kTelling.size())]);
      break;
    case 6:
      bytes.insert(random.below(bytes.size() + 1), bytes.substr(at, length));
      break;
    default:
      bytes.replace(at, length, length, random.below(2) == 0 ? '\0' : '\xff');
      break;
  }
}

/// The sample with one to four changes.
inline std::string damaged(Random& random, std::string sample) {
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
    damage_once(random, sample);
  }
  return sample;
}

struct DamageCounts {
  int accepted = 0;
  int refused = 0;
};

/// Gives `rounds` damaged copies of each sample to `read`. It may accept one, or refuse it with an
/// error about the input (exit code 2, or one of `codes`) that names `subject`; everything else, an
/// InternalError or an exception of the standard library above all, is a failure that shows the
/// damaged bytes.
inline DamageCounts expect_clear_errors(const std::vector<std::string>& samples, int rounds,
                                        const std::string& subject,
                                        const std::function<void(const std::string&)>& read,
                                        const std::set<ExitCode>& codes = {ExitCode::usage}) {
  DamageCounts counts;
  Random random(20250806);
  const auto fail = [](const std::string& what, const std::string& bytes) {
    ADD_FAILURE() << what << "\nbytes: " << to_hex(as_bytes(bytes));
  };
  for (const std::string& sample : samples) {
    EXPECT_NO_THROW(read(sample)) << "an undamaged sample is refused";
    for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
      const std::string bytes = damaged(random, sample);
      try {
        read(bytes);
        ++counts.accepted;
      } catch (const Error& error) {
        ++counts.refused;
        if (!codes.contains(error.exit_code()))
          fail("not about the input: " + error.render(), bytes);
        if (error.render().find(subject) == std::string::npos) {
          fail("the subject is not named: " + error.render(), bytes);
        }
      } catch (const std::exception& error) {
        fail(std::string("no error of ours: ") + error.what(), bytes);
      }
    }
  }
  return counts;
}

}  // namespace img::testing
