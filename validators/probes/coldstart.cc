// SPDX-License-Identifier: Apache-2.0
// Times fresh processes: the interpreter, the loading of libtorch, `import torch`.
//
//   coldstart --phase interpreter|libtorch|import|detail… [--python INTERPRETER] [--torch FOLDER]
//             [--seconds N]
//
// Each phase is one process from its making to its end. Events: sample {phase, ok, error, seconds,
// cpu_seconds, minor_faults, major_faults, read_bytes, max_rss_bytes}; detail {modules, opened,
// failed_opens, mapped_files, mapped_bytes, resident_bytes, read_calls_bytes, storage_bytes,
// missing_bytecode, missing_example}; loader {tries, misses}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/library.h"
#include "validators/probes/python_code.h"

#include <chrono>
#include <cstdio>
#include <string>

#include <dlfcn.h>

namespace probe {
namespace {

std::chrono::seconds limit{100};  ///< of each process; set once by main

void report_sample(const std::string& phase, const ChildEnd& end) {
  Event("sample")
      .text("phase", phase)
      .flag("ok", end.good())
      .text("error", why_ill(end))
      .number("seconds", end.seconds)
      .number("cpu_seconds", end.cpu_seconds)
      .integer("minor_faults", end.minor_faults)
      .integer("major_faults", end.major_faults)
      .integer("read_bytes", end.read_bytes)
      .integer("max_rss_bytes", end.max_rss_bytes)
      .emit();
}

ChildEnd run_python(const std::string& python, const char* code) {
  return run_program({.argv = {python, "-c", code}, .timeout = limit});
}

int load_libtorch(const std::string& torch) {
  const Library library(torch + "/lib/libtorch.so", RTLD_NOW | RTLD_GLOBAL);
  if (library.loaded()) return 0;
  std::fprintf(stderr, "%s\n", library.error().c_str());
  return 1;
}

/// LD_DEBUG makes the loader name every file that it tries.
void count_loader_tries(const std::string& python) {
  const ChildEnd end = run_program({.argv = {python, "-c", "import torch, os; os._exit(0)"},
                                    .env = {"LD_DEBUG=libs"},
                                    .timeout = limit,
                                    .errors_in_output = true});
  constexpr std::string_view kMark = "trying file=";
  std::int64_t tries = 0;
  std::int64_t misses = 0;
  for (std::size_t at = end.output.find(kMark); at != std::string::npos;
       at = end.output.find(kMark, at)) {
    at += kMark.size();
    const std::size_t stop = std::min(end.output.find('\n', at), end.output.size());
    ++tries;
    if (!file_exists(end.output.substr(at, stop - at))) ++misses;
  }
  Event("loader").integer("tries", tries).integer("misses", misses).emit();
}

void run_phase(const std::string& phase, const std::string& python, const std::string& torch) {
  // Ending at once leaves out the taking down of the interpreter, which no start waits for.
  if (phase == "interpreter") {
    report_sample(phase, run_python(python, "import os; os._exit(0)"));
  } else if (phase == "import") {
    report_sample(phase, run_python(python, "import torch, os; os._exit(0)"));
  } else if (phase == "libtorch") {
    report_sample(phase, run_forked([&] { return load_libtorch(torch); }, limit));
  } else {
    report("detail",
           run_program(
               {.argv = {python, "-c", kDetailCode}, .timeout = limit, .writes_events = true}));
    count_loader_tries(python);
  }
}

bool is_phase(const std::string& phase) {
  return phase == "interpreter" || phase == "libtorch" || phase == "import" || phase == "detail";
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"phase", "python", "torch", "seconds"});
  limit = std::chrono::seconds(arguments.number("seconds", 100, 1, 3600));
  for (const std::string& phase : arguments.all("phase")) {
    if (is_phase(phase)) continue;
    std::fprintf(stderr, "error: unknown phase '%s'\n", phase.c_str());
    return 2;
  }
  start("coldstart");
  for (const std::string& phase : arguments.all("phase")) {
    run_phase(phase, arguments.one("python"), arguments.one("torch"));
  }
  probe::end();
  return 0;
}
