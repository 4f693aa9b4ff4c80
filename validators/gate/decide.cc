// SPDX-License-Identifier: Apache-2.0
// Decides whether an image may be published, from a report and a policy.

#include "builder/base/text.h"
#include "validators/gate/policy.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

bool has_run(const CheckResult& check) {
  return check.status != Status::skipped && check.status != Status::blocked && !check.simulated;
}

bool contains(const std::vector<Tier>& tiers, Tier tier) {
  return std::find(tiers.begin(), tiers.end(), tier) != tiers.end();
}

Severity severity_of(const CheckResult& check) {
  const CheckInfo* const info = find_check(check.id);
  return info == nullptr ? Severity::critical : info->severity;
}

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

/// What a waiver did, for the reasons of the verdict.
struct WaiverUse {
  bool expired = false;
  std::size_t findings = 0;
};

class Decision {
 public:
  Decision(Report& report, const Policy& policy, const std::string& today)
      : report_(report), policy_(policy), today_(today), uses_(policy.waivers.size()) {}

  Verdict decide() {
    for (CheckResult& check : report_.checks) judge(check);
    for (const Tier tier : policy_.require_tiers) require(tier);
    if (std::none_of(report_.checks.begin(), report_.checks.end(), has_run)) {
      undecided("no check ran");
    }
    tell_waivers();
    Verdict verdict;
    verdict.code = failed_      ? ExitCode::difference
                   : undecided_ ? ExitCode::unavailable
                                : ExitCode::ok;
    verdict.allowed = verdict.code == ExitCode::ok;
    verdict.reasons = std::move(denials_);
    verdict.reasons.insert(verdict.reasons.end(), notes_.begin(), notes_.end());
    return verdict;
  }

 private:
  void denied(std::string reason) {
    failed_ = true;
    denials_.push_back(std::move(reason));
  }
  void undecided(std::string reason) {
    undecided_ = true;
    denials_.push_back(std::move(reason));
  }

  void judge(CheckResult& check) {
    if (check.status == Status::warn && policy_.warnings_fail) {
      check.status = Status::fail;
      check.reason = "warnings count as failures: " + check.reason;
    }
    if (check.status != Status::fail) return;
    waive(check);
    if (check.status != Status::fail) return;
    const Severity severity = severity_of(check);
    if (severity < policy_.fail_at) {
      check.status = Status::warn;
      notes_.push_back(in_quotes(check.id) + " fails, but its severity " +
                       std::string(to_string(severity)) + " is below " +
                       std::string(to_string(policy_.fail_at)));
      return;
    }
    denied(in_quotes(check.id) + " failed: " + check.reason);
  }

  bool is_offence(const Finding& finding) const {
    return finding.status == Status::fail ||
           (finding.status == Status::warn && policy_.warnings_fail);
  }

  /// The first waiver that covers a finding and has not expired; expired ones are remembered.
  std::optional<std::size_t> waiver_for(const CheckResult& check, const std::string& path) {
    for (std::size_t i = 0; i < policy_.waivers.size(); ++i) {
      const Waiver& waiver = policy_.waivers[i];
      if (to_lower_ascii(waiver.check) != to_lower_ascii(check.id)) continue;
      if (!waiver.path.empty() && !glob_match(waiver.path, path)) continue;
      if (today_ > waiver.expiry) {
        uses_[i].expired = true;
        continue;
      }
      ++uses_[i].findings;
      return i;
    }
    return std::nullopt;
  }

  /// A check is waived when each of its failures is.
  void waive(CheckResult& check) {
    std::set<std::size_t> used;
    std::size_t offences = 0, covered = 0;
    const auto cover = [&](const std::string& path) {
      ++offences;
      if (const auto waiver = waiver_for(check, path)) {
        ++covered;
        used.insert(*waiver);
      }
    };
    for (const Finding& finding : check.findings) {
      if (is_offence(finding)) cover(finding.path);
    }
    if (offences == 0) cover({});  // a failure without evidence: only a waiver of the whole check
    if (covered == 0) return;
    if (covered < offences) {
      notes_.push_back(in_quotes(check.id) + ": " + std::to_string(covered) + " of " +
                       std::to_string(offences) + " failures are waived");
      return;
    }
    check.status = Status::waived;
    for (const std::size_t i : used) {
      const Waiver& waiver = policy_.waivers[i];
      check.waiver_reason += (check.waiver_reason.empty() ? "" : "; ") + waiver.reason;
      if (check.waiver_expiry.empty() || waiver.expiry < check.waiver_expiry) {
        check.waiver_expiry = waiver.expiry;
      }
    }
    notes_.push_back(in_quotes(check.id) + " is waived until " + check.waiver_expiry + ": " +
                     check.waiver_reason);
  }

  bool may_skip(const CheckResult& check) const {
    return std::any_of(policy_.allow_skipped.begin(), policy_.allow_skipped.end(),
                       [&](const std::string& id) { return id == "*" || id == check.id; });
  }

  void require(Tier tier) {
    bool ran = false;
    for (const CheckInfo& info : catalogue()) {
      if (info.tier == tier) require(info);
    }
    for (const CheckResult& check : report_.checks) {
      ran = ran || (check.tier == tier && has_run(check));
    }
    if (!ran) {
      undecided("tier " + in_quotes(to_string(tier)) + " is required and none of its checks ran");
    }
  }

  void require(const CheckInfo& info) {
    const auto check =
        std::find_if(report_.checks.begin(), report_.checks.end(),
                     [&](const CheckResult& result) { return result.id == info.id; });
    if (check == report_.checks.end()) {
      undecided(in_quotes(info.id) + " is required and did not run");
    } else if (check->status == Status::blocked) {
      undecided(in_quotes(info.id) + " is required and is blocked: " + check->reason);
    } else if (check->status == Status::skipped && !may_skip(*check)) {
      undecided(in_quotes(info.id) + " is required and was skipped: " + check->reason);
    } else if (check->simulated && check->status != Status::fail) {
      undecided(in_quotes(info.id) + " was answered by a stand-in, which satisfies nothing");
    }
  }

  void tell_waivers() {
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      const Waiver& waiver = policy_.waivers[i];
      if (uses_[i].expired) {
        notes_.push_back("the waiver of " + in_quotes(waiver.check) + " expired on " +
                         waiver.expiry);
      } else if (uses_[i].findings == 0) {
        notes_.push_back("the waiver of " + in_quotes(waiver.check) +
                         (waiver.path.empty() ? "" : " for " + in_quotes(waiver.path)) +
                         " is not needed");
      }
    }
  }

  Report& report_;
  const Policy& policy_;
  const std::string& today_;
  std::vector<WaiverUse> uses_;
  std::vector<std::string> denials_, notes_;
  bool failed_ = false, undecided_ = false;
};

}  // namespace

Verdict decide(Report& report, const Policy& policy, const std::string& today) {
  Verdict verdict = Decision(report, policy, today).decide();
  report.verdict = ReportVerdict{.allowed = verdict.allowed,
                                 .exit_code = static_cast<int>(verdict.code),
                                 .policy = policy.file.empty() ? "built-in" : policy.file,
                                 .reasons = verdict.reasons};
  return verdict;
}

ExitCode exit_code_of(const Report& report, const std::vector<Tier>& required) {
  bool any_ran = false, undecided = false;
  std::set<Tier> ran;
  for (const CheckResult& check : report.checks) {
    if (check.status == Status::fail) return ExitCode::difference;
    if (has_run(check)) {
      any_ran = true;
      ran.insert(check.tier);
    } else if (check.status != Status::skipped && contains(required, check.tier)) {
      undecided = true;
    }
  }
  for (const Tier tier : required) undecided = undecided || ran.count(tier) == 0;
  return any_ran && !undecided ? ExitCode::ok : ExitCode::unavailable;
}

}  // namespace img
