// SPDX-License-Identifier: Apache-2.0
// imgcheck list: the checks that exist; as Markdown it is docs/checks.md.

#include "builder/base/text.h"
#include "validators/commands/check_outcomes.h"
#include "validators/commands/commands.h"
#include "validators/judge/catalogue.h"

#include <memory>

namespace img {
namespace {

struct ListFlags {
  std::string format = "text";
};

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  if (out.size() < width) out.append(width - out.size(), ' ');
  return out;
}

Json check_json(const CheckInfo& info) {
  const CheckOutcomes& outcomes = outcomes_of(info.id);
  return {{"id", info.id},
          {"tier", to_string(info.tier)},
          {"title", info.title},
          {"severity", to_string(info.severity)},
          {"reads", info.reads},
          {"rule", info.rule},
          {"warns", outcomes.warns},
          {"skipped", outcomes.skipped},
          {"blocked", outcomes.blocked},
          {"why", info.why},
          {"incident", info.incident},
          {"mend", info.mend}};
}

void print_text(Console& console) {
  for (const CheckInfo& info : catalogue()) {
    console.print(padded(info.id, 14) + padded(to_string(info.tier), 11) +
                  padded(to_string(info.severity), 10) + std::string(info.title));
  }
}

/// The texts are ours: nothing in them is markup but '*' and '_' of names.
std::string in_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

constexpr std::string_view kMarkdownHead = R"(# Checks

Made by `imgcheck list --format markdown`; do not edit. `imgcheck explain ID` prints one of them, [imgcheck.md](imgcheck.md) says how to run them.

| status | when |
|---|---|
| pass | the rule of the check holds; the evidence says by which files and values |
| fail | the rule is broken |
| warn | the rule holds with the reservation that **warns** names |
| skipped | the image has nothing for the rule to hold of: see **skipped** |
| blocked | the check should have run and could not; never a pass: see **blocked** |
| waived | it failed, and the [policy](policy.md) accepts that until a date |

For a whole tier: the static checks that look at files are blocked when a layer cannot be read to its end, and `imgcheck-inside` skips them all, for want of layers. A check of the container
tier is blocked when its probe could not be started, was killed at a limit, died, or wrote what is no result; all of them are when the image must not be started or this
machine cannot start containers and the tier was asked for (else they are skipped). The checks of the GPU tiers are all blocked, with the reason, where there is no driver or no
GPU; a result that a fake library had a hand in is `simulated` and satisfies no gate. [gpu.md](gpu.md) says how to run them.
)";

void add_line(std::string& out, std::string_view label, std::string_view text) {
  if (text.empty()) return;
  out += "- **" + std::string(label) + ":** " + in_cell(text) + "\n";
}

std::string title_of(Tier tier) {
  switch (tier) {
    case Tier::image:
      return "Static";
    case Tier::container:
      return "Container";
    case Tier::gpu:
      return "GPU";
    case Tier::multi_gpu:
      break;
  }
  return "Multi-GPU";
}

void add_tier(std::string& out, Tier tier) {
  out += "\n## " + title_of(tier) + " tier\n\n";
  out += "| check | severity | what it proves |\n|---|---|---|\n";
  for (const CheckInfo& info : catalogue()) {
    if (info.tier != tier) continue;
    const std::string id(info.id);
    out += "| [" + id + "](#" + to_lower_ascii(id) + ") | " +
           std::string(to_string(info.severity)) + " | " + in_cell(info.title) + " |\n";
  }
  for (const CheckInfo& info : catalogue()) {
    if (info.tier != tier) continue;
    const CheckOutcomes& outcomes = outcomes_of(info.id);
    out += "\n### " + std::string(info.id) + "\n\n" + in_cell(info.title) + "\n\n";
    add_line(out, "reads", info.reads);
    add_line(out, "rule", info.rule);
    add_line(out, "warns", outcomes.warns);
    add_line(out, "skipped", outcomes.skipped);
    add_line(out, "blocked", outcomes.blocked);
    add_line(out, "why", info.why);
    add_line(out, "seen", info.incident);
    add_line(out, "mend", info.mend);
  }
}

std::string markdown() {
  std::string out(kMarkdownHead);
  for (const Tier tier : {Tier::image, Tier::container, Tier::gpu, Tier::multi_gpu}) {
    add_tier(out, tier);
  }
  return out;
}

ExitCode run_list(Console& console, const ListFlags& flags) {
  if (flags.format != "text" && flags.format != "markdown") {
    throw UsageError(ErrorText{.message = "'" + flags.format + "' is no form of the list",
                               .hint = "use text or markdown, or --json"});
  }
  if (console.json()) {
    Json checks = Json::array();
    for (const CheckInfo& info : catalogue()) checks.push_back(check_json(info));
    console.print_json({{"checks", checks}});
  } else if (flags.format == "markdown") {
    console.write(markdown());
  } else {
    print_text(console);
  }
  return ExitCode::ok;
}

}  // namespace

void add_list_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<ListFlags>();
  CLI::App* command = app.add_subcommand("list", "List the checks");
  command->add_option("--format", flags->format, "text (default) or markdown");
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_list(console, *flags); };
  });
}

}  // namespace img
