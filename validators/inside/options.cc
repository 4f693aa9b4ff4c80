// SPDX-License-Identifier: Apache-2.0
// Parses the few flags by hand: the bundle links no library for that.
#include "validators/inside/options.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "validators/judge/catalogue.h"

#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::string_view, 8> kWithValue{"--expectations", "--image-digest", "--bundle",
                                                     "--output",       "--format",       "--check",
                                                     "--require-tier", "--cold-samples"};

std::string format_names() { return join(report_format_names(), ", "); }

std::string check_id(const std::string& text) {
  const CheckInfo* const check = find_check(text);
  if (check == nullptr) throw UsageError("there is no check '" + text + "'");
  return std::string(check->id);
}

/// A tier that can run in a container.
Tier required_tier(const std::string& text) {
  const std::optional<Tier> tier = parse_tier(text);
  if (!tier || *tier == Tier::image) {
    throw UsageError("'--require-tier' takes container, gpu or multi-gpu, not '" + text + "'");
  }
  return *tier;
}

std::string digest(const std::string& text) {
  const bool good = text.size() == 71 && text.starts_with("sha256:") &&
                    text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
  if (!good) {
    throw UsageError("'--image-digest' is no digest: '" + text +
                     "' is not 'sha256:' and 64 digits");
  }
  return text;
}

void apply(const std::string& name, const std::string& value, InsideOptions& options) {
  if (name == "--expectations") {
    options.expectations = value;
  } else if (name == "--image-digest") {
    options.image_digest = digest(value);
  } else if (name == "--bundle") {
    options.bundle = value;
  } else if (name == "--output") {
    options.output = value;
  } else if (name == "--check") {
    options.checks.push_back(check_id(value));
  } else if (name == "--require-tier") {
    options.required.push_back(required_tier(value));
  } else if (name == "--format") {
    const std::optional<ReportFormat> format = parse_report_format(value);
    if (!format) throw UsageError("unknown format '" + value + "'; there are " + format_names());
    options.format = *format;
  } else {
    const std::optional<std::uint64_t> number = parse_decimal(value);
    if (!number || *number < 1 || *number > 100) {
      throw UsageError("'--cold-samples' is not a number from 1 to 100: '" + value + "'");
    }
    options.cold_samples = static_cast<int>(*number);
  }
}

bool takes_value(std::string_view name) {
  for (const std::string_view known : kWithValue) {
    if (known == name) return true;
  }
  return false;
}

}  // namespace

InsideOptions parse_inside_options(const std::vector<std::string>& arguments) {
  InsideOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    if (name == "-o") name = "--output";
    if (name == "-h" || name == "--help") {
      options.help = true;
      continue;
    }
    if (name == "--version") {
      options.version = true;
      continue;
    }
    const std::size_t equals = name.find('=');
    const std::string flag = name.substr(0, equals);
    if (!takes_value(flag)) {
      throw UsageError(ErrorText{.message = "unknown argument '" + name + "'",
                                 .hint = "'imgcheck-inside --help' lists what there is"});
    }
    if (equals != std::string::npos) {
      apply(flag, name.substr(equals + 1), options);
    } else if (i + 1 == arguments.size()) {
      throw UsageError("no value after '" + arguments[i] + "'");
    } else {
      apply(flag, arguments[++i], options);
    }
  }
  return options;
}

std::string inside_help() {
  return
      R"(Checks the container that it runs in: does torch load, from which files and in
which versions; is attention right; how long is a start; does Python work. Where
there are GPUs: driver, kernels, attention, convolution, cold start, all-reduce.

usage: imgcheck-inside [options]

  --expectations FILE    what the image promises ($IMGCHECK_EXPECTATIONS);
                         without it torch is looked for, no promise is checked
  --image-digest DIGEST  goes into the report
  --check ID             only this check; may be given again
  --require-tier TIER    container, gpu or multi-gpu: what of it cannot run is
                         exit 3; may be given again
  --cold-samples N       processes for each figure of a cold start (default 5)
  --bundle FOLDER        where the probes are (default: beside this program)
  --format FORMAT        text (default), json, markdown, html, junit, sarif or
                         github
  -o, --output FILE      write the report there
  --version, -h, --help

Exit codes: 0 every check that ran holds, 1 one failed, 2 wrong command line or
expectations, 3 one could not run or nothing did, 70 a bug.
)";
}

}  // namespace img
