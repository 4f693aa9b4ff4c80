// SPDX-License-Identifier: Apache-2.0
// Runs a container by runc's command line and tells its failures from those of the container.
#include "validators/runner/oci_runtime.h"

#include "builder/base/error.h"
#include "builder/base/json.h"
#include "builder/base/text.h"
#include "validators/runner/cgroups.h"
#include "validators/runner/sandbox.h"

namespace img {
namespace {

constexpr const char* kLog = "runtime.log";
constexpr std::uint64_t kMostLog = 1 << 20;

/// The last error that the runtime logged; empty when there is none. The log is closed before the
/// container's program starts, so nothing of the image writes to it.
std::string last_error_in(const fs::path& log) {
  std::string text;
  try {
    text = read_file(log, kMostLog);
  } catch (const Error&) {
    return "";
  }
  std::string message;
  for (const std::string& line : split(text, '\n')) {
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object()) continue;
    const auto level = entry.find("level");
    const auto found = entry.find("msg");
    if (level == entry.end() || found == entry.end() || !found->is_string()) continue;
    if (*level == "error" || *level == "fatal") message = printable(found->get<std::string>());
  }
  return message;
}

}  // namespace

ContainerEnd OciRuntime::run(const ContainerStart& start) {
  SandboxPlan plan{
      .argv = {program_.string(), "--root", kRuntimeState, "--log", kLog, "--log-format", "json",
               "run", "--bundle", ".", start.id},
      .env = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
      .folder = start.folder,
      .layers = start.layers,
      .user_namespace = traits_.rootless,
      .limits = start.limits};
  ContainerEnd end;
  const fs::path state = start.folder / kRuntimeState;
  try {
    end = run_in_sandbox(plan);
  } catch (...) {
    remove_cgroups(cgroups_of(state, start.id));
    throw;
  }
  // A runtime that was ended together with its container could not clean up.
  remove_cgroups(cgroups_of(state, start.id));
  if (end.kind == ContainerEnd::Kind::exited && end.exit_code != 0) {
    const std::string said = last_error_in(start.folder / kLog);
    if (!said.empty()) {
      end.kind = ContainerEnd::Kind::not_started;
      end.reason = name_ + ": " + said;
    }
  }
  return end;
}

}  // namespace img
