// SPDX-License-Identifier: Apache-2.0
// Solving debs by apt in a private root that sees nothing of the machine's own configuration.
#pragma once

#include "builder/base/file.h"
#include "builder/base/progress.h"
#include "builder/fetch/sources.h"
#include "builder/lock/lock_file.h"
#include "builder/resolve/packages.h"

#include <cstdint>
#include <string>
#include <vector>

namespace img {

struct DebProblem {
  std::vector<const Recipe*> recipes;       ///< of kind debian, bottom to top
  std::string architecture;                 ///< "amd64"
  std::map<std::string, std::string> pins;  ///< package → version to keep where it is still served
  std::map<std::string, std::string> previous_dates;  ///< suite → Date of the last lock's release
  std::int64_t now = 0;
};

struct DebSolution {
  std::vector<LockedDeb> debs;          ///< by layer order, then package
  std::vector<LockedRelease> releases;  ///< by suite
};

/// $IMGBUILD_KEYRING, else the keyring of the host's debian-archive-keyring; UnavailableError when
/// there is none.
fs::path archive_keyring();

/// The lowest recipe first; each one above keeps every version of those below and brings only what
/// is new. ManifestError for names and versions that no suite has and for sets without solution.
DebSolution solve_debs(const DebProblem& problem, const Sources& sources, const fs::path& work,
                       Progress& progress);

struct PrintedUri {
  std::string file, sha256;
  std::uint64_t size = 0;
};
/// Lines "'URI' FILE SIZE SHA256:hex" of `apt-get --print-uris`; a line without SHA256 is an
/// IntegrityError.
std::vector<PrintedUri> parse_print_uris(std::string_view text);

}  // namespace img
