// SPDX-License-Identifier: Apache-2.0
// REQ-ENV: what the image asks of the host's driver is what its CUDA libraries need.

#include "builder/base/text.h"
#include "validators/checks/check.h"
#include "validators/checks/driver_files.h"
#include "validators/checks/requirement.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

class Environment {
 public:
  explicit Environment(const CheckContext& context)
      : context_(context), major_(context.view.cuda_major()) {}

  std::vector<Finding> run() {
    read_requirements();
    if (requirements_.empty()) {
      without_requirement();
    } else if (worst_of(findings_) != Status::fail) {
      judge_floor();
    }
    judge_capabilities();
    judge_devices();
    judge_switch();
    return std::move(findings_);
  }

 private:
  void read_requirements() {
    for (const auto& [name, value] : context_.view.environment()) {
      if (!name.starts_with("NVIDIA_REQUIRE_") || value.empty()) continue;
      Requirement requirement = parse_requirement(value);
      for (const std::string& problem : requirement.problems) {
        findings_.push_back(fail_finding(context_, name + ": " + problem));
      }
      names_.push_back(name + "=" + value);
      requirements_.push_back(std::move(requirement));
    }
  }

  bool accepts(const GpuHost& host) const {
    return std::all_of(requirements_.begin(), requirements_.end(),
                       [&host](const Requirement& one) { return is_satisfied(one, host); });
  }

  /// Hosts with the driver that was published with each toolkit, newest CUDA of each. A data-centre
  /// card may run older drivers with a forward-compatibility libcuda, any other card may not.
  std::vector<GpuHost> hosts(bool with_tesla) const {
    std::vector<GpuHost> all;
    for (const auto& [toolkit, driver] : context_.input.table.toolkit_driver) {
      const std::vector<std::string> parts = split(toolkit, '.');
      if (parts.size() < 2) continue;
      const std::string cuda = parts[0] + "." + parts[1];
      all.push_back({.cuda = cuda, .driver = driver, .arch = "8.0", .brand = "geforce"});
      if (with_tesla) {
        all.push_back({.cuda = cuda, .driver = driver, .arch = "8.0", .brand = "tesla"});
      }
    }
    return all;
  }

  bool has_compat() const {
    const auto& files = context_.image().files;
    return std::any_of(files.begin(), files.end(), [](const auto& entry) {
      return base_name(entry.first).starts_with("libcuda.so") && is_compat_path(entry.first);
    });
  }

  static bool serves(const GpuHost& host, const std::string& major) {
    return compare_dotted(host.cuda, major) >= 0;
  }

  void judge_floor() {
    const std::string floor = context_.input.table.driver_floor_of(major_);
    if (floor.empty()) {
      findings_.push_back(warn_finding(
          context_, major_.empty()
                        ? "the CUDA major of the image is not to be told, so the floor "
                          "is not judged"
                        : "the compatibility table has no driver floor for CUDA " + major_));
      return;
    }
    std::vector<std::string> refused, accepted;
    const bool tesla_needs_floor = !has_compat();
    for (const GpuHost& host : hosts(tesla_needs_floor)) {
      const std::string name = host.driver + " (CUDA " + host.cuda + ")";
      const bool needed = serves(host, major_);
      if (needed && !accepts(host)) add(refused, name);
      if (!needed && accepts(host)) add(accepted, name);
    }
    report_floor(floor, refused, accepted);
  }
  static void add(std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }

  void report_floor(const std::string& floor, const std::vector<std::string>& refused,
                    const std::vector<std::string>& accepted) {
    const std::string expected = "driver " + floor + " or newer, as cuda>=" + major_ + ".0 says";
    const std::string actual = join(names_, ", ");
    if (!accepted.empty()) {
      findings_.push_back(
          compared(fail_finding(context_, "drivers are let in on which CUDA " + major_ +
                                              " does not run, such as " + accepted.back()),
                   expected, actual, "compatibility table"));
    }
    if (!refused.empty()) {
      findings_.push_back(compared(
          warn_finding(context_, count_of(refused.size(), "driver") + " on which CUDA " + major_ +
                                     " runs would be refused, such as " + refused.front()),
          expected, actual, "compatibility table"));
    }
    if (accepted.empty() && refused.empty()) {
      findings_.push_back(compared(pass_finding(context_, "the floor is that of CUDA " + major_),
                                   expected, actual, "compatibility table"));
    }
  }

  void without_requirement() {
    if (const auto legacy = context_.view.env("CUDA_VERSION"); legacy && !legacy->empty()) {
      findings_.push_back(
          warn_finding(context_, "CUDA_VERSION=" + *legacy +
                                     " alone makes the container toolkit ask for that "
                                     "CUDA version or newer, which is stricter than CUDA " +
                                     major_ + " needs"));
      return;
    }
    findings_.push_back(
        warn_finding(context_,
                     "no NVIDIA_REQUIRE_CUDA: a host with too old a driver is noticed at the first "
                     "call only"));
  }

  void judge_capabilities() {
    constexpr std::array<std::string_view, 8> kKnown{"all",      "compute", "compat32", "display",
                                                     "graphics", "utility", "video",    "ngx"};
    const auto value = context_.view.env("NVIDIA_DRIVER_CAPABILITIES");
    if (!value || value->empty()) {
      findings_.push_back(
          warn_finding(context_, "NVIDIA_DRIVER_CAPABILITIES is not set, so engines choose"));
      return;
    }
    const std::vector<std::string> names = split(*value, ',');
    const auto has = [&names](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end() ||
             std::find(names.begin(), names.end(), "all") != names.end();
    };
    const std::string actual = "NVIDIA_DRIVER_CAPABILITIES=" + *value;
    for (const std::string& name : names) {
      if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
      findings_.push_back(
          compared(fail_finding(context_, "'" + name + "' is no capability of the driver"),
                   join(std::vector<std::string>(kKnown.begin(), kKnown.end()), ", "), actual));
    }
    if (!has("compute")) {
      findings_.push_back(
          compared(fail_finding(context_, "the driver's compute libraries are not asked for"),
                   "compute,utility", actual));
    } else if (!has("utility")) {
      findings_.push_back(compared(
          warn_finding(context_, "the driver's utilities are not asked for, so NVML is missing"),
          "compute,utility", actual));
    } else {
      findings_.push_back(compared(pass_finding(context_, "compute and utility are asked for"),
                                   "compute,utility", actual));
    }
  }

  void judge_devices() {
    const auto value = context_.view.env("NVIDIA_VISIBLE_DEVICES");
    if (value && (*value == "void" || *value == "none")) {
      findings_.push_back(compared(fail_finding(context_, "the image asks for no GPU at all"),
                                   "all", "NVIDIA_VISIBLE_DEVICES=" + *value));
    } else if (!value || value->empty()) {
      findings_.push_back(warn_finding(
          context_, "NVIDIA_VISIBLE_DEVICES is not set, so some engines start it without a GPU"));
    }
  }

  void judge_switch() {
    const auto value = context_.view.env("NVIDIA_DISABLE_REQUIRE");
    if (value && !value->empty() && *value != "false" && *value != "0") {
      findings_.push_back(warn_finding(
          context_, "NVIDIA_DISABLE_REQUIRE=" + *value + " switches every requirement off"));
    }
  }

  const CheckContext& context_;
  const std::string major_;
  std::vector<Requirement> requirements_;
  std::vector<std::string> names_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_require_env(const CheckContext& context) {
  return finish("REQ-ENV", Environment(context).run());
}

}  // namespace img
