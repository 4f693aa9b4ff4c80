// SPDX-License-Identifier: Apache-2.0
// imgcheck list: the checks that exist; as Markdown it is docs/checks.md.

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
  return {{"id", info.id},       {"tier", to_string(info.tier)},
          {"title", info.title}, {"severity", to_string(info.severity)},
          {"reads", info.reads}, {"rule", info.rule},
          {"why", info.why},     {"incident", info.incident},
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

constexpr std::string_view kMarkdownHead =
    "# Checks\n\nMade by `imgcheck list --format markdown`; do not edit. `imgcheck explain ID` "
    "prints one of them.\n\n";

std::string markdown() {
  std::string out(kMarkdownHead);
  out += "| check | tier | severity | what it proves |\n|---|---|---|---|\n";
  for (const CheckInfo& info : catalogue()) {
    const std::string id(info.id);
    out += "| [" + id + "](#" + id + ") | " + std::string(to_string(info.tier)) + " | " +
           std::string(to_string(info.severity)) + " | " + in_cell(info.title) + " |\n";
  }
  for (const CheckInfo& info : catalogue()) {
    out += "\n## " + std::string(info.id) + "\n\n" + in_cell(info.title) + " (" +
           std::string(to_string(info.tier)) + " tier, " + std::string(to_string(info.severity)) +
           ")\n\n";
    out += "- **reads:** " + in_cell(info.reads) + "\n";
    out += "- **rule:** " + in_cell(info.rule) + "\n";
    out += "- **why:** " + in_cell(info.why) + "\n";
    out += "- **seen:** " + in_cell(info.incident) + "\n";
    out += "- **mend:** " + in_cell(info.mend) + "\n";
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
