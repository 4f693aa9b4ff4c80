// SPDX-License-Identifier: Apache-2.0
// imgcheck explain: one check, what it reads, why it matters, a real case, how to mend.

#include "builder/base/text.h"
#include "validators/commands/check_ids.h"
#include "validators/commands/check_outcomes.h"
#include "validators/commands/commands.h"

#include <memory>
#include <utility>

namespace img {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kLabelWidth = 9;

void print_wrapped(Console& console, std::string label, std::string_view text) {
  std::string line = std::move(label);
  line.append(kLabelWidth - line.size(), ' ');
  bool empty = true;
  for (const std::string& word : split(text, ' ')) {
    if (!empty && line.size() + 1 + word.size() > kWidth) {
      console.print(line);
      line = std::string(kLabelWidth, ' ');
      empty = true;
    }
    line += (empty ? "" : " ") + word;
    empty = false;
  }
  console.print(line);
}

ExitCode run_explain(Console& console, const std::string& id) {
  const CheckInfo& info = require_check(id);
  const CheckOutcomes& outcomes = outcomes_of(info.id);
  if (console.json()) {
    console.print_json({{"id", info.id},
                        {"tier", to_string(info.tier)},
                        {"severity", to_string(info.severity)},
                        {"title", info.title},
                        {"reads", info.reads},
                        {"rule", info.rule},
                        {"warns", outcomes.warns},
                        {"skipped", outcomes.skipped},
                        {"blocked", outcomes.blocked},
                        {"why", info.why},
                        {"incident", info.incident},
                        {"mend", info.mend}});
    return ExitCode::ok;
  }
  console.print(std::string(info.id) + ": " + std::string(info.title));
  console.print(std::string(to_string(info.tier)) + " tier, severity " +
                std::string(to_string(info.severity)));
  console.print("");
  print_wrapped(console, "reads", info.reads);
  print_wrapped(console, "rule", info.rule);
  for (const auto& [label, text] : {std::pair{"warns", outcomes.warns},
                                    {"skipped", outcomes.skipped},
                                    {"blocked", outcomes.blocked}}) {
    if (!text.empty()) print_wrapped(console, label, text);
  }
  print_wrapped(console, "why", info.why);
  print_wrapped(console, "seen", info.incident);
  print_wrapped(console, "mend", info.mend);
  return ExitCode::ok;
}

}  // namespace

void add_explain_command(CLI::App& app, ConsoleAction& chosen) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("explain", "Say what one check is for");
  command->add_option("ID", *id, "Such as CUDNN-SET")->required();
  command->callback(
      [id, &chosen] { chosen = [id](Console& console) { return run_explain(console, *id); }; });
}

}  // namespace img
