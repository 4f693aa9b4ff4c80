// SPDX-License-Identifier: Apache-2.0
// Runs the image's Python: imports, `pip check`, what a user without a name meets, torch.compile.
//
//   python --python INTERPRETER --mode import|pip-check|nouser|compile [--distribution NAME]…
//          [--torch FOLDER] [--seconds N]
//
// Events: package {name, version}; import {distribution, module, ok, seconds, error, warning};
// outcome {ok, available, output, seconds, max_error, compiled}; circumstances {uid, passwd_entry,
// root_writable}; step {name, ok, value, advice, error}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/python_code.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace probe {
namespace {

using Modules = std::vector<std::pair<std::string, std::string>>;  ///< distribution, module

/// The first line in which Python's warnings module speaks: "file:line: UserWarning: text".
std::string warning_in(const std::string& errors) {
  const std::size_t found = errors.find("Warning: ");
  if (found == std::string::npos) return {};
  const std::size_t line = errors.rfind('\n', found) + 1;  // npos + 1 is the beginning
  return errors.substr(line, errors.find('\n', found) - line);
}

/// Lines "distribution\tmodule"; a module that several distributions share is listed once.
Modules parse_modules(const std::string& output) {
  Modules modules;
  std::set<std::string> known;
  std::size_t at = 0;
  while (at < output.size()) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    at = end + 1;
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos || !known.insert(line.substr(tab + 1)).second) continue;
    modules.emplace_back(line.substr(0, tab), line.substr(tab + 1));
  }
  return modules;
}

void import_one(const std::string& python, const std::string& distribution,
                const std::string& module, std::chrono::seconds limit) {
  const ChildEnd end =
      run_program({.argv = {python, "-c",
                            "import importlib, os, sys; importlib.import_module(sys.argv[1]); "
                            "os._exit(0)",
                            module},
                   .timeout = limit});
  Event("import")
      .text("distribution", distribution)
      .text("module", module)
      .flag("ok", end.good())
      .number("seconds", end.seconds)
      .text("error", why_ill(end))
      .text("warning", end.good() ? warning_in(end.stderr_tail) : "")
      .emit();
}

void run_imports(const std::string& python, const std::vector<std::string>& distributions,
                 std::chrono::seconds limit) {
  Program listing{.argv = {python, "-c", kModulesCode}, .writes_events = true};
  listing.argv.insert(listing.argv.end(), distributions.begin(), distributions.end());
  const ChildEnd listed = run_program(listing);
  report("modules", listed);
  const Modules modules = parse_modules(listed.output);
  const auto workers = static_cast<int>(std::clamp(::sysconf(_SC_NPROCESSORS_ONLN), 1L, 4L));
  const auto work = [&](int worker) {
    for (std::size_t i = static_cast<std::size_t>(worker); i < modules.size();
         i += static_cast<std::size_t>(workers)) {
      import_one(python, modules[i].first, modules[i].second, limit);
    }
    return 0;
  };
  for (const ChildEnd& end : run_group(workers, work, std::chrono::seconds(280))) {
    report("imports", end);
  }
}

void run_pip_check(const std::string& python) {
  const ChildEnd end =
      run_program({.argv = {python, "-m", "pip", "check"},
                   .env = {"PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_CACHE_DIR=1"},
                   .timeout = std::chrono::seconds(100),
                   .errors_in_output = true});
  const bool available = end.output.find("No module named pip") == std::string::npos;
  Event("outcome")
      .flag("ok", end.good())
      .flag("available", available)
      .text("output", end.output)
      .number("seconds", end.seconds)
      .emit();
}

void run_code(const char* name, const std::string& python, const char* code,
              const std::vector<std::string>& arguments, std::chrono::seconds timeout) {
  Program program{.argv = {python, "-c", code}, .timeout = timeout, .writes_events = true};
  program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
  report(name, run_program(program));
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"python", "mode", "distribution", "torch", "seconds"});
  const std::chrono::seconds limit(arguments.number("seconds", 100, 1, 3600));
  const std::string python = arguments.one("python");
  const std::string mode = arguments.one("mode");
  if (mode != "import" && mode != "pip-check" && mode != "nouser" && mode != "compile") {
    std::fprintf(stderr, "error: unknown mode '%s'\n", mode.c_str());
    return 2;
  }
  start("python");
  if (mode == "import") run_imports(python, arguments.all("distribution"), limit);
  if (mode == "pip-check") run_pip_check(python);
  if (mode == "nouser") {
    const bool torch = !arguments.one("torch").empty();
    run_code("nouser", python, kNoUserCode,
             torch ? std::vector<std::string>{"torch"} : std::vector<std::string>{},
             std::chrono::seconds(100));
  }
  if (mode == "compile") {
    run_code("compile", python, kCompileCode, {}, std::chrono::seconds(280));
  }
  probe::end();
  return 0;
}
