// SPDX-License-Identifier: Apache-2.0
// Proving the versions that a manifest promises on the artifacts themselves.
#include "builder/resolve/promises.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"

#include <algorithm>
#include <utility>

namespace img {
namespace {

/// One promise under proof, and how to complain about it.
class Promise {
 public:
  Promise(const BuildManifest& manifest, std::string name, std::string version)
      : name_(std::move(name)), version_(std::move(version)) {
    const auto at = manifest.version_positions.find(name_);
    if (at != manifest.version_positions.end()) position_ = at->second;
  }

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }

  [[noreturn]] void fail(std::string message, std::string hint = {},
                         std::vector<ErrorDetail> details = {}) const {
    throw ManifestError(ErrorText{.message = std::move(message),
                                  .details = std::move(details),
                                  .position = position_,
                                  .hint = std::move(hint)});
  }

  /// `actual`, when it keeps the promise.
  std::string require(const std::string& actual, const std::string& origin) const {
    if (keeps_promise(version_, actual)) return actual;
    fail("the image has " + name_ + " " + actual + ", not " + version_,
         "promise the version that is there, or require another one",
         {{"expected", version_, "versions." + name_}, {"got", actual, origin}});
  }

 private:
  std::string name_, version_;
  std::optional<Position> position_;
};

const LockedWheel* find_wheel(const LockFile& lock, const std::string& name) {
  for (const LockedWheel& wheel : lock.wheels) {
    if (wheel.name == name) return &wheel;
  }
  return nullptr;
}

/// "nvidia-nccl-cu12", "nvidia-cuda-runtime": the stem alone or with the CUDA major of its build.
bool is_variant_of(const std::string& name, const std::string& stem) {
  if (!name.starts_with(stem)) return false;
  const std::string rest = name.substr(stem.size());
  if (rest.empty()) return true;
  return rest.starts_with("-cu") && rest.size() > 3 &&
         rest.find_first_not_of("0123456789", 3) == std::string::npos;
}

const LockedWheel* find_variant(const LockFile& lock, const std::string& stem) {
  for (const LockedWheel& wheel : lock.wheels) {
    if (is_variant_of(wheel.name, stem)) return &wheel;
  }
  return nullptr;
}

std::string index_text(const LockedWheel& wheel) {
  return wheel.index == "pypi" ? "the PyPI index" : "index '" + wheel.index + "'";
}

/// "3.11.2-6+deb12u6" → "3.11.2"
std::string upstream_version(const std::string& version) {
  const std::size_t colon = version.find(':');
  const std::size_t start = colon == std::string::npos ? 0 : colon + 1;
  const std::size_t end = version.find_first_not_of("0123456789.", start);
  return version.substr(start, end == std::string::npos ? end : end - start);
}

std::string prove_python(const Promise& promise, const BuildManifest& manifest,
                         const LockFile& lock) {
  const PythonSpec* python = manifest.python();
  if (python == nullptr) {
    promise.fail("python " + promise.version() + " is promised, but no recipe brings a Python",
                 "add a recipe with `python:`, or remove the promise");
  }
  for (const char* suffix : {"-minimal", ""}) {
    for (const LockedDeb& deb : lock.debs) {
      if (deb.package != "python" + python->version + suffix) continue;
      return promise.require(upstream_version(deb.version),
                             "package '" + deb.package + "' " + deb.version);
    }
  }
  return promise.require(python->version, python->path);
}

TorchVersion read_torch(const Promise& promise, const LockedWheel& wheel,
                        const PromiseEvidence& evidence) {
  const auto text = evidence.read(wheel, "torch/version.py");
  const auto version = text ? parse_torch_version(*text) : std::nullopt;
  if (!version) {
    promise.fail("wheel '" + wheel.file + "' does not say in torch/version.py what it is");
  }
  return *version;
}

std::string prove_torch(const Promise& promise, const LockedWheel& wheel,
                        const PromiseEvidence& evidence) {
  promise.require(wheel.version, "wheel '" + wheel.file + "'");
  return promise.require(read_torch(promise, wheel, evidence).version,
                         "torch/version.py in wheel '" + wheel.file + "'");
}

std::string variants_hint(const LockedWheel& torch, const PromiseEvidence& evidence) {
  const std::string release = torch.version.substr(0, torch.version.find('+'));
  std::vector<std::string> variants;
  if (evidence.cuda_variants) variants = evidence.cuda_variants(release);
  if (variants.empty())
    return "promise the CUDA version that the wheel has, or choose another torch";
  return "torch " + release + " exists for CUDA " + join(variants, ", ") +
         "; the recipe's `index:` chooses which";
}

std::string prove_cuda_by_torch(const Promise& promise, const LockedWheel& torch,
                                const PromiseEvidence& evidence) {
  const TorchVersion real = read_torch(promise, torch, evidence);
  const std::string subject = "torch " + torch.version + " of " + index_text(torch);
  if (!real.cuda) {
    promise.fail(subject + " is built without CUDA, not for CUDA " + promise.version(),
                 variants_hint(torch, evidence));
  }
  if (keeps_promise(promise.version(), *real.cuda)) return *real.cuda;
  promise.fail(subject + " is built for CUDA " + *real.cuda + ", not " + promise.version(),
               variants_hint(torch, evidence),
               {{"expected", promise.version(), "versions.cuda"},
                {"got", *real.cuda, "torch/version.py in wheel '" + torch.file + "'"}});
}

std::string prove_wheel(const Promise& promise, const LockedWheel* wheel, const std::string& what) {
  if (wheel == nullptr) {
    promise.fail(
        promise.name() + " " + promise.version() + " is promised, but the image has no " + what,
        "require it in a recipe, or remove the promise");
  }
  return promise.require(wheel->version, "wheel '" + wheel->file + "'");
}

[[noreturn]] void fail_unknown(const Promise& promise, const LockFile& lock) {
  std::vector<std::string> names = {"python", "cuda", "cudnn", "nccl"};
  for (const LockedWheel& wheel : lock.wheels) names.push_back(wheel.name);
  const auto guess = did_you_mean(promise.name(), names);
  promise.fail("'" + promise.name() + "' is promised, but no wheel of the image has that name",
               guess ? "did you mean '" + *guess + "'?"
                     : "promise python, cuda, cudnn, nccl or a wheel of the image");
}

std::string prove(const Promise& promise, const BuildManifest& manifest,
                  const PromiseEvidence& evidence) {
  const LockFile& lock = *evidence.lock;
  const std::string& name = promise.name();
  if (name == "python") return prove_python(promise, manifest, lock);
  const LockedWheel* torch = find_wheel(lock, "torch");
  if (name == "torch" && torch != nullptr) return prove_torch(promise, *torch, evidence);
  if (name == "cuda" && torch != nullptr) return prove_cuda_by_torch(promise, *torch, evidence);
  if (name == "cuda") {
    return prove_wheel(promise, find_variant(lock, "nvidia-cuda-runtime"),
                       "torch and no wheel 'nvidia-cuda-runtime'");
  }
  if (name == "cudnn" || name == "nccl") {
    return prove_wheel(promise, find_variant(lock, "nvidia-" + name),
                       "wheel 'nvidia-" + name + "'");
  }
  const LockedWheel* wheel = find_wheel(lock, normalize_distribution(name));
  if (wheel == nullptr) fail_unknown(promise, lock);
  return promise.require(wheel->version, "wheel '" + wheel->file + "'");
}

/// Value of "name = '…'" or "name: type = '…'" at the start of a line: the text, "" for None;
/// nullopt when absent.
std::optional<std::string> python_assignment(std::string_view text, std::string_view name) {
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    const std::string_view rest = std::string_view(line).substr(name.size());
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view between = trim(rest.substr(0, equals));
    if (!between.empty() && between.front() != ':') continue;
    const std::string_view value = trim(rest.substr(equals + 1));
    if (value == "None") return "";
    const bool quoted = value.size() >= 3 && (value.front() == '\'' || value.front() == '"') &&
                        value.back() == value.front();
    if (quoted) return std::string(value.substr(1, value.size() - 2));
  }
  return std::nullopt;
}

}  // namespace

bool keeps_promise(std::string_view promised, std::string_view actual) {
  if (!actual.starts_with(promised)) return false;
  return actual.size() == promised.size() || actual[promised.size()] == '.' ||
         actual[promised.size()] == '+';
}

std::optional<TorchVersion> parse_torch_version(std::string_view text) {
  const auto version = python_assignment(text, "__version__");
  const auto cuda = python_assignment(text, "cuda");
  if (!version || version->empty() || !cuda) return std::nullopt;
  TorchVersion result{.version = *version, .cuda = std::nullopt};
  if (!cuda->empty()) result.cuda = *cuda;
  return result;
}

std::map<std::string, std::string> prove_promises(const BuildManifest& manifest,
                                                  const PromiseEvidence& evidence) {
  std::map<std::string, std::string> verified;
  for (const auto& [name, version] : manifest.versions) {
    verified[name] = prove(Promise(manifest, name, version), manifest, evidence);
  }
  return verified;
}

}  // namespace img
