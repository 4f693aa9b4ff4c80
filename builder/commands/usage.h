// SPDX-License-Identifier: Apache-2.0
// What the command-line parser complains about, in the form of all other errors.
#pragma once

#include "builder/base/error.h"

#include <CLI/CLI.hpp>

namespace img {

/// The parser's own texts have another form and name no hint: this names the word or the option in
/// single quotes, what is wrong with it, and the help of the command that was chosen, or what was
/// probably meant.
UsageError usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace img
