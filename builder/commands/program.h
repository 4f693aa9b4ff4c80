// SPDX-License-Identifier: Apache-2.0
// What both programs do around their verbs: errors become texts and exit codes here, and only here.
#pragma once

#include "builder/base/error.h"

#include <functional>

namespace img {

/// One error on standard error.
void print_error(const Error& error);
/// Runs `body` and returns its value; whatever it throws is printed and becomes an exit code.
int run_program(const std::function<int()>& body);

}  // namespace img
