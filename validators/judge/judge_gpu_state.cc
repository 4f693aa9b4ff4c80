// SPDX-License-Identifier: Apache-2.0
// Judges driver and devices: whether there is a GPU at all, the driver's version, health, memory.
#include "builder/base/text.h"
#include "validators/judge/gpu_checks.h"
#include "validators/judge/gpu_tier.h"
#include "validators/judge/version_text.h"

#include <array>
#include <charconv>

namespace img {
namespace {

/// What a return code of cuInit says, and whether the image is what makes it.
struct InitCode {
  std::int64_t code;
  bool image;
  std::string_view text;
};
constexpr std::array<InitCode, 6> kInitCodes{{
    {34, true, "a stub library stands in for the driver"},
    {100, false, "there is a driver library and no device"},
    {101, false, "the driver shows no device of that number"},
    {802, false, "the system is not ready: the fabric manager of NVSwitch does not run"},
    {803, true,
     "the driver library and the kernel module differ: the image brings a driver library"},
    {804, true, "the image brings a compatibility driver that does not serve this GPU"},
}};

const InitCode* init_code(std::int64_t code) {
  for (const InitCode& one : kInitCodes) {
    if (one.code == code) return &one;
  }
  return nullptr;
}

const Json* find_call(const ProbeRun& run, std::string_view function) {
  for (const Json* event : events_named(run, "call")) {
    if (text_or(*event, "function", "") == function) return event;
  }
  return nullptr;
}

const Json* find_library(const ProbeRun& run, std::string_view library) {
  for (const Json* event : events_named(run, "library")) {
    if (text_or(*event, "library", "") == library) return event;
  }
  return nullptr;
}

std::string why_none(const ProbeRun& run) {
  const Json* const driver = find_library(run, "cuda");
  if (driver == nullptr) return "the probe did not look for the driver library";
  if (const std::string error = text_or(*driver, "error", ""); !error.empty()) {
    return "there is no GPU driver here: " + error;
  }
  const Json* const init = find_call(run, "cuInit");
  const std::optional<std::int64_t> rc =
      init != nullptr ? integer_of(*init, "rc") : std::optional<std::int64_t>();
  if (!rc) return "the driver library gives no answer to cuInit";
  if (*rc != 0) {
    const InitCode* const known = init_code(*rc);
    return "cuInit answers " + std::to_string(*rc) + ": " +
           (known != nullptr ? std::string(known->text)
                             : text_or(*init, "error", "a state that is not known"));
  }
  if (events_named(run, "device").empty()) return "the driver shows no GPU";
  return {};
}

int number_in(std::string_view text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<GpuDevice> device_of(const Json& event) {
  GpuDevice device;
  device.index = integer_of(event, "index").value_or(-1);
  device.name = text_or(event, "name", "");
  const std::string capability = text_or(event, "capability", "");
  const std::size_t point = capability.find('.');
  if (device.index < 0 || point == std::string::npos) return std::nullopt;
  device.major = number_in(std::string_view(capability).substr(0, point));
  device.minor = number_in(std::string_view(capability).substr(point + 1));
  if (device.major < 1 || device.major > 99 || device.minor < 0 || device.minor > 9) {
    return std::nullopt;
  }
  device.memory = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, integer_of(event, "memory_bytes").value_or(0)));
  return device;
}

/// The lowest Linux driver of each CUDA major, by minor-version compatibility.
struct Floor {
  std::uint64_t cuda;
  std::string_view driver;
};
constexpr std::array<Floor, 3> kFloors{{{11, "450.80.02"}, {12, "525.60.13"}, {13, "580.65.06"}}};

std::string_view floor_of(std::uint64_t cuda_major) {
  for (const Floor& one : kFloors) {
    if (one.cuda == cuda_major) return one.driver;
  }
  return {};
}

bool is_older(std::string_view driver, std::string_view floor) {
  return version_numbers(driver) < version_numbers(floor);
}

/// Kernel driver against the floor; nothing is said where a version is not known.
void judge_kernel_driver(const ProbeRun& run, const Expectations& expectations, bool compat,
                         Judgement& judgement) {
  std::string driver;
  for (const Json* event : events_named(run, "driver")) driver = text_or(*event, "version", driver);
  const std::vector<std::uint64_t> cuda = version_numbers(expectations.torch_cuda);
  const std::string_view floor = cuda.empty() ? std::string_view() : floor_of(cuda.front());
  if (driver.empty()) {
    judgement.warn("NVML does not say which driver the kernel has");
    return;
  }
  if (floor.empty()) {
    judgement.pass("the kernel's driver", driver);
    return;
  }
  const bool older = is_older(driver, floor);
  judgement.findings.push_back(
      {.status = !older   ? Status::pass
                 : compat ? Status::warn
                          : Status::fail,
       .message = !older   ? "the kernel's driver serves this CUDA"
                  : compat ? "the kernel's driver is too old and served by a compatibility library"
                           : "the kernel's driver is too old for this CUDA",
       .expected = "at least " + std::string(floor) + " for CUDA " + expectations.torch_cuda,
       .actual = driver,
       .source = "NVIDIA's minor-version compatibility"});
  if (!expectations.driver.empty() && is_older(driver, expectations.driver)) {
    judgement.warn("this machine's driver is older than the lowest one that the manifest promises",
                   driver + ", promised from " + expectations.driver);
  }
}

/// What the driver says it can do against what torch was built with.
void judge_cuda_version(const ProbeRun& run, const Expectations& expectations,
                        Judgement& judgement) {
  const Json* const call = find_call(run, "cuDriverGetVersion");
  const std::optional<std::int64_t> number =
      call != nullptr && integer_of(*call, "rc") == 0 ? integer_of(*call, "value") : std::nullopt;
  const std::optional<std::string> version = number ? cuda_version_of(*number) : std::nullopt;
  if (!version) {
    judgement.blocked = "the driver does not say which CUDA it serves";
    return;
  }
  const std::vector<std::uint64_t> has = version_numbers(*version);
  const std::vector<std::uint64_t> wants = version_numbers(expectations.torch_cuda);
  if (wants.empty()) {
    judgement.pass("the driver's CUDA version", *version);
  } else if (has.front() < wants.front()) {
    judgement.findings.push_back(
        {.status = Status::fail,
         .message = "the driver serves an older CUDA than torch's",
         .expected = "CUDA " + std::to_string(wants.front()) + " or newer",
         .actual = *version,
         .source = "torch was built with CUDA " + expectations.torch_cuda});
  } else if (has < wants) {
    judgement.warn("the driver works in limited mode: it cannot compile PTX of this CUDA",
                   *version + ", torch has " + expectations.torch_cuda);
  } else {
    judgement.pass("the driver's CUDA version is at least torch's",
                   *version + ", torch has " + expectations.torch_cuda);
  }
}

void judge_errors(const Json& event, const std::string& name, Judgement& judgement) {
  const std::optional<std::int64_t> errors = integer_of(event, "ecc_uncorrected");
  if (errors && *errors > 0) {
    judgement.fail("uncorrected memory errors on " + name, std::to_string(*errors));
  }
  if (flag_of(event, "remap_failed").value_or(false)) {
    judgement.fail("a row of memory could not be remapped on " + name);
  }
  if (flag_of(event, "remap_pending").value_or(false)) {
    judgement.warn("rows of memory wait to be remapped on " + name + ": the GPU needs a reset");
  }
}

void judge_link(const Json& event, const std::string& name, Judgement& judgement) {
  const std::optional<std::int64_t> width = integer_of(event, "pcie_width");
  const std::optional<std::int64_t> widest = integer_of(event, "pcie_width_max");
  if (width && widest && *width < *widest) {
    judgement.warn("PCIe of " + name + " is narrower than it can be",
                   "x" + std::to_string(*width) + " of x" + std::to_string(*widest));
  }
  if (flag_of(event, "persistence") == false) {
    judgement.warn("persistence mode is off on " + name + ": first uses take seconds longer");
  }
  // The generation falls when a GPU is idle: it is told, not judged.
  std::string told = "PCIe generation " +
                     std::to_string(integer_of(event, "pcie_generation").value_or(0)) + " of " +
                     std::to_string(integer_of(event, "pcie_generation_max").value_or(0)) + ", x" +
                     std::to_string(width.value_or(0));
  if (const auto links = integer_of(event, "nvlinks")) {
    told += ", " + std::to_string(*links) + " NVLinks";
  }
  if (flag_of(event, "mig").value_or(false)) told += ", MIG is on";
  judgement.pass("what connects " + name, told);
}

std::string device_name(const GpuState& state, std::int64_t index) {
  for (const GpuDevice& device : state.devices) {
    if (device.index == index) return "GPU " + std::to_string(index) + " (" + device.name + ")";
  }
  return "GPU " + std::to_string(index);
}

}  // namespace

GpuState read_gpu_state(const ProbeRun* run) {
  GpuState state;
  state.why_none = why_unusable(run, kGpuStateCall);
  // A state that is seen counts even when the probe came to a bad end later.
  if (run == nullptr || !state.why_none.empty()) return state;
  state.why_none = why_none(*run);
  for (const Json* event : events_named(*run, "device")) {
    if (auto device = device_of(*event)) state.devices.push_back(std::move(*device));
  }
  if (state.why_none.empty() && state.devices.empty()) {
    state.why_none = "the driver says nothing of use about its GPUs";
  }
  return state;
}

std::string capability_text(const GpuDevice& device) {
  return std::to_string(device.major) + "." + std::to_string(device.minor);
}

Judgement judge_driver_floor(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kGpuStateCall);
  if (run == nullptr) return judgement;
  judge_children(*run, "asking the driver", judgement);
  const Json* const library = find_library(*run, "cuda");
  const std::string path = library != nullptr ? text_or(*library, "path", "") : "";
  if (path.find("/stubs/") != std::string::npos) {
    judgement.fail("a stub of the driver library is what the loader finds", {}, path);
  }
  const Json* const init = find_call(*run, "cuInit");
  const std::int64_t rc = init != nullptr ? integer_of(*init, "rc").value_or(-1) : -1;
  if (rc != 0) {
    const InitCode* const known = init_code(rc);
    if (known != nullptr && known->image) {
      judgement.fail(std::string(known->text), "cuInit answers " + std::to_string(rc), path);
    }
    return judgement;  // blocked by the state itself
  }
  judgement.pass("cuInit succeeds", {}, path);
  const std::vector<const Json*> notes = events_named(*run, "compat");
  for (const Json* note : notes) {
    judgement.pass("the driver library is one for forward compatibility",
                   text_or(*note, "note", ""), text_or(*note, "path", ""));
  }
  judge_cuda_version(*run, input.expectations, judgement);
  judge_kernel_driver(*run, input.expectations, !notes.empty(), judgement);
  return judgement;
}

Judgement judge_gpu_health(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kGpuStateCall);
  if (run == nullptr) return judgement;
  const GpuState state = read_gpu_state(run);
  const Json* const library = find_library(*run, "nvml");
  if (library == nullptr || !text_or(*library, "error", "").empty()) {
    judgement.blocked =
        "there is no NVML here, which NCCL needs too: NVIDIA_DRIVER_CAPABILITIES lacks 'utility'" +
        (library != nullptr ? " (" + text_or(*library, "error", "") + ")" : std::string());
    return judgement;
  }
  std::size_t seen = 0;
  for (const Json* event : events_named(*run, "health")) {
    const std::string name = device_name(state, integer_of(*event, "index").value_or(-1));
    if (const std::int64_t rc = integer_of(*event, "rc").value_or(-1); rc != 0) {
      judgement.blocked = "NVML says nothing of " + name + ": return code " + std::to_string(rc);
      continue;
    }
    ++seen;
    judge_errors(*event, name, judgement);
    judge_link(*event, name, judgement);
  }
  if (seen < state.devices.size() && judgement.blocked.empty()) {
    judgement.blocked = "NVML knows " + std::to_string(seen) + " of " +
                        std::to_string(state.devices.size()) + " GPUs";
  }
  return judgement;
}

Judgement judge_gpu_memory(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, kGpuStateCall);
  if (run == nullptr || !input.expectations.gpu_memory) return judgement;
  const GpuState state = read_gpu_state(run);
  const std::uint64_t needed = *input.expectations.gpu_memory;
  std::size_t seen = 0;
  for (const Json* event : events_named(*run, "memory")) {
    const std::string name = device_name(state, integer_of(*event, "index").value_or(-1));
    const std::int64_t asked = integer_of(*event, "asked_bytes").value_or(-1);
    const std::int64_t free = integer_of(*event, "free_bytes").value_or(-1);
    const std::int64_t rc = integer_of(*event, "rc").value_or(-1);
    if (asked < 0 || static_cast<std::uint64_t>(asked) != needed || free < 0) continue;
    ++seen;
    judgement.findings.push_back(
        {.status = rc == 0 ? Status::pass : Status::fail,
         .message = (rc == 0 ? "the memory can be had on " : "the memory cannot be had on ") + name,
         .expected = human_size(needed),
         .actual = human_size(static_cast<std::uint64_t>(free)) + " free" +
                   (rc == 0 ? "" : ", " + text_or(*event, "error", std::to_string(rc))),
         .source = "manifest"});
  }
  if (seen < state.devices.size()) judgement.blocked = "not every GPU was asked for its memory";
  return judgement;
}

}  // namespace img
