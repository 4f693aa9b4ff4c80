// SPDX-License-Identifier: Apache-2.0
// Reads pairs of `--name value` strictly.
#include "validators/probes/arguments.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace probe {
namespace {

[[noreturn]] void refuse(const std::string& problem) {
  std::fprintf(stderr, "error: %s\n", problem.c_str());
  std::exit(2);
}

}  // namespace

Arguments::Arguments(int argc, char** argv, const std::vector<std::string_view>& known) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const bool is_known = name.starts_with("--") &&
                          std::find(known.begin(), known.end(), name.substr(2)) != known.end();
    if (!is_known) refuse("unknown argument '" + std::string(name) + "'");
    if (i + 1 == argc) refuse("no value after '" + std::string(name) + "'");
    pairs_.emplace_back(name.substr(2), argv[i + 1]);
  }
}

std::string Arguments::one(std::string_view name, std::string fallback) const {
  for (const auto& [key, value] : pairs_) {
    if (key == name) fallback = value;
  }
  return fallback;
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : pairs_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

long Arguments::number(std::string_view name, long fallback, long least, long most) const {
  const std::string text = one(name);
  if (text.empty()) return fallback;
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (errno != 0 || *end != '\0' || value < least || value > most) {
    refuse("'--" + std::string(name) + "' is not a number from " + std::to_string(least) + " to " +
           std::to_string(most) + ": '" + text + "'");
  }
  return value;
}

}  // namespace probe
