// SPDX-License-Identifier: Apache-2.0
// Judges first kernels on each device and cuDNN's convolution: they run, and every number is exact.
#include "validators/judge/gpu_checks.h"
#include "validators/judge/gpu_tier.h"

#include <set>

namespace img {
namespace {

/// "No kernel image" is the image's fault and nothing else is; each library has a code of its own.
bool is_no_kernel_image(const std::string& step, std::int64_t rc, const std::string& error) {
  if (error.find("no kernel image") != std::string::npos) return true;
  if (step == "ptx") return rc == 209;
  if (step == "cublas") return rc == 8;
  return false;
}

/// True when the step ran and its numbers are right.
bool judge_step(const Json& event, const std::string& what, Judgement& judgement) {
  const std::string step = text_or(event, "step", "");
  const std::int64_t rc = integer_of(event, "rc").value_or(-1);
  const std::string error = text_or(event, "error", "");
  const std::string function = text_or(event, "function", "");
  if (rc != 0) {
    const std::string detail = function + (function.empty() ? "" : ": ") + "return code " +
                               std::to_string(rc) + (error.empty() ? "" : ", " + error);
    if (is_no_kernel_image(step, rc, error)) {
      judgement.fail(what + " has no code for this GPU ('no kernel image')", detail);
    } else if (rc == 222) {
      judgement.fail(what + " cannot be compiled: the driver is older than the PTX", detail);
    } else {
      judgement.fail(what + " does not run", detail);
    }
    return false;
  }
  const std::int64_t elements = integer_of(event, "elements").value_or(0);
  const std::int64_t wrong = integer_of(event, "wrong").value_or(-1);
  if (elements <= 0) {
    judgement.fail(what + ": no element was compared");
  } else if (wrong != 0) {
    judgement.fail(what + " gives wrong numbers",
                   std::to_string(wrong) + " of " + std::to_string(elements));
  } else {
    judgement.pass(what + " is exact", std::to_string(elements) + " elements, " +
                                           time_text(number_of(event, "seconds").value_or(-1)));
    return true;
  }
  return false;
}

std::string kernel_name(const std::string& step) {
  if (step == "ptx") return "a kernel from PTX";
  if (step == "cublas") return "a product of cuBLAS";
  if (step == "torch") return "a kernel of torch";
  return "a step that is not known";
}

}  // namespace

Judgement judge_first_kernel(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "gpu_kernel");
  if (run == nullptr) return judgement;
  judge_children(*run, "a first kernel", judgement);
  std::set<std::pair<std::int64_t, std::string>> seen;
  for (const Json* event : events_named(*run, "kernel")) {
    const std::int64_t device = integer_of(*event, "device").value_or(-1);
    const std::string step = text_or(*event, "step", "");
    judge_step(*event, kernel_name(step) + " on GPU " + std::to_string(device), judgement);
    seen.emplace(device, step);
  }
  const std::vector<const Json*> missing = events_named(*run, "missing");
  for (const Json* event : missing) {
    judgement.pass("not run: " + text_or(*event, "consequence", ""), text_or(*event, "symbol", ""));
  }
  // What the image has no library for cannot be asked; PTX needs none.
  std::set<std::string> wanted{"ptx"};
  for (const char* step : {"cublas", "torch"}) {
    bool absent = false;
    for (const Json* event : missing) absent = absent || text_or(*event, "step", "") == step;
    if (!absent) wanted.insert(step);
  }
  for (const GpuDevice& device : read_gpu_state(find_run(input.runs, kGpuStateCall)).devices) {
    for (const std::string& step : wanted) {
      if (seen.contains({device.index, step})) continue;
      judgement.blocked = kernel_name(step) + " was not run on GPU " + std::to_string(device.index);
    }
  }
  return judgement;
}

Judgement judge_convolution(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "gpu_conv");
  if (run == nullptr) return judgement;
  for (const Json* event : events_named(*run, "library")) {
    const std::string path = text_or(*event, "path", "");
    const std::string error = text_or(*event, "error", "");
    if (text_or(*event, "library", "") != "cudnn") continue;
    if (path.empty()) {
      judgement.skipped = "there is no cuDNN in the image";
      return judgement;
    }
    if (!error.empty()) judgement.fail("cuDNN cannot be loaded", error, path);
  }
  judge_children(*run, "a convolution", judgement);
  std::set<std::string> done;
  for (const Json* event : events_named(*run, "conv")) {
    const std::string step = text_or(*event, "step", "");
    judge_step(*event, "cuDNN's convolution, " + step + ",", judgement);
    done.insert(step);
  }
  for (const char* step : {"forward", "backward data", "backward filter"}) {
    if (!done.contains(step)) {
      judgement.blocked = std::string("the convolution was not run: ") + step;
    }
  }
  return judgement;
}

}  // namespace img
