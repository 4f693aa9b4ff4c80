// SPDX-License-Identifier: Apache-2.0
// What each check of the static tier is: a pure function from one context to one result.
#pragma once

#include "validators/checks/image_view.h"
#include "validators/checks/processes.h"
#include "validators/checks/static_tier.h"

#include <string>
#include <vector>

namespace img {

/// Everything that a check may look at.
struct CheckContext {
  const StaticInput& input;
  const Expectations& expectations;
  const ImageView& view;
  const Processes& processes;

  const ImageFacts& image() const { return input.image; }
  const BuildManifest* manifest() const { return input.manifest; }
};

using CheckFunction = CheckResult (*)(const CheckContext&);

/// What a check needs before it can say anything; run_static_tier sees to it.
enum class Needs {
  bytes,  ///< the image's documents and layers, damaged or not
  view,   ///< every layer read whole; else the check is blocked
  cuda,   ///< a view with CUDA libraries; else it is skipped
  torch,  ///< a view with torch; else it is skipped
};

struct StaticCheck {
  std::string id;
  Needs needs;
  CheckFunction function;
};
/// Every check of the tier, in the catalogue's order.
const std::vector<StaticCheck>& static_checks();

inline constexpr const char* kNoManifest = "no manifest was given";

/// Findings with the layer of `path` filled in.
Finding pass_finding(const CheckContext& context, std::string message,
                     const std::string& path = {});
Finding warn_finding(const CheckContext& context, std::string message,
                     const std::string& path = {});
Finding fail_finding(const CheckContext& context, std::string message,
                     const std::string& path = {});
/// The same with both sides.
Finding compared(Finding finding, std::string expected, std::string actual,
                 std::string source = {});
CheckResult finish(std::string id, std::vector<Finding> findings);
CheckResult skip(std::string id, std::string reason);

// layers.cc
CheckResult check_digests(const CheckContext& context);
CheckResult check_layers(const CheckContext& context);
// image_config.cc
CheckResult check_config(const CheckContext& context);
// size.cc
CheckResult check_size(const CheckContext& context);
// waste.cc
CheckResult check_waste(const CheckContext& context);
// leftovers.cc
CheckResult check_leftovers(const CheckContext& context);
// secrets.cc
CheckResult check_secrets(const CheckContext& context);
// elf_closure.cc
CheckResult check_closure(const CheckContext& context);
// elf_versions.cc
CheckResult check_elf_versions(const CheckContext& context);
// symbols.cc
CheckResult check_symbols(const CheckContext& context);
// cxx_abi.cc
CheckResult check_cxx_abi(const CheckContext& context);
// cuda_libraries.cc
CheckResult check_one_copy(const CheckContext& context);
// cudnn.cc
CheckResult check_cudnn_set(const CheckContext& context);
// driver.cc
CheckResult check_driver_baked(const CheckContext& context);
CheckResult check_driver_stub(const CheckContext& context);
// compat_note.cc
CheckResult check_compat_note(const CheckContext& context);
// require_env.cc
CheckResult check_require_env(const CheckContext& context);
// gpu_arch.cc
CheckResult check_gpu_arch(const CheckContext& context);
// promises.cc
CheckResult check_promises(const CheckContext& context);
// pairing.cc
CheckResult check_pairing(const CheckContext& context);
// python_packages.cc
CheckResult check_python_packages(const CheckContext& context);
// bytecode.cc
CheckResult check_bytecode(const CheckContext& context);

}  // namespace img
