// SPDX-License-Identifier: Apache-2.0
// Judges what the libraries of CUDA, cuDNN and NCCL say about their own versions.
#include "validators/judge/container_checks.h"
#include "validators/judge/version_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace img {
namespace {

constexpr std::string_view kRun = "versions";

/// What one library of the image said.
struct Library {
  std::string path, error;
  bool stand_in = false;
  std::string not_asked;           ///< why no function of it was called; empty: they were
  std::vector<const Json*> calls;  ///< events
  std::vector<std::string> ends;   ///< of children that did not end well

  bool found() const { return !path.empty(); }
  const Json* call(std::string_view function) const {
    for (const Json* event : calls) {
      if (text_or(*event, "function", "") == function) return event;
    }
    return nullptr;
  }
  /// The number that a successful call returned.
  std::optional<std::int64_t> value(std::string_view function) const {
    const Json* const event = call(function);
    if (event == nullptr || integer_of(*event, "rc") != 0) return std::nullopt;
    return integer_of(*event, "value");
  }
};

std::map<std::string, Library> libraries_of(const ProbeRun& run) {
  std::map<std::string, Library> libraries;
  for (const Json& event : run.events) {
    const std::string name = text_or(event, is_event(event, "child") ? "of" : "library", "");
    if (name.empty()) continue;
    Library& library = libraries[name];
    if (is_event(event, "library")) {
      library.path = text_or(event, "path", "");
      library.error = text_or(event, "error", "");
      library.stand_in = flag_of(event, "stand_in").value_or(false);
    } else if (is_event(event, "call")) {
      library.calls.push_back(&event);
    } else if (is_event(event, "not_asked")) {
      library.not_asked = text_or(event, "reason", "no reason given");
    } else if (is_event(event, "child")) {
      const std::int64_t code = integer_of(event, "code").value_or(-1);
      const std::string end = text_or(event, "end", "unknown");
      if (end == "exited" && code == 0) continue;
      const std::string words = text_or(event, "stderr", "");
      library.ends.push_back(end + " " + std::to_string(code) +
                             (words.empty() ? "" : ": " + words));
    }
  }
  return libraries;
}

struct Claim {
  std::string version, source;
};

/// Everything that says which version of `library` the image has.
std::vector<Claim> claims_about(const Expectations& expectations, const std::string& library,
                                const std::string& promise) {
  std::vector<Claim> claims;
  if (const auto found = expectations.versions.find(promise);
      found != expectations.versions.end()) {
    claims.push_back({found->second, "manifest"});
  }
  if (const auto found = expectations.library_versions.find(library);
      found != expectations.library_versions.end()) {
    claims.push_back({found->second, "files of the image"});
  }
  for (const ExpectedPackage& package : expectations.packages) {
    if (library_of_distribution(package.name) == library) {
      claims.push_back({package.version, "lock, '" + package.name + "'"});
    }
  }
  return claims;
}

void compare(const std::string& what, const std::string& actual, const std::vector<Claim>& claims,
             const std::string& path, Judgement& judgement) {
  if (claims.empty()) judgement.pass(what + " says its version", actual, path);
  for (const Claim& claim : claims) {
    const bool agree = versions_agree(claim.version, actual);
    judgement.findings.push_back(
        {.status = agree ? Status::pass : Status::fail,
         .message = what + (agree ? " is the expected version" : " is of another version"),
         .path = path,
         .expected = claim.version,
         .actual = actual,
         .source = claim.source});
  }
}

/// False, with a finding or a reason, when the library cannot be asked.
bool can_ask(const std::string& what, const Library* library, const std::vector<Claim>& claims,
             Judgement& judgement) {
  if (library == nullptr || (!library->found() && library->error.empty())) {
    if (claims.empty()) {
      // "the CUDA runtime" has an article of its own.
      judgement.skipped =
          "there is no " + (what.starts_with("the ") ? what.substr(4) : what) + " in the image";
    } else {
      judgement.findings.push_back({.status = Status::fail,
                                    .message = what + " is not found",
                                    .expected = claims.front().version,
                                    .source = claims.front().source});
    }
    return false;
  }
  if (!library->error.empty()) {
    judgement.fail(what + " cannot be loaded", library->error, library->path);
    return false;
  }
  judgement.simulated = judgement.simulated || library->stand_in;
  for (const std::string& end : library->ends) {
    judgement.fail("asking " + what + " for its version kills the process", end, library->path);
  }
  return true;
}

const Library* find_library(const std::map<std::string, Library>& libraries,
                            const std::string& name) {
  const auto found = libraries.find(name);
  return found == libraries.end() ? nullptr : &found->second;
}

std::string rc_text(const Json* call) {
  if (call == nullptr) return "the function was not called";
  if (const auto error = text_of(*call, "error")) return *error;
  const std::optional<std::int64_t> rc = integer_of(*call, "rc");
  return rc ? "return code " + std::to_string(*rc) : "no return code";
}

/// The one shape of VER-CUDART, VER-CUDNN and VER-NCCL: find, ask, unpack, compare.
struct Question {
  std::string what, library, promise, function;
  std::optional<std::string> (*unpack)(std::int64_t);
};

std::string ask(const Question& question, const std::map<std::string, Library>& libraries,
                const Expectations& expectations, Judgement& judgement) {
  const std::vector<Claim> claims = claims_about(expectations, question.library, question.promise);
  const Library* const library = find_library(libraries, question.library);
  if (!can_ask(question.what, library, claims, judgement)) return {};
  const std::optional<std::int64_t> number = library->value(question.function);
  const std::optional<std::string> version =
      number ? question.unpack(*number) : std::optional<std::string>();
  if (!version) {
    judgement.fail("'" + question.function + "' gives no version",
                   number ? std::to_string(*number) : rc_text(library->call(question.function)),
                   library->path);
    return {};
  }
  compare(question.what, *version, claims, library->path, judgement);
  return *version;
}

void judge_cudnn_parts(const Library& cudnn, Judgement& judgement) {
  for (const Json* call : cudnn.calls) {
    const std::string function = text_or(*call, "function", "");
    if (!function.ends_with("VersionCheck")) continue;
    if (integer_of(*call, "rc") == 0) {
      judgement.pass("'" + function + "' finds its sub-library in step");
    } else {
      judgement.fail("'" + function + "' finds another version of its sub-library", rc_text(call),
                     cudnn.path);
    }
  }
}

/// cuDNN's minor version may well be built with a newer CUDA of the same major.
void judge_cudnn_cuda(const Library& cudnn, const std::string& cuda, Judgement& judgement) {
  const std::optional<std::int64_t> number = cudnn.value("cudnnGetCudartVersion");
  const std::optional<std::string> built = number ? cuda_version_of(*number) : std::nullopt;
  const std::vector<std::uint64_t> image = version_numbers(cuda);
  if (!built || image.empty()) return;
  const bool same = version_numbers(*built).front() == image.front();
  judgement.findings.push_back({.status = same ? Status::pass : Status::fail,
                                .message = same ? "cuDNN is built for the CUDA major of the image"
                                                : "cuDNN is built for another CUDA major",
                                .path = cudnn.path,
                                .expected = "CUDA " + std::to_string(image.front()),
                                .actual = "CUDA " + *built,
                                .source = "CUDA runtime of the image"});
}

/// torch was compiled against some cuDNN: same major, and at run time at least that minor.
void judge_cudnn_build(const ContainerInput& input, const std::string& version,
                       Judgement& judgement) {
  for (const ProbeRun* run : usable_runs(input, "load")) {
    for (const Json* event : events_named(*run, "torch")) {
      const std::optional<std::int64_t> number = integer_of(*event, "cudnn_compiled");
      const std::optional<std::string> compiled = number ? cudnn_version_of(*number) : std::nullopt;
      if (!compiled) continue;
      const std::vector<std::uint64_t> built = version_numbers(*compiled);
      const std::vector<std::uint64_t> runs = version_numbers(version);
      if (built.size() < 2 || runs.size() < 2) continue;
      const bool fits = built[0] == runs[0] && built[1] <= runs[1];
      judgement.findings.push_back(
          {.status = fits ? Status::pass : Status::fail,
           .message = fits ? "cuDNN serves what torch was compiled against"
                           : "cuDNN is older than what torch was compiled against",
           .expected = "major " + std::to_string(built[0]) + ", minor " + std::to_string(built[1]) +
                       " or newer",
           .actual = version,
           .source = "torch"});
      return;  // both runs are of the same torch
    }
  }
}

std::string version_of_call(const Json& call) {
  if (auto version = text_of(call, "version")) return *version;
  return {};
}

void judge_other_library(const std::string& name, const Library& library,
                         const Expectations& expectations, Judgement& judgement) {
  const std::vector<Claim> claims = claims_about(expectations, name, name);
  if (!library.found() && library.error.empty() && claims.empty()) return;
  if (!can_ask("'" + name + "'", &library, claims, judgement)) return;
  if (!library.not_asked.empty() && library.ends.empty()) {
    judgement.pass("'" + name + "' loads; its version is not asked for", library.not_asked,
                   library.path);
    return;
  }
  bool answered = false;
  for (const Json* call : library.calls) {
    if (integer_of(*call, "rc") != 0) continue;
    const std::string version = version_of_call(*call);
    answered = true;
    if (!version.empty()) compare("'" + name + "'", version, claims, library.path, judgement);
  }
  if (!answered) {
    judgement.fail("'" + name + "' answers no question about its version",
                   library.calls.empty() ? "no function was called" : rc_text(library.calls[0]),
                   library.path);
  }
}

}  // namespace

Judgement judge_cudart_version(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kRun);
  if (run == nullptr) return judgement;
  const std::map<std::string, Library> libraries = libraries_of(*run);
  const std::string version =
      ask({"the CUDA runtime", "cudart", "cuda", "cudaRuntimeGetVersion", cuda_version_of},
          libraries, input.expectations, judgement);
  const std::string& built = input.expectations.torch_cuda;
  if (version.empty() || built.empty()) return judgement;
  const bool agree = versions_agree(built, version);
  judgement.findings.push_back({.status = agree ? Status::pass : Status::fail,
                                .message = agree ? "torch is built for this CUDA runtime"
                                                 : "torch is built for another CUDA runtime",
                                .expected = built,
                                .actual = version,
                                .source = "torch/version.py"});
  return judgement;
}

Judgement judge_cudnn_version(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kRun);
  if (run == nullptr) return judgement;
  const std::map<std::string, Library> libraries = libraries_of(*run);
  const std::string version = ask({"cuDNN", "cudnn", "cudnn", "cudnnGetVersion", cudnn_version_of},
                                  libraries, input.expectations, judgement);
  const Library* const cudnn = find_library(libraries, "cudnn");
  if (cudnn == nullptr) return judgement;
  judge_cudnn_parts(*cudnn, judgement);
  if (version.empty()) return judgement;
  const Library* const cudart = find_library(libraries, "cudart");
  const std::optional<std::int64_t> number =
      cudart != nullptr ? cudart->value("cudaRuntimeGetVersion") : std::nullopt;
  const std::optional<std::string> cuda = number ? cuda_version_of(*number) : std::nullopt;
  judge_cudnn_cuda(*cudnn, cuda.value_or(input.expectations.torch_cuda), judgement);
  judge_cudnn_build(input, version, judgement);
  return judgement;
}

Judgement judge_nccl_version(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kRun);
  if (run == nullptr) return judgement;
  ask({"NCCL", "nccl", "nccl", "ncclGetVersion", nccl_version_of}, libraries_of(*run),
      input.expectations, judgement);
  return judgement;
}

Judgement judge_library_versions(const ContainerInput& input) {
  constexpr std::array<std::string_view, 5> kElsewhere{"cudart", "cudnn", "nccl", "cuda", "nvml"};
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kRun);
  if (run == nullptr) return judgement;
  for (const auto& [name, library] : libraries_of(*run)) {
    if (std::find(kElsewhere.begin(), kElsewhere.end(), name) != kElsewhere.end()) continue;
    judge_other_library(name, library, input.expectations, judgement);
  }
  if (judgement.findings.empty()) {
    judgement.skipped = "there are no CUDA libraries in the image";
  }
  return judgement;
}

}  // namespace img
