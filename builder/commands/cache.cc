// SPDX-License-Identifier: Apache-2.0
// imgbuild cache: where the store is, what it holds, whether it is sound, and making room.

#include "builder/base/text.h"
#include "builder/commands/commands.h"

#include <ctime>
#include <memory>

namespace img {
namespace {

ExitCode print_dir(Session& session) {
  const fs::path root = Store::default_root(session.flags().cache_dir);
  if (session.json()) {
    session.print_json({{"dir", root.string()}});
  } else {
    session.print(root.string());
  }
  return ExitCode::ok;
}

ExitCode print_list(Session& session) {
  const auto entries = session.store().list();
  std::uint64_t total = 0;
  Json list = Json::array();
  for (const StoreEntry& entry : entries) {
    total += entry.size;
    if (session.json()) {
      list.push_back({{"digest", entry.digest.str()},
                      {"size", entry.size},
                      {"lastUsed", format_rfc3339(entry.last_used)}});
    } else {
      session.print(entry.digest.str() + "  " + format_rfc3339(entry.last_used) + "  " +
                    with_commas(entry.size));
    }
  }
  const UvCacheUse uv = session.store().uv_cache_use();
  if (session.json()) {
    const Json uv_json =
        uv.last_used == 0 ? Json()
                          : Json{{"bytes", uv.bytes}, {"lastUsed", format_rfc3339(uv.last_used)}};
    session.print_json({{"blobs", list}, {"bytes", total}, {"uvCache", uv_json}});
  } else {
    session.print(std::to_string(entries.size()) + " blobs, " + human_size(total));
    if (uv.last_used != 0) {
      session.print("uv's cache of index pages, " + human_size(uv.bytes) + ", last used " +
                    format_rfc3339(uv.last_used));
    }
  }
  return ExitCode::ok;
}

ExitCode run_verify(Session& session) {
  auto task = session.progress().task("verifying", "the store");
  const auto result =
      session.store().verify([&](const Digest&, std::uint64_t bytes) { task.advance(bytes); });
  task.finish();
  Json bad = Json::array();
  for (const Digest& digest : result.bad) bad.push_back(digest.str());
  if (session.json()) {
    session.print_json({{"blobs", result.blobs}, {"bytes", result.bytes}, {"bad", bad}});
  } else {
    session.print(std::to_string(result.blobs) + " blobs verified, " + human_size(result.bytes) +
                  ", " + std::to_string(result.bad.size()) + " bad");
    for (const Digest& digest : result.bad) {
      session.print("  " + digest.str() +
                    " was set aside; it is fetched or made again when needed");
    }
  }
  return result.bad.empty() ? ExitCode::ok : ExitCode::integrity;
}

struct GcFlags {
  std::string older_than, max_size;
  bool dry_run = false;
};

/// "30d", "12h", "90m": seconds.
std::int64_t parse_age(const std::string& text) {
  const auto number = text.empty() ? std::nullopt : parse_decimal(text.substr(0, text.size() - 1));
  const char unit = text.empty() ? ' ' : text.back();
  const std::int64_t factor = unit == 'd' ? 86400 : unit == 'h' ? 3600 : unit == 'm' ? 60 : 0;
  if (!number || factor == 0 || *number > 1'000'000) {
    throw UsageError(
        ErrorText{.message = "'" + text + "' is no age", .hint = "write 30d, 12h or 90m"});
  }
  return static_cast<std::int64_t>(*number) * factor;
}

ExitCode run_gc(Session& session, const GcFlags& flags) {
  std::optional<std::int64_t> age;
  std::optional<std::uint64_t> size;
  if (!flags.older_than.empty()) age = parse_age(flags.older_than);
  if (!flags.max_size.empty()) {
    size = parse_size(flags.max_size);
    if (!size) {
      throw UsageError(ErrorText{.message = "'" + flags.max_size + "' is no size",
                                 .hint = "write 20GB or 500MB"});
    }
  }
  const auto result = session.store().gc(age, size, flags.dry_run);
  if (session.json()) {
    session.print_json({{"blobs", result.blobs},
                        {"bytes", result.bytes},
                        {"uvCache", result.uv_cache},
                        {"dryRun", flags.dry_run}});
  } else {
    session.print((flags.dry_run ? "would remove " : "removed ") + std::to_string(result.blobs) +
                  (result.uv_cache ? " blobs and uv's cache, " : " blobs, ") +
                  human_size(result.bytes));
  }
  return ExitCode::ok;
}

}  // namespace

void add_cache_command(CLI::App& app, Action& chosen) {
  CLI::App* cache = app.add_subcommand("cache", "The content-addressed store");
  cache->require_subcommand(1);
  cache->add_subcommand("dir", "Print where it is")->callback([&chosen] { chosen = print_dir; });
  cache->add_subcommand("list", "List its blobs")->callback([&chosen] { chosen = print_list; });
  cache->add_subcommand("verify", "Hash every blob; set bad ones aside (exit 4)")
      ->callback([&chosen] { chosen = run_verify; });
  auto flags = std::make_shared<GcFlags>();
  CLI::App* gc = cache->add_subcommand("gc", "Remove what is not needed");
  gc->add_option("--older-than", flags->older_than, "Not used for this long: 30d, 12h, 90m");
  gc->add_option("--max-size", flags->max_size, "Least recently used first, down to this: 20GB");
  gc->add_flag("--dry-run", flags->dry_run, "Only say what would go");
  gc->callback(
      [flags, &chosen] { chosen = [flags](Session& session) { return run_gc(session, *flags); }; });
}

}  // namespace img
