// SPDX-License-Identifier: Apache-2.0
// The table of checks of the static tier, and running them.

#include "validators/checks/check.h"

#include <algorithm>
#include <chrono>

namespace img {
namespace {

/// The result that follows from what the image lacks; nullopt: the check runs.
std::optional<CheckResult> not_run(const StaticCheck& check, const CheckContext& context) {
  if (check.needs == Needs::bytes) return std::nullopt;
  if (context.view.incomplete()) return blocked(check.id, Tier::image, *context.view.incomplete());
  if (check.needs == Needs::cuda && !context.view.has_cuda()) {
    return skip(check.id, "the image has no CUDA libraries");
  }
  if (check.needs == Needs::torch && !context.view.torch()) {
    return skip(check.id, "the image has no torch");
  }
  return std::nullopt;
}

CheckResult run_check(const StaticCheck& check, const CheckContext& context) {
  const auto start = std::chrono::steady_clock::now();
  auto result = not_run(check, context);
  if (!result) result = check.function(context);
  result->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return *std::move(result);
}

}  // namespace

const std::vector<StaticCheck>& static_checks() {
  static const std::vector<StaticCheck> table{
      {"IMG-DIGEST", Needs::bytes, check_digests},
      {"IMG-LAYER", Needs::bytes, check_layers},
      {"IMG-CONFIG", Needs::bytes, check_config},
      {"IMG-SIZE", Needs::view, check_size},
      {"IMG-WASTE", Needs::view, check_waste},
      {"IMG-LEFTOVER", Needs::view, check_leftovers},
      {"IMG-SECRET", Needs::bytes, check_secrets},
      {"ELF-CLOSURE", Needs::view, check_closure},
      {"ELF-VERSION", Needs::view, check_elf_versions},
      {"ELF-SYMS", Needs::cuda, check_symbols},
      {"ELF-CXXABI", Needs::torch, check_cxx_abi},
      {"LIB-ONECOPY", Needs::cuda, check_one_copy},
      {"CUDNN-SET", Needs::cuda, check_cudnn_set},
      {"DRV-NOTBAKED", Needs::view, check_driver_baked},
      {"DRV-STUB", Needs::view, check_driver_stub},
      {"COMPAT-NOTE", Needs::view, check_compat_note},
      {"REQ-ENV", Needs::cuda, check_require_env},
      {"ARCH-LIST", Needs::cuda, check_gpu_arch},
      {"PAIR-PROMISE", Needs::view, check_promises},
      {"PAIR-TABLE", Needs::torch, check_pairing},
      {"PY-PACKAGES", Needs::view, check_python_packages},
      {"PY-BYTECODE", Needs::view, check_bytecode},
  };
  return table;
}

std::vector<CheckResult> run_static_tier(const StaticInput& input, const Expectations& expectations,
                                         const std::vector<std::string>& only) {
  const ImageView view(input.image);
  const Processes processes(view);
  const CheckContext context{input, expectations, view, processes};
  std::vector<CheckResult> results;
  for (const StaticCheck& check : static_checks()) {
    if (!only.empty() && std::find(only.begin(), only.end(), check.id) == only.end()) continue;
    results.push_back(run_check(check, context));
  }
  return results;
}

}  // namespace img
