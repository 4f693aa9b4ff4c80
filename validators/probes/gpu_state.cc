// SPDX-License-Identifier: Apache-2.0
// Asks driver, NVML and CUDA runtime what GPUs there are and in what state, each in a child.
//
//   gpu_state [--library FILE]… [--torch FOLDER] [--memory BYTES]
//
// Events: library {library, path, error, stand_in}; call {library, function, rc, value, error};
// compat {path, note}; device {index, name, uuid, pci, capability, memory_bytes, multiprocessors,
// compute_mode, ecc}; driver {version}; health {index, pci, rc, persistence, mig, ecc_uncorrected,
// remap_pending, remap_failed, pcie_generation, pcie_generation_max, pcie_width, pcie_width_max,
// nvlinks}; loading {mode}; memory {index, rc, error, free_bytes, total_bytes, asked_bytes}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/compat_note.h"
#include "validators/probes/cuda_driver.h"
#include "validators/probes/events.h"
#include "validators/probes/find_library.h"
#include "validators/probes/nvml.h"

#include <climits>

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr int kMostDevices = 64;

/// What the child that asks the driver passes on to the one that asks NVML.
struct Found {
  int devices = 0;
  std::array<std::array<char, 32>, kMostDevices> pci;
};

Event call_event(const char* library, const char* function, int rc) {
  Event event("call");
  event.text("library", library).text("function", function).integer("rc", rc);
  return event;
}

constexpr int kMajor = 75, kMinor = 76, kMultiprocessors = 16, kComputeMode = 20, kEccEnabled = 32;

int attribute(const CudaDriver& cuda, int which, int device) {
  int value = -1;
  return cuda.device_attribute(&value, which, device) == 0 ? value : -1;
}

std::string hexadecimal(const std::array<unsigned char, 16>& bytes) {
  std::string text = "GPU-";
  std::array<char, 3> digits{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    std::snprintf(digits.data(), digits.size(), "%02x", bytes[i]);
    text += digits.data();
  }
  return text;
}

void report_device(const CudaDriver& cuda, int ordinal, Found& found) {
  int device = 0;
  if (const int rc = cuda.get_device(&device, ordinal); rc != 0) {
    return call_event("cuda", "cuDeviceGet", rc).text("error", cuda.name_of(rc)).emit();
  }
  std::array<char, 256> name{};
  std::array<unsigned char, 16> uuid{};
  std::size_t memory = 0;
  auto& pci = found.pci[static_cast<std::size_t>(ordinal)];
  cuda.device_name(name.data(), static_cast<int>(name.size()) - 1, device);
  cuda.device_uuid(uuid.data(), device);
  cuda.total_memory(&memory, device);
  cuda.pci_bus_id(pci.data(), static_cast<int>(pci.size()) - 1, device);
  Event("device")
      .integer("index", ordinal)
      .text("name", name.data())
      .text("uuid", hexadecimal(uuid))
      .text("pci", pci.data())
      .text("capability", std::to_string(attribute(cuda, kMajor, device)) + "." +
                              std::to_string(attribute(cuda, kMinor, device)))
      .integer("memory_bytes", static_cast<std::int64_t>(memory))
      .integer("multiprocessors", attribute(cuda, kMultiprocessors, device))
      .integer("compute_mode", attribute(cuda, kComputeMode, device))
      .flag("ecc", attribute(cuda, kEccEnabled, device) == 1)
      .emit();
}

int ask_driver(Found& found) {
  const CudaDriver cuda = CudaDriver::open();
  if (!cuda.loaded) return 0;
  // Older drivers answer these two, whatever else they lack.
  if (cuda.driver_version != nullptr) {
    int version = 0;
    const int rc = cuda.driver_version(&version);
    call_event("cuda", "cuDriverGetVersion", rc).integer("value", version).emit();
  }
  if (cuda.init == nullptr) return 0;
  const int rc = cuda.init(0);
  Event answer = call_event("cuda", "cuInit", rc);
  if (rc != 0) answer.text("error", cuda.name_of(rc));
  answer.emit();
  const std::string path = Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL).path();
  if (const std::string note = compat_note_of(path); !note.empty()) {
    Event("compat").text("path", path).text("note", note).emit();
  }
  if (rc != 0) return 0;
  if (const char* const symbol = cuda.missing()) {
    return call_event("cuda", symbol, -1).text("error", "there is no such function").emit(), 0;
  }
  const int counted = cuda.device_count(&found.devices);
  call_event("cuda", "cuDeviceGetCount", counted).integer("value", found.devices).emit();
  found.devices = counted == 0 ? std::clamp(found.devices, 0, kMostDevices) : 0;
  for (int ordinal = 0; ordinal < found.devices; ++ordinal) report_device(cuda, ordinal, found);
  if (const std::string mode = loading_mode_of(cuda); !mode.empty()) {
    Event("loading").text("mode", mode).emit();
  }
  return 0;
}

int ask_runtime(const std::string& file) {
  const Library cudart = open_library(kCudart, file, RTLD_NOW | RTLD_LOCAL);
  for (const char* function : {"cudaRuntimeGetVersion", "cudaGetDeviceCount"}) {
    auto* const ask = cudart.function<int(int*)>(function);
    if (ask == nullptr) continue;
    int value = -1;
    const int rc = ask(&value);
    call_event("cudart", function, rc).integer("value", value).emit();
  }
  return 0;
}

/// Adds a number that NVML gives; what it does not give is left out.
template <typename Function>
void add(Event& event, const char* key, Function* function, void* device) {
  unsigned value = 0;
  if (function != nullptr && function(device, &value) == 0) event.integer(key, value);
}

constexpr int kUncorrected = 1, kVolatile = 0;
constexpr unsigned kMostLinks = 18;

void add_errors(Event& event, const Nvml& nvml, void* device) {
  unsigned long long errors = 0;
  if (nvml.total_errors != nullptr &&
      nvml.total_errors(device, kUncorrected, kVolatile, &errors) == 0) {
    event.integer("ecc_uncorrected",
                  static_cast<std::int64_t>(std::min<unsigned long long>(errors, LLONG_MAX)));
  }
  unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
  if (nvml.remapped_rows != nullptr &&
      nvml.remapped_rows(device, &corrected, &uncorrected, &pending, &failed) == 0) {
    event.flag("remap_pending", pending != 0).flag("remap_failed", failed != 0);
  }
}

void report_health(const Nvml& nvml, int index, const char* pci) {
  Event event("health");
  event.integer("index", index).text("pci", pci);
  void* device = nullptr;
  const int rc = nvml.device_by_pci(pci, &device);
  event.integer("rc", rc);
  if (rc != 0) return event.emit();
  int persistence = 0;
  if (nvml.persistence != nullptr && nvml.persistence(device, &persistence) == 0) {
    event.flag("persistence", persistence != 0);
  }
  unsigned current = 0, pending = 0;
  if (nvml.mig != nullptr && nvml.mig(device, &current, &pending) == 0) {
    event.flag("mig", current != 0);
  }
  add_errors(event, nvml, device);
  add(event, "pcie_generation", nvml.pcie_generation, device);
  add(event, "pcie_generation_max", nvml.pcie_generation_max, device);
  add(event, "pcie_width", nvml.pcie_width, device);
  add(event, "pcie_width_max", nvml.pcie_width_max, device);
  int links = 0;
  for (unsigned link = 0; link < kMostLinks && nvml.nvlink_state != nullptr; ++link) {
    int active = 0;
    if (nvml.nvlink_state(device, link, &active) == 0 && active != 0) ++links;
  }
  event.integer("nvlinks", links).emit();
}

int ask_nvml(const Found& found) {
  const Library library("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  Event("library")
      .text("library", "nvml")
      .text("path", library.path())
      .text("error", library.error())
      .flag("stand_in", library.symbol("imgcheck_stand_in") != nullptr)
      .emit();
  const Nvml nvml(library);
  if (nvml.init == nullptr || nvml.device_by_pci == nullptr) return 0;
  const int rc = nvml.init();
  Event call = call_event("nvml", "nvmlInit_v2", rc);
  if (rc != 0 && nvml.error_text != nullptr) call.text("error", nvml.error_text(rc));
  call.emit();
  if (rc != 0) return 0;
  std::array<char, 96> version{};
  if (nvml.driver_version != nullptr &&
      nvml.driver_version(version.data(), static_cast<unsigned>(version.size())) == 0) {
    Event("driver").text("version", version.data()).emit();
  }
  for (int index = 0; index < found.devices; ++index) {
    report_health(nvml, index, found.pci[static_cast<std::size_t>(index)].data());
  }
  return 0;
}

/// Takes the memory and writes to all of it: what is promised is not always there.
CudaFailure take_memory(const CudaDriver& cuda, std::size_t bytes) {
  DevicePointer memory = 0;
  if (const int rc = cuda.allocate(&memory, bytes); rc != 0) return {"cuMemAlloc_v2", rc};
  if (const int rc = cuda.set_words(memory, 0x5EED, bytes / 4); rc != 0) {
    return {"cuMemsetD32_v2", rc};
  }
  if (const int rc = cuda.synchronize(); rc != 0) return {"cuCtxSynchronize", rc};
  return {};
}

int ask_memory(int ordinal, std::size_t bytes) {
  const CudaDriver cuda(Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL));
  if (cuda.missing() != nullptr) return 0;
  CudaFailure failure = enter_device(cuda, ordinal);
  std::size_t free = 0, total = 0;
  if (failure.function.empty()) {
    if (const int rc = cuda.memory_info(&free, &total); rc != 0) failure = {"cuMemGetInfo_v2", rc};
  }
  if (failure.function.empty() && bytes > 0) failure = take_memory(cuda, bytes);
  Event event("memory");
  event.integer("index", ordinal).integer("rc", failure.code);
  if (failure.code != 0) {
    event.text("error", failure.function + ": " + cuda.name_of(failure.code));
  }
  event.integer("free_bytes", static_cast<std::int64_t>(free))
      .integer("total_bytes", static_cast<std::int64_t>(total))
      .integer("asked_bytes", static_cast<std::int64_t>(bytes))
      .emit();
  return 0;
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"library", "torch", "memory"});
  const long memory = arguments.number("memory", 0, 0, LONG_MAX);
  start("gpu_state");
  void* const shared =
      ::mmap(nullptr, sizeof(Found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 71;
  auto& found = *new (shared) Found{};
  report("cuda", run_forked([&] { return ask_driver(found); }, kTimeout));
  report("nvml", run_forked([&] { return ask_nvml(found); }, kTimeout));
  report("cudart",
         run_forked([&] { return ask_runtime(library_file(kCudart, arguments)); }, kTimeout));
  for (int ordinal = 0; ordinal < found.devices; ++ordinal) {
    report("memory of GPU " + std::to_string(ordinal),
           run_forked([&] { return ask_memory(ordinal, static_cast<std::size_t>(memory)); },
                      kTimeout));
  }
  probe::end();
  return 0;
}
