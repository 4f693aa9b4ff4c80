// SPDX-License-Identifier: Apache-2.0
// Judges the state of the GPU driver as seen from inside: none at all is fine, a false one is not.
#include "validators/judge/container_checks.h"
#include "validators/judge/version_text.h"

#include <array>

namespace img {
namespace {

enum class Meaning { no_driver, no_device, works, broken_image, host, unknown };

struct Code {
  std::int64_t code;
  Meaning meaning;
  std::string_view text;
};

/// Return codes of cuInit, cudaGetDeviceCount and their like that say something about the driver.
constexpr std::array<Code, 8> kCodes{{
    {0, Meaning::works, "a driver and a device answer"},
    {34, Meaning::broken_image, "a stub library stands in for the driver"},
    {35, Meaning::no_driver, "there is no driver, or it is older than the runtime"},
    {100, Meaning::no_device, "there is a driver library and no device"},
    {222, Meaning::host, "the driver cannot compile this PTX: it is too old"},
    {803, Meaning::broken_image,
     "the driver library and the kernel module differ: the image brings "
     "a driver library"},
    {804, Meaning::broken_image,
     "the image brings a compatibility driver that does not serve this "
     "GPU"},
    {36, Meaning::host, "the call needs a newer driver"},
}};

const Code* known(std::int64_t code) {
  for (const Code& one : kCodes) {
    if (one.code == code) return &one;
  }
  return nullptr;
}

struct Seen {
  std::string driver_path, driver_error;
  bool driver_asked = false, cudart_found = false;
  std::vector<std::pair<std::string, std::int64_t>> codes;  ///< function → return code
  std::optional<std::int64_t> driver_version;
  std::vector<std::string> deaths;
};

Seen read_state(const ProbeRun& run) {
  Seen seen;
  for (const Json& event : run.events) {
    const std::string library = text_or(event, "library", "");
    if (is_event(event, "library") && library == "cuda") {
      seen.driver_asked = true;
      seen.driver_path = text_or(event, "path", "");
      seen.driver_error = text_or(event, "error", "");
    } else if (is_event(event, "library") && library == "cudart") {
      seen.cudart_found = !text_or(event, "path", "").empty();
    } else if (is_event(event, "call") && (library == "cuda" || library == "cudart")) {
      const std::string function = text_or(event, "function", "");
      const std::optional<std::int64_t> rc = integer_of(event, "rc");
      const bool state = function == "cuInit" || function == "cudaGetDeviceCount" ||
                         function == "cuDriverGetVersion";
      if (state && rc) seen.codes.emplace_back(function, *rc);
      if (function == "cudaDriverGetVersion" && rc == 0) {
        seen.driver_version = integer_of(event, "value");
      }
    } else if (is_event(event, "child") && text_or(event, "of", "") == "cuda") {
      const std::string end = text_or(event, "end", "unknown");
      const std::int64_t code = integer_of(event, "code").value_or(-1);
      if (end != "exited" || code != 0) seen.deaths.push_back(end + " " + std::to_string(code));
    }
  }
  return seen;
}

void judge_code(const std::string& function, std::int64_t rc, const Seen& seen,
                Judgement& judgement) {
  const Code* const code = known(rc);
  const std::string message =
      "'" + function +
      "': " + (code != nullptr ? std::string(code->text) : "a state that is not known");
  const std::string number = std::to_string(rc);
  switch (code != nullptr ? code->meaning : Meaning::unknown) {
    case Meaning::works:
    case Meaning::no_device:
      judgement.pass(message, number, seen.driver_path);
      break;
    case Meaning::no_driver:
      // Without a driver library 35 is how the runtime says so.
      if (seen.driver_path.empty()) {
        judgement.pass("'" + function + "': there is no driver, as expected without a GPU", number);
      } else {
        judgement.warn("'" + function + "': the host's driver is older than the CUDA runtime",
                       number, seen.driver_path);
      }
      break;
    case Meaning::broken_image:
      judgement.fail(message, number, seen.driver_path);
      break;
    case Meaning::host:
      judgement.warn(message, number, seen.driver_path);
      break;
    case Meaning::unknown:
      judgement.blocked = message + " (" + number + ")";
      break;
  }
}

}  // namespace

Judgement judge_driver_state(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "versions");
  if (run == nullptr) return judgement;
  const Seen seen = read_state(*run);
  if (!seen.driver_asked) {
    judgement.blocked = "the probe did not look for the driver library";
    return judgement;
  }
  if (seen.driver_path.empty()) {
    judgement.pass("there is no 'libcuda.so.1', as expected without a GPU", seen.driver_error);
  } else if (seen.driver_path.find("/stubs/") != std::string::npos) {
    judgement.fail("a stub of the driver library is what the loader finds", {}, seen.driver_path);
  } else if (!seen.driver_error.empty()) {
    judgement.fail("the driver library cannot be loaded", seen.driver_error, seen.driver_path);
  }
  for (const std::string& death : seen.deaths) {
    judgement.fail("asking the driver kills the process", death, seen.driver_path);
  }
  for (const auto& [function, rc] : seen.codes) judge_code(function, rc, seen, judgement);
  if (seen.cudart_found && seen.driver_version) {
    const std::optional<std::string> version = cuda_version_of(*seen.driver_version);
    judgement.pass(*seen.driver_version == 0 ? "the CUDA runtime sees no driver"
                                             : "the CUDA runtime sees a driver",
                   version.value_or(std::to_string(*seen.driver_version)));
  }
  return judgement;
}

}  // namespace img
