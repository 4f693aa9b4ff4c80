// SPDX-License-Identifier: Apache-2.0
// The verbs of imgcheck: each adds its subcommand to the parser; main.cc has the table.
#pragma once

#include "builder/base/error.h"
#include "validators/commands/console.h"

#include <CLI/CLI.hpp>

#include <functional>

namespace img {

/// What a chosen subcommand does; set by the callbacks of the parser, run by main.
using ConsoleAction = std::function<ExitCode(Console&)>;

void add_check_command(CLI::App& app, ConsoleAction& chosen);
void add_gate_command(CLI::App& app, ConsoleAction& chosen);
void add_inspect_command(CLI::App& app, ConsoleAction& chosen);
void add_list_command(CLI::App& app, ConsoleAction& chosen);
void add_explain_command(CLI::App& app, ConsoleAction& chosen);
void add_render_command(CLI::App& app, ConsoleAction& chosen);
void add_matrix_command(CLI::App& app, ConsoleAction& chosen);
void add_fit_command(CLI::App& app, ConsoleAction& chosen);
void add_cost_command(CLI::App& app, ConsoleAction& chosen);
void add_schema_command(CLI::App& app, ConsoleAction& chosen);
void add_cache_command(CLI::App& app, ConsoleAction& chosen);
void add_version_command(CLI::App& app, ConsoleAction& chosen);

}  // namespace img
