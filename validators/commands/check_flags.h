// SPDX-License-Identifier: Apache-2.0
// The flags that 'check' and 'gate' share.
#pragma once

#include "validators/commands/commands.h"
#include "validators/commands/report_output.h"
#include "validators/commands/run_checks.h"

#include <string>
#include <vector>

namespace img {

struct CheckFlags {
  CheckRequest request;  ///< what the parser writes into directly
  std::vector<std::string> tiers, required;
  int jobs = 0;
  OutputFlags output;
};

void add_check_flags(CLI::App& command, CheckFlags& flags);
/// The request as asked for; UsageError for names that do not exist.
CheckRequest request_of(const CheckFlags& flags, const Console& console);
/// With a file for the report, standard output gets the text form.
void tell(Console& console, const Report& report, const OutputFlags& flags);

}  // namespace img
