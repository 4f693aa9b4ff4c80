// SPDX-License-Identifier: Apache-2.0
// imgcheck gate: check, and decide by a policy whether the image may be published.

#include "builder/base/text.h"
#include "validators/commands/check_flags.h"
#include "validators/gate/policy.h"

#include <algorithm>
#include <ctime>
#include <memory>

namespace img {
namespace {

struct GateFlags {
  CheckFlags check;
  std::string policy;
};

std::string today() {
  return format_rfc3339(static_cast<std::int64_t>(std::time(nullptr))).substr(0, 10);
}

/// What the policy requires, and what the command line requires beside it.
Policy policy_of(const GateFlags& flags, const CheckRequest& request) {
  Policy policy = flags.policy.empty() ? default_policy() : load_policy(flags.policy);
  for (const std::vector<Tier>* tiers : {&request.tiers, &request.required}) {
    for (const Tier tier : *tiers) {
      if (std::find(policy.require_tiers.begin(), policy.require_tiers.end(), tier) ==
          policy.require_tiers.end()) {
        policy.require_tiers.push_back(tier);
      }
    }
  }
  return policy;
}

ExitCode run_gate(Console& console, const GateFlags& flags) {
  output_format(flags.check.output, console);
  CheckRequest request = request_of(flags.check, console);
  const Policy policy = policy_of(flags, request);
  request.required = policy.require_tiers;
  Report report = run_checks(request, console.progress());
  const Verdict verdict = decide(report, policy, today());
  tell(console, report, flags.check.output);
  return verdict.code;
}

}  // namespace

void add_gate_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<GateFlags>();
  CLI::App* command = app.add_subcommand("gate", "Decide whether an image may be published");
  add_check_flags(*command, flags->check);
  command->add_option("--policy", flags->policy,
                      "Policy file; default: static and container tier,\nno failure");
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_gate(console, *flags); };
  });
}

}  // namespace img
