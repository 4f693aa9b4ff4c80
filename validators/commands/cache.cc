// SPDX-License-Identifier: Apache-2.0
// imgcheck cache: the layers that were unpacked to be started, and removing them.

#include "builder/base/text.h"
#include "validators/commands/commands.h"
#include "validators/runner/unpacked_store.h"

namespace img {
namespace {

ExitCode print_dir(Console& console) {
  const std::string folder = (console.store() / "unpacked").string();
  if (console.json()) {
    console.print_json({{"dir", folder}});
  } else {
    console.print(folder);
  }
  return ExitCode::ok;
}

std::uint64_t total_of(const std::vector<UnpackedEntry>& entries) {
  std::uint64_t total = 0;
  for (const UnpackedEntry& entry : entries) total += entry.bytes;
  return total;
}

void print_entries(Console& console, const std::vector<UnpackedEntry>& entries, const char* verb) {
  if (console.json()) {
    Json layers = Json::array();
    for (const UnpackedEntry& entry : entries) {
      layers.push_back({{"name", entry.name}, {"bytes", entry.bytes}});
    }
    console.print_json({{"layers", layers}, {"bytes", total_of(entries)}});
    return;
  }
  console.print(std::string(verb) + std::to_string(entries.size()) + " unpacked layers, " +
                human_size(total_of(entries)));
}

ExitCode print_list(Console& console) {
  const auto entries = list_unpacked(console.store());
  if (!console.json()) {
    for (const UnpackedEntry& entry : entries) {
      console.print(entry.name + "  " + with_commas(entry.bytes));
    }
  }
  print_entries(console, entries, "");
  return ExitCode::ok;
}

ExitCode run_clear(Console& console) {
  print_entries(console, clear_unpacked(console.store()), "removed ");
  return ExitCode::ok;
}

}  // namespace

void add_cache_command(CLI::App& app, ConsoleAction& chosen) {
  CLI::App* cache = app.add_subcommand("cache", "Layers unpacked for the container tier");
  cache->require_subcommand(1);
  cache->add_subcommand("dir", "Print where they are")->callback([&chosen] { chosen = print_dir; });
  cache->add_subcommand("list", "List them")->callback([&chosen] { chosen = print_list; });
  cache->add_subcommand("clear", "Remove all; they are unpacked again when needed")
      ->callback([&chosen] { chosen = run_clear; });
}

}  // namespace img
