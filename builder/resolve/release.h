// SPDX-License-Identifier: Apache-2.0
// Proving that an InRelease file was signed by a pinned key and is the one that was asked for.
#pragma once

#include "builder/base/file.h"
#include "builder/lock/lock_file.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct ReleaseRequest {
  std::string suite;                      ///< as asked for: "bookworm-security"
  std::vector<std::string> fingerprints;  ///< pinned primary keys, upper-case hex
  fs::path keyring;
  std::int64_t now = 0;
  std::string previous_date;  ///< RFC 3339 of the last lock's release; empty: none
};

/// IntegrityError when the file is not exactly one clearsigned block, has a bad signature, or none
/// by a pinned key that is neither expired nor revoked, or is another suite's; UnavailableError
/// when it is past its Valid-Until, dated in the future, or older than what the last lock saw. Only
/// what gpgv says was signed is read.
LockedRelease verify_release(const fs::path& in_release, const ReleaseRequest& request,
                             const fs::path& work);

/// Primary fingerprints with a good signature, by gpgv's status lines. IntegrityError for a bad
/// one.
std::vector<std::string> good_signers(std::string_view status_lines, const std::string& name);

/// "Sat, 11 Jul 2026 10:26:28 UTC" → seconds; nullopt for anything else.
std::optional<std::int64_t> parse_release_date(std::string_view text);

}  // namespace img
