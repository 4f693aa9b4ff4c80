// SPDX-License-Identifier: Apache-2.0
// PAIR-TABLE: torch, CUDA, cuDNN and NCCL against the wheel's own pins and the compatibility table.

#include "builder/base/text.h"
#include "validators/checks/check.h"
#include "validators/checks/wheel_pin.h"

#include <algorithm>

namespace img {
namespace {

/// "9.10" of "9.10.2.21"
std::pair<std::uint64_t, std::uint64_t> major_minor(const std::string& version) {
  const std::vector<std::string> parts = split(version, '.');
  const auto number = [&parts](std::size_t at) {
    return at < parts.size() ? parse_decimal(parts[at]).value_or(0) : 0;
  };
  return {number(0), number(1)};
}

/// The table's name of a component → stem of its distribution.
std::string distribution_of(const std::string& component) {
  if (component == "runtime" || component == "nvrtc" || component == "cupti") {
    return "nvidia-cuda-" + component;
  }
  return "nvidia-" + component;
}

class Pairing {
 public:
  Pairing(const CheckContext& context, const TorchFacts& torch)
      : context_(context), torch_(torch), release_(context.input.table.find_torch(torch.version)) {}

  std::vector<Finding> run() {
    judge_pins();
    judge_row();
    add_claims();
    return std::move(findings_);
  }

 private:
  /// What the wheel itself was built and tested with.
  void judge_pins() {
    const InstalledPackage* torch = context_.view.package("torch");
    if (torch == nullptr) {
      findings_.push_back(warn_finding(
          context_, "torch has no dist-info, so its pins are not known", torch_.folder));
      return;
    }
    for (const std::string& requirement : torch->requirements) {
      const auto pin = parse_pin(requirement);
      const bool counts = pin && (pin->name.starts_with("nvidia-") || pin->name == "triton" ||
                                  pin->name.starts_with("cuda-"));
      if (counts) judge_pin(*pin);
    }
  }

  void judge_pin(const WheelPin& pin) {
    const std::string wanted = pin.prefix ? pin.version + ".*" : pin.version;
    const InstalledPackage* installed = context_.view.package(pin.name);
    if (installed == nullptr) {
      findings_.push_back(
          compared(fail_finding(context_, "'" + pin.name + "', which torch pins, is not installed"),
                   wanted, "not installed", "METADATA of torch"));
      return;
    }
    const bool kept = keeps_pin(pin, installed->version);
    Finding finding =
        kept ? pass_finding(context_, "'" + pin.name + "' is what torch pins", installed->folder)
             : fail_finding(context_, "'" + pin.name + "' is not what torch pins",
                            installed->folder);
    findings_.push_back(
        compared(std::move(finding), wanted, installed->version, "METADATA of torch"));
  }

  void judge_row() {
    if (release_ == nullptr) {
      findings_.push_back(
          warn_finding(context_, "the compatibility table does not have torch " + torch_.version,
                       torch_.folder));
      return;
    }
    const TorchVariant* variant = release_->find_cuda(torch_.cuda);
    if (variant == nullptr) {
      findings_.push_back(compared(
          fail_finding(context_,
                       "torch " + release_->release + " was not published for CUDA " + torch_.cuda,
                       torch_.folder),
          variants(), "CUDA " + torch_.cuda, "compatibility table; " + release_->source));
      return;
    }
    source_ = "compatibility table, evidence " + variant->evidence + ": " + variant->source;
    findings_.push_back(compared(
        pass_finding(context_,
                     "torch " + release_->release + " was published for CUDA " + torch_.cuda,
                     torch_.folder),
        variants(), "CUDA " + torch_.cuda, source_));
    judge_cudnn(variant->cudnn);
    judge_equal("nccl", "nvidia-nccl", variant->nccl);
    judge_equal("cuSPARSELt", "nvidia-cusparselt", variant->cusparselt);
    judge_equal("NVSHMEM", "nvidia-nvshmem", variant->nvshmem);
    for (const auto& [component, version] : variant->components) {
      judge_equal(component, distribution_of(component), version);
    }
    const std::string triton = release_->triton_of(torch_.version);
    if (triton.find_first_not_of("0123456789.") == std::string::npos) {
      judge_equal("triton", "triton", triton);
    }
  }

  std::string variants() const {
    std::vector<std::string> names;
    for (const TorchVariant& variant : release_->variants) {
      names.push_back(variant.cuda + (variant.is_default ? " (default)" : ""));
    }
    return "CUDA " + join(names, ", ");
  }

  /// Same major, at least the minor that torch was compiled with; patches are compatible.
  void judge_cudnn(const std::string& built) {
    if (built.empty()) return;
    for (const InstalledPackage* package : context_.view.variants("nvidia-cudnn")) {
      const auto had = major_minor(built), has = major_minor(package->version);
      Finding finding;
      if (package->version == built) {
        finding = pass_finding(context_, "cuDNN is the table's", package->folder);
      } else if (had.first == has.first && has.second >= had.second) {
        finding = warn_finding(context_,
                               "cuDNN is newer than the table's, which serves but was "
                               "not tested",
                               package->folder);
      } else {
        finding = fail_finding(context_, "cuDNN does not serve what torch was compiled with",
                               package->folder);
      }
      findings_.push_back(compared(std::move(finding), built, package->version, source_));
    }
  }

  void judge_equal(const std::string& what, const std::string& stem, const std::string& built) {
    if (built.empty() || built == "bundled") return;
    for (const InstalledPackage* package : context_.view.variants(stem)) {
      const bool same = package->version == built;
      Finding finding = same ? pass_finding(context_, what + " is the table's", package->folder)
                             : warn_finding(context_, what + " is another version than the table's",
                                            package->folder);
      findings_.push_back(compared(std::move(finding), built, package->version, source_));
    }
  }

  /// What is said about this release beside what is so: the reader may have come with the claim.
  void add_claims() {
    if (release_ == nullptr) return;
    for (const Claim& claim : context_.input.table.claims) {
      if (claim.torch != release_->release) continue;
      findings_.push_back(
          compared(pass_finding(context_, "claim: '" + claim.claim + "'; truth: " + claim.truth),
                   claim.truth, "torch " + torch_.version + " with CUDA " + torch_.cuda,
                   "compatibility table, claims"));
    }
  }

  const CheckContext& context_;
  const TorchFacts& torch_;
  const TorchRelease* release_;
  std::string source_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_pairing(const CheckContext& context) {
  const TorchFacts& torch = *context.view.torch();
  if (torch.cuda.empty()) return skip("PAIR-TABLE", "torch is built without CUDA");
  return finish("PAIR-TABLE", Pairing(context, torch).run());
}

}  // namespace img
