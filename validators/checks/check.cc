// SPDX-License-Identifier: Apache-2.0
// Findings as the checks of this tier make them.

#include "validators/checks/check.h"

#include <utility>

namespace img {
namespace {

Finding finding_at(const CheckContext& context, Status status, std::string message,
                   const std::string& path) {
  return {.status = status,
          .message = std::move(message),
          .path = path,
          .layer = path.empty() ? std::string() : context.view.layer_of(path)};
}

}  // namespace

Finding pass_finding(const CheckContext& context, std::string message, const std::string& path) {
  return finding_at(context, Status::pass, std::move(message), path);
}
Finding warn_finding(const CheckContext& context, std::string message, const std::string& path) {
  return finding_at(context, Status::warn, std::move(message), path);
}
Finding fail_finding(const CheckContext& context, std::string message, const std::string& path) {
  return finding_at(context, Status::fail, std::move(message), path);
}

Finding compared(Finding finding, std::string expected, std::string actual, std::string source) {
  finding.expected = std::move(expected);
  finding.actual = std::move(actual);
  finding.source = std::move(source);
  return finding;
}

CheckResult finish(std::string id, std::vector<Finding> findings) {
  return conclude(std::move(id), Tier::image, std::move(findings));
}
CheckResult skip(std::string id, std::string reason) {
  return skipped(std::move(id), Tier::image, std::move(reason));
}

}  // namespace img
