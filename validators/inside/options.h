// SPDX-License-Identifier: Apache-2.0
// The command line of imgcheck-inside.
#pragma once

#include "validators/report/report.h"

#include <string>
#include <vector>

namespace img {

struct InsideOptions {
  std::string expectations;  ///< file; empty: $IMGCHECK_EXPECTATIONS, or none
  std::string image_digest;  ///< of the image that this container was made of; empty: unknown
  std::string bundle;        ///< folder with the probes; empty: beside this program
  std::string output;        ///< file for the report; empty: standard output
  ReportFormat format = ReportFormat::text;
  std::vector<std::string> checks;  ///< ids; empty: all that can run
  std::vector<Tier> required;       ///< whose blocked checks are exit 3 even where there is no GPU
  int cold_samples = 5;
  bool help = false, version = false;
};

/// UsageError for anything that is not in inside_help().
InsideOptions parse_inside_options(const std::vector<std::string>& arguments);
std::string inside_help();

}  // namespace img
