// SPDX-License-Identifier: Apache-2.0
// What costs bytes in an image's wheels: kinds of files, the biggest ones, duplicates, and what
// could be dropped.
#pragma once

#include "builder/inputs/wheel.h"

#include <cstdint>
#include <string>
#include <vector>

namespace img {

/// Files of one kind over all wheels; packed: bytes in the wheels.
struct KindShare {
  std::string kind;  ///< "shared libraries", "Python sources", …
  std::uint64_t files = 0, unpacked = 0, packed = 0;
};

struct FileShare {
  std::string wheel, path;
  std::uint64_t unpacked = 0, packed = 0;
};

/// Something a recipe could drop by a `drop:` rule, and what would be lost.
struct TrimCandidate {
  std::string what, glob, consequence;
  std::uint64_t files = 0, unpacked = 0, packed = 0;
};

/// The same bytes under several paths.
struct DuplicateShare {
  std::vector<std::string> places;  ///< "wheel: path"
  std::uint64_t wasted = 0;         ///< unpacked bytes of all but one
};

struct ContentReport {
  std::vector<KindShare> kinds;            ///< by unpacked size, largest first
  std::vector<FileShare> biggest;          ///< largest first
  std::vector<TrimCandidate> candidates;   ///< largest first; only those that occur
  std::vector<DuplicateShare> duplicates;  ///< largest first, from 1 MB
};

ContentReport report_contents(const std::vector<const Wheel*>& wheels, std::size_t biggest);

}  // namespace img
