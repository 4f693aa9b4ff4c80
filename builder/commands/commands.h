// SPDX-License-Identifier: Apache-2.0
// The verbs of imgbuild: each adds its subcommand to the parser; main.cc has the table.
#pragma once

#include "builder/base/error.h"
#include "builder/commands/session.h"

#include <CLI/CLI.hpp>

#include <functional>

namespace img {

/// What a chosen subcommand does; set by the callbacks of the parser, run by main.
using Action = std::function<ExitCode(Session&)>;

void add_lock_command(CLI::App& app, Action& chosen);
void add_fetch_command(CLI::App& app, Action& chosen);
void add_build_command(CLI::App& app, Action& chosen);
void add_show_command(CLI::App& app, Action& chosen);
void add_diff_command(CLI::App& app, Action& chosen);
void add_schema_command(CLI::App& app, Action& chosen);
void add_cache_command(CLI::App& app, Action& chosen);
void add_family_command(CLI::App& app, Action& chosen);
void add_facts_command(CLI::App& app, Action& chosen);
void add_version_command(CLI::App& app, Action& chosen);

}  // namespace img
