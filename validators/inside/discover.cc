// SPDX-License-Identifier: Apache-2.0
// Asks interpreters where torch is and which wheels of NVIDIA they have, without importing any.
#include "validators/inside/discover.h"

#include "builder/base/text.h"
#include "validators/inside/run_call.h"
#include "validators/judge/version_text.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <unistd.h>

namespace img {
namespace {

/// Prints torch's folder, the version and the CUDA version of its version.py, then a line "name
/// version" for each wheel of NVIDIA.
constexpr const char* kWhereCode = R"python(
import importlib.metadata, importlib.util, os
spec = importlib.util.find_spec("torch")
if spec is not None and spec.origin:
    folder = os.path.dirname(spec.origin)
    values = {}
    with open(os.path.join(folder, "version.py")) as file:
        exec(file.read(), values)
    print(folder)
    print(values.get("__version__", ""))
    print(values.get("cuda") or "")
    for wheel in importlib.metadata.distributions():
        name = (wheel.metadata["Name"] or "").lower().replace("_", "-")
        if name.startswith("nvidia-"):
            print(name, wheel.version)
)python";

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::vector<std::string> candidates() {
  std::vector<std::string> folders;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    if (const std::string prefix = environment(name); !prefix.empty()) {
      folders.push_back(prefix + "/bin");
    }
  }
  for (const std::string& folder : split(environment("PATH"), ':')) folders.push_back(folder);
  for (const char* folder : {"/opt/venv/bin", "/opt/conda/bin", "/usr/local/bin", "/usr/bin"}) {
    folders.emplace_back(folder);
  }
  std::vector<std::string> found;
  for (const std::string& folder : folders) {
    for (const char* name : {"/python3", "/python"}) {
      const std::string path = folder + name;
      const bool known = std::find(found.begin(), found.end(), path) != found.end();
      if (folder.starts_with("/") && !known && ::access(path.c_str(), X_OK) == 0) {
        found.push_back(path);
        break;
      }
    }
  }
  return found;
}

/// True when that interpreter has torch.
bool describe(const std::string& python, Expectations& expectations) {
  const ProgramRun run = run_limited({.argv = {python, "-c", kWhereCode},
                                      .timeout = std::chrono::seconds(60),
                                      .stdout_bytes = 1 << 16});
  const std::vector<std::string> lines = split(run.stdout_text, '\n');
  if (run.end != RunEnd::exited || run.exit_code != 0 || lines.size() < 3) return false;
  if (!lines[0].starts_with("/")) return false;
  expectations.python = python;
  expectations.torch_folder = lines[0];
  expectations.torch_version = lines[1];
  expectations.torch_cuda = lines[2];
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const std::size_t space = lines[i].find(' ');
    const std::string library = library_of_distribution(lines[i].substr(0, space));
    if (space == std::string::npos || library.empty()) continue;
    expectations.library_versions.emplace(library, lines[i].substr(space + 1));
  }
  return true;
}

}  // namespace

Expectations discover_expectations() {
  Expectations expectations;
  const std::vector<std::string> pythons = candidates();
  for (const std::string& python : pythons) {
    if (describe(python, expectations)) return expectations;
  }
  if (!pythons.empty()) expectations.python = pythons.front();
  return expectations;
}

}  // namespace img
