// SPDX-License-Identifier: Apache-2.0
// Names of tiers and statuses, and how findings become one result.

#include "validators/judge/finding.h"

#include <algorithm>
#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::pair<Tier, std::string_view>, 4> kTiers{{
    {Tier::image, "static"},
    {Tier::container, "container"},
    {Tier::gpu, "gpu"},
    {Tier::multi_gpu, "multi-gpu"},
}};

constexpr std::array<std::pair<Status, std::string_view>, 6> kStatuses{{
    {Status::pass, "pass"},
    {Status::fail, "fail"},
    {Status::warn, "warn"},
    {Status::skipped, "skipped"},
    {Status::blocked, "blocked"},
    {Status::waived, "waived"},
}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table)
    if (known == value) return name;
  return "unknown";
}

template <typename Value, typename Table>
std::optional<Value> value_in(const Table& table, std::string_view text) {
  for (const auto& [value, name] : table)
    if (name == text) return value;
  return std::nullopt;
}

int badness(Status status) {
  switch (status) {
    case Status::fail:
      return 2;
    case Status::warn:
      return 1;
    default:
      return 0;
  }
}

std::string reason_of(const std::vector<Finding>& findings, Status worst) {
  if (worst == Status::pass) return {};
  const auto same = std::count_if(findings.begin(), findings.end(),
                                  [&](const Finding& finding) { return finding.status == worst; });
  std::string reason = findings.front().message;
  if (same > 1) reason += " (and " + std::to_string(same - 1) + " more)";
  return reason;
}

}  // namespace

std::string_view to_string(Tier tier) { return name_in(kTiers, tier); }
std::optional<Tier> parse_tier(std::string_view text) { return value_in<Tier>(kTiers, text); }
std::string_view to_string(Status status) { return name_in(kStatuses, status); }
std::optional<Status> parse_status(std::string_view text) {
  return value_in<Status>(kStatuses, text);
}

Status worst_of(const std::vector<Finding>& findings) {
  if (findings.empty()) return Status::blocked;
  return std::max_element(findings.begin(), findings.end(),
                          [](const Finding& left, const Finding& right) {
                            return badness(left.status) < badness(right.status);
                          })
      ->status;
}

CheckResult conclude(std::string id, Tier tier, std::vector<Finding> findings) {
  const Status worst = worst_of(findings);
  if (worst == Status::blocked) return blocked(std::move(id), tier, "nothing was looked at");
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return badness(left.status) > badness(right.status);
  });
  CheckResult result{.id = std::move(id), .tier = tier, .status = worst};
  result.reason = reason_of(findings, worst);
  result.findings = std::move(findings);
  return result;
}

CheckResult skipped(std::string id, Tier tier, std::string reason) {
  return {
      .id = std::move(id), .tier = tier, .status = Status::skipped, .reason = std::move(reason)};
}

CheckResult blocked(std::string id, Tier tier, std::string reason) {
  return {
      .id = std::move(id), .tier = tier, .status = Status::blocked, .reason = std::move(reason)};
}

}  // namespace img
