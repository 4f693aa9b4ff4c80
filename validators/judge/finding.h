// SPDX-License-Identifier: Apache-2.0
// What a check says: its status, why, and the evidence behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// What a check needs. `image`: the image's bytes. `container`: a runtime that starts it. `gpu`:
/// one GPU. `multi_gpu`: two or more.
enum class Tier { image, container, gpu, multi_gpu };
std::string_view to_string(Tier tier);  ///< "static", "container", "gpu", "multi-gpu"
std::optional<Tier> parse_tier(std::string_view text);

enum class Status {
  pass,     ///< ran, the rule holds
  fail,     ///< ran, the rule is broken
  warn,     ///< ran, the rule holds with a reservation
  skipped,  ///< declared not applicable; the reason says why
  blocked,  ///< should have run and could not; never counts as a pass
  waived,   ///< failed, and a policy accepts that until a date
};
std::string_view to_string(Status status);
std::optional<Status> parse_status(std::string_view text);

/// One piece of evidence: a value that was seen, where, and what it was held against. Evidence of a
/// pass is as welcome as that of a failure.
struct Finding {
  Status status = Status::pass;  ///< pass, warn or fail
  std::string message;   ///< one sentence, lower case, no full stop; subjects in single quotes
  std::string path;      ///< absolute path in the image, or empty
  std::string layer;     ///< digest of the layer that brings `path`, or empty
  std::string expected;  ///< empty: nothing to compare with
  std::string actual;
  std::string source;  ///< where `expected` comes from: "manifest", "compatibility table", …
};

struct CheckResult {
  std::string id;  ///< of the catalogue: "ELF-CLOSURE"
  Tier tier = Tier::image;
  Status status = Status::pass;
  std::string reason;             ///< one line: why this status; never empty unless pass
  std::vector<Finding> findings;  ///< worst first
  double seconds = 0;             ///< wall clock of the check itself
  bool simulated = false;         ///< a stand-in answered (fake library): satisfies no gate
  /// Set by a policy: why a failure is waived, and until when (RFC 3339 date).
  std::string waiver_reason = {}, waiver_expiry = {};
};

/// The status that a list of findings amounts to: fail before warn before pass. No finding at all
/// is `blocked`: a check that looked at nothing has proved nothing.
Status worst_of(const std::vector<Finding>& findings);

/// A result from findings: status by worst_of, the reason from the worst finding ("… and 3 more"),
/// findings ordered worst first (stable within a status).
CheckResult conclude(std::string id, Tier tier, std::vector<Finding> findings);
CheckResult skipped(std::string id, Tier tier, std::string reason);
CheckResult blocked(std::string id, Tier tier, std::string reason);

}  // namespace img
