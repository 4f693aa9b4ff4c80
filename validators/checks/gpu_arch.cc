// SPDX-License-Identifier: Apache-2.0
// ARCH-LIST: GPU code in the libraries for every GPU that the manifest promises.

#include "builder/base/text.h"
#include "validators/checks/check.h"
#include "validators/checks/gpu_code.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

ComputeCapability capability_of(GpuArch arch) { return {arch.number / 10, arch.number % 10}; }

/// Code "90a" runs on exactly 9.0; "100f" on its family, 10.x from 10.0 on; plain code on newer
/// minors of its major, apart from the table's exceptions.
bool machine_runs_on(const Compatibility& table, GpuArch arch, ComputeCapability device) {
  const ComputeCapability code = capability_of(arch);
  if (arch.suffix == 'a') return code == device;
  if (arch.suffix == 'f') return code.first == device.first && code.second <= device.second;
  return arch.suffix == 0 && table.code_runs_on(code, device);
}

/// PTX is compiled by the driver for every newer device; that of "a" and "f" has the limits of its
/// machine code.
bool ptx_runs_on(GpuArch arch, ComputeCapability device) {
  const ComputeCapability code = capability_of(arch);
  if (arch.suffix == 'a') return code == device;
  if (arch.suffix == 'f') return code.first == device.first && code.second <= device.second;
  return arch.suffix == 0 && code <= device;
}

std::vector<GpuArch> names_in(const std::map<GpuArch, std::uint64_t>& counts) {
  std::vector<GpuArch> archs;
  for (const auto& [arch, count] : counts) archs.push_back(arch);
  return archs;
}

/// Everything that is in it: NVIDIA's libraries choose among kernels by themselves.
GpuCode all_code(const FatBinaries& binaries) {
  GpuCode code{.machine = names_in(binaries.machine), .ptx = names_in(binaries.ptx)};
  for (const GpuArch arch : names_in(binaries.other_machine)) code.machine.push_back(arch);
  for (const GpuArch arch : names_in(binaries.other_ptx)) code.ptx.push_back(arch);
  for (std::vector<GpuArch>* archs : {&code.machine, &code.ptx}) {
    std::sort(archs->begin(), archs->end());
    archs->erase(std::unique(archs->begin(), archs->end()), archs->end());
  }
  return code;
}

std::string code_text(const GpuCode& code) {
  std::vector<std::string> words;
  for (const GpuArch arch : code.machine) words.push_back("sm_" + to_string(arch));
  for (const GpuArch arch : code.ptx) words.push_back("compute_" + to_string(arch) + " (PTX)");
  return words.empty() ? "no GPU code" : join(words, " ");
}

/// What runs on the device: "sm_86", "compute_90 (PTX)"; empty: nothing.
std::string code_for(const Compatibility& table, const GpuCode& code, ComputeCapability device) {
  std::string best;
  for (const GpuArch arch : code.ptx) {
    if (ptx_runs_on(arch, device)) best = "compute_" + to_string(arch) + " (PTX)";
  }
  for (const GpuArch arch : code.machine) {
    if (machine_runs_on(table, arch, device)) best = "sm_" + to_string(arch);
  }
  return best;
}

/// Libraries that every model calls into, by stem of the soname.
bool is_judged(const std::string& soname) {
  constexpr std::array stems{"libnccl.so",
                             "libcublas.so",
                             "libcublasLt.so",
                             "libcudnn_ops.so",
                             "libcudnn_cnn.so",
                             "libcudnn_adv.so",
                             "libcudnn_engines_precompiled.so"};
  return std::any_of(stems.begin(), stems.end(),
                     [&soname](const char* stem) { return soname.starts_with(stem); });
}

class Coverage {
 public:
  explicit Coverage(const CheckContext& context) : context_(context) {
    for (const std::string& name : context.expectations.gpus) {
      if (const GpuModel* gpu = context.input.table.find_gpu(name)) gpus_.push_back(gpu);
    }
  }

  void judge_torch() {
    if (!context_.view.torch()) return;
    const std::string path = context_.view.torch()->folder + "/lib/libtorch_cuda.so";
    const auto elf = context_.image().elf.find(path);
    if (elf == context_.image().elf.end()) return;
    const FatBinaries& binaries = elf->second.gpu_code;
    if (binaries.count == 0 && !binaries.limits.empty()) {
      unreadable = "the GPU code of 'libtorch_cuda.so' is not readable: " + binaries.limits.front();
      return;
    }
    const GpuCode code = common_code(binaries);
    for (const GpuModel* gpu : gpus_) judge_gpu(path, code, *gpu);
    note_rest(path, binaries, code);
  }

  void judge_others() {
    for (const CudaLibrary& library : context_.view.cuda_libraries()) {
      const FatBinaries& binaries = context_.image().elf.at(library.path).gpu_code;
      const GpuCode code = all_code(binaries);
      const bool judged = is_judged(library.soname) && !code.empty();
      if (judged) {
        judge_library(library.path, code, binaries);
      } else {
        note_limits(library.path, binaries);
      }
    }
  }

  std::vector<Finding> findings;
  std::string unreadable;

 private:
  static std::string device_text(const GpuModel& gpu) {
    return gpu.name + " (" + to_string(gpu.compute) + ")";
  }

  void judge_gpu(const std::string& path, const GpuCode& code, const GpuModel& gpu) {
    const std::string runs = code_for(context_.input.table, code, gpu.compute);
    const std::string name = "'" + base_name(path) + "'";
    Finding finding = runs.empty() ? fail_finding(context_,
                                                  name + " has no code for " + device_text(gpu) +
                                                      ": it has " + code_text(code),
                                                  path)
                                   : pass_finding(context_,
                                                  name + " has " + code_text(code) + "; " +
                                                      device_text(gpu) + " runs " + runs,
                                                  path);
    findings.push_back(compared(std::move(finding), "code for " + device_text(gpu),
                                runs.empty() ? "none" : runs, "manifest, supports.gpus"));
  }

  void judge_library(const std::string& path, const GpuCode& code, const FatBinaries& binaries) {
    std::vector<std::string> missing;
    for (const GpuModel* gpu : gpus_) {
      if (code_for(context_.input.table, code, gpu->compute).empty()) {
        missing.push_back(device_text(*gpu));
      }
    }
    const std::string has = "'" + base_name(path) + "' has " + code_text(code);
    if (missing.empty()) {
      findings.push_back(pass_finding(context_, has + ", enough for every promised GPU", path));
    } else if (!binaries.limits.empty()) {
      findings.push_back(warn_finding(context_,
                                      has + " as far as it is readable, none for " +
                                          join(missing, ", ") +
                                          "; not readable: " + binaries.limits.front(),
                                      path));
    } else {
      findings.push_back(
          compared(fail_finding(context_, has + ", none for " + join(missing, ", "), path),
                   "code for " + join(missing, ", "), "none", "manifest, supports.gpus"));
    }
  }

  void note_rest(const std::string& path, const FatBinaries& binaries, const GpuCode& common) {
    std::vector<std::string> single;
    for (const auto& [arch, count] : binaries.machine) {
      if (std::find(common.machine.begin(), common.machine.end(), arch) == common.machine.end()) {
        single.push_back("sm_" + to_string(arch) + " in " + std::to_string(count));
      }
    }
    if (!single.empty()) {
      findings.push_back(pass_finding(context_,
                                      "of " + with_commas(binaries.count) + " fat binaries of '" +
                                          base_name(path) +
                                          "' only some have further code: " + join(single, ", "),
                                      path));
    }
    note_limits(path, binaries);
  }

  void note_limits(const std::string& path, const FatBinaries& binaries) {
    for (const std::string& limit : binaries.limits) {
      findings.push_back(pass_finding(
          context_, "GPU code of '" + base_name(path) + "' is not wholly readable: " + limit,
          path));
    }
  }

  const CheckContext& context_;
  std::vector<const GpuModel*> gpus_;
};

}  // namespace

CheckResult check_gpu_arch(const CheckContext& context) {
  if (context.manifest() == nullptr) return skip("ARCH-LIST", kNoManifest);
  if (context.expectations.gpus.empty()) return skip("ARCH-LIST", "the manifest promises no GPU");
  Coverage coverage(context);
  coverage.judge_torch();
  if (!coverage.unreadable.empty()) {
    return blocked("ARCH-LIST", Tier::image, coverage.unreadable);
  }
  coverage.judge_others();
  for (const std::string& name : context.expectations.gpus) {
    if (context.input.table.find_gpu(name) != nullptr) continue;
    coverage.findings.push_back(
        fail_finding(context, "the compatibility table does not know the GPU '" + name + "'"));
  }
  return finish("ARCH-LIST", std::move(coverage.findings));
}

}  // namespace img
