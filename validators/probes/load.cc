// SPDX-License-Identifier: Apache-2.0
// Loads torch as a C++ program or as Python does, and says which files were mapped.
//
//   load --torch FOLDER [--python INTERPRETER] [--seconds N]
//
// Events: opening {path}; open {path, ok, error, seconds}; import {module, ok, error, seconds};
// torch {version, cuda, folder, cudnn_compiled, archs}; call {function, rc}; mapped {path}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/library.h"
#include "validators/probes/python_code.h"

#include <set>
#include <string>

#include <dlfcn.h>

namespace probe {
namespace {

Library open_library(const std::string& path) {
  // Said before: a file that ends the process that maps it could not be named afterwards.
  Event("opening").text("path", path).emit();
  const std::int64_t began = monotonic_ns();
  Library library(path, RTLD_NOW | RTLD_GLOBAL);
  Event("open")
      .text("path", path)
      .flag("ok", library.loaded())
      .text("error", library.error())
      .number("seconds", static_cast<double>(monotonic_ns() - began) / 1e9)
      .emit();
  return library;
}

/// Writes the files that were mapped since the last time.
void report_mapped(std::set<std::string>& known) {
  for (const std::string& path : mapped_libraries()) {
    if (known.insert(path).second) Event("mapped").text("path", path).emit();
  }
}

/// cuDNN loads its other libraries when it first needs them; these functions make it do so now.
void load_cudnn_parts() {
  for (const std::string& path : mapped_libraries()) {
    if (!base_name(path).starts_with("libcudnn.so")) continue;
    const Library cudnn(path, RTLD_NOW | RTLD_NOLOAD);
    for (const char* name : {"cudnnGraphVersionCheck", "cudnnOpsVersionCheck",
                             "cudnnCnnVersionCheck", "cudnnAdvVersionCheck"}) {
      if (auto* const check = cudnn.function<int()>(name)) {
        Event("call").text("function", name).integer("rc", check()).emit();
      }
    }
  }
}

int load_as_program(const std::string& torch) {
  std::set<std::string> known;
  const std::string folder = torch + "/lib/";
  // libtorch.so needs all the others; torch itself loads the linear algebra at its first use.
  open_library(folder + "libtorch.so");
  if (file_exists(folder + "libtorch_cuda_linalg.so")) {
    open_library(folder + "libtorch_cuda_linalg.so");
  }
  report_mapped(known);
  load_cudnn_parts();
  report_mapped(known);
  return 0;
}

ChildEnd load_as_python(const std::string& python, std::chrono::seconds limit) {
  return run_program({.argv = {python, "-c", kLoadCode}, .timeout = limit, .writes_events = true});
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"torch", "python", "seconds"});
  const std::chrono::seconds limit(arguments.number("seconds", 100, 1, 3600));
  start("load");
  const std::string torch = arguments.one("torch");
  const std::string python = arguments.one("python");
  const ChildEnd end = python.empty() ? run_forked([&] { return load_as_program(torch); }, limit)
                                      : load_as_python(python, limit);
  report(python.empty() ? "libtorch" : "python", end);
  probe::end();
  return 0;
}
