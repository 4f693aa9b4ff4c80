// SPDX-License-Identifier: Apache-2.0
// The rules by which an image works on a GPU under a driver branch: docs/matrix.md has them in
// words.

#include "builder/base/text.h"
#include "validators/judge/version_text.h"
#include "validators/matrix/parts.h"

#include <algorithm>
#include <array>
#include <map>

namespace img {
namespace {

constexpr const char* kRead = "read in the image";
constexpr const char* kTable = "compatibility table";
constexpr const char* kGpus = "table of GPUs";

/// Checks without which torch does not start, or starts with something missing.
struct Decisive {
  std::string_view id;
  Works when_failed;
};
constexpr std::array<Decisive, 13> kDecisive{{
    {"IMG-DIGEST", Works::no},
    {"ELF-CLOSURE", Works::no},
    {"ELF-VERSION", Works::no},
    {"ELF-SYMS", Works::no},
    {"DRV-NOTBAKED", Works::no},
    {"DRV-STUB", Works::no},
    {"DRV-STATE", Works::no},
    {"LOAD-TORCH", Works::no},
    {"VER-CUDART", Works::no},
    {"CUDNN-SET", Works::limited},
    {"VER-CUDNN", Works::limited},
    {"VER-NCCL", Works::limited},
    {"LIB-ONECOPY", Works::limited},
}};

/// Code for one architecture, "sm_90a" or "compute_120".
struct Code {
  ComputeCapability capability;
  char suffix = 0;
  bool is_ptx = false;
  std::string name;
};

std::vector<Code> parse_code(const std::string& text) {
  std::vector<Code> codes;
  for (const std::string& word : split(text, ' ')) {
    Code code{.name = word};
    std::string_view digits = word;
    code.is_ptx = digits.starts_with("compute_");
    if (!code.is_ptx && !digits.starts_with("sm_")) continue;
    digits.remove_prefix(code.is_ptx ? 8 : 3);
    if (!digits.empty() && (digits.back() == 'a' || digits.back() == 'f')) {
      code.suffix = digits.back();
      digits.remove_suffix(1);
    }
    const auto number = parse_decimal(digits);
    if (!number || *number > 999) continue;
    code.capability = {static_cast<int>(*number / 10), static_cast<int>(*number % 10)};
    codes.push_back(std::move(code));
  }
  return codes;
}

bool runs_on(const Code& code, ComputeCapability device, const Compatibility& table) {
  if (code.suffix == 'a') return code.capability == device;
  if (code.suffix == 'f') {
    return code.capability.first == device.first && code.capability.second <= device.second;
  }
  return code.is_ptx ? code.capability <= device : table.code_runs_on(code.capability, device);
}

std::string gpu_text(const GpuModel& gpu) { return gpu.name + " (" + to_string(gpu.compute) + ")"; }

/// The driver that came with a toolkit: that of "12.8.1", or the first of "12.8".
std::string packaged_driver(const Compatibility& table, const std::string& toolkit,
                            const std::string& cuda) {
  const auto exact = table.toolkit_driver.find(toolkit);
  if (exact != table.toolkit_driver.end()) return exact->second;
  const auto first = table.toolkit_driver.lower_bound(cuda + ".");
  const bool same = first != table.toolkit_driver.end() && first->first.starts_with(cuda + ".");
  return same ? first->second : std::string();
}

class Rules {
 public:
  Rules(const MatrixImage& image, const GpuModel& gpu, const DriverBranch& branch,
        const Compatibility& table, const GpuTable& gpus)
      : image_(image), gpu_(gpu), branch_(branch), table_(table), entry_(gpus.find(gpu.name)) {
    const auto fact = [&image](const char* name) {
      const auto found = image.facts.find(name);
      return found == image.facts.end() ? std::string() : found->second;
    };
    torch_ = fact("torch");
    cuda_ = fact("cuda");
    cudnn_ = fact("cudnn");
    code_ = fact("gpu_code");
    platform_ = fact("platform");
    if (const TorchRelease* release = table.find_torch(torch_))
      variant_ = release->find_cuda(cuda_);
  }

  GpuCell run() {
    cell_ = {.works = Works::yes, .basis = Basis::derived};
    if (!has_cuda()) return finish();
    judge_checks();
    judge_host();
    judge_gpu_driver();
    judge_floor();
    judge_code();
    judge_packaged();
    judge_cudnn();
    return finish();
  }

 private:
  /// A step that leaves the cell at best `works`.
  void step(Works works, std::string rule, std::string fact, std::string source,
            std::string evidence = {}) {
    // What nobody here has read makes a claim of what stands on it.
    const bool is_claim = evidence == "C" || (rule == "GPU-CODE" && source == kTable);
    steps_.push_back(
        {.works = works,
         .reason = {std::move(rule), std::move(fact), std::move(source), std::move(evidence)},
         .is_claim = is_claim});
  }

  /// The branch holds `driver`: what was said is true from that driver on.
  void from(const std::string& driver) {
    if (branch_of(driver) != branch_.number) return;
    if (cell_.from_driver.empty() || compare_dotted(cell_.from_driver, driver) < 0) {
      cell_.from_driver = driver;
    }
  }

  bool has_cuda() {
    if (!image_.disputed.empty() && (is_disputed("torch") || is_disputed("cuda"))) {
      step(Works::unknown, "FACTS", "the image's reports contradict each other", "reports");
      return false;
    }
    if (torch_.empty()) {
      step(Works::unknown, "FACTS", "no report says which torch is in the image", "reports");
      return false;
    }
    if (cuda_.empty()) {
      step(Works::no, "NO-CUDA", "torch " + torch_ + " is built without CUDA", kRead);
      return false;
    }
    return true;
  }
  bool is_disputed(const std::string& name) const {
    return std::find(image_.disputed.begin(), image_.disputed.end(), name) != image_.disputed.end();
  }

  void judge_checks() {
    for (const Decisive& decisive : kDecisive) {
      const auto found = image_.checks.find(std::string(decisive.id));
      if (found == image_.checks.end()) continue;
      const CheckCell& check = found->second;
      const Status status = *check.status();
      const std::string id(decisive.id);
      const std::string line = id + ": " + check.said.front().line;
      if (check.said.front().simulated) {
        step(Works::unknown, "CHECK", id + " was answered by a stand-in", "report");
      } else if (status == Status::fail || status == Status::waived) {
        step(decisive.when_failed, "CHECK", line, "report");
      } else if (status == Status::blocked) {
        step(Works::unknown, "CHECK", line, "report, blocked");
      }
    }
    const bool started = image_.checks.contains("LOAD-TORCH") &&
                         image_.checks.at("LOAD-TORCH").basis() == Basis::tested;
    if (!started) {
      step(Works::yes, "CHECK", "torch was not started in this image (no container tier)",
           "reports");
    }
  }

  void judge_host() {
    if (entry_ == nullptr || entry_->host.empty()) return;
    const std::string fact = gpu_.name + " sits in a machine of " + entry_->host;
    // Only wheels of Linux x86_64 are in the table; without a fact nothing else can have been
    // built.
    if (platform_ == "linux/arm64" || platform_ == "linux/" + entry_->host) return;
    step(platform_.empty() ? Works::unknown : Works::no, "HOST",
         fact + ", the image is " + (platform_.empty() ? "of an unknown platform" : platform_),
         kGpus);
  }

  void judge_gpu_driver() {
    if (entry_ == nullptr) return;
    const GpuDriver& driver = entry_->driver;
    if (!driver.last.empty() && branch_.number > branch_of(driver.last.substr(1))) {
      step(Works::no, "GPU-DRIVER", driver.last + " is the last branch that drives " + gpu_.name,
           kGpus + note(driver), driver.evidence);
      return;
    }
    const std::string packaged = packaged_driver(table_, gpu_.toolkit + ".0", gpu_.toolkit);
    const bool is_read = !driver.first.empty();
    const std::string first = is_read ? driver.first : packaged;
    const int first_branch = branch_of(first);
    if (!first.empty() && branch_.number < first_branch) {
      step(Works::no, "GPU-DRIVER",
           is_read
               ? gpu_.name + " needs driver " + first + " or newer"
               : gpu_.name + " needs CUDA " + gpu_.toolkit + ", which came with driver " + first,
           is_read ? kGpus + note(driver) : kTable, is_read ? driver.evidence : "A");
      return;
    }
    judge_known(driver, first_branch);
    from(first);
  }
  static std::string note(const GpuDriver& driver) {
    return driver.source.empty() ? "" : ": " + driver.source;
  }

  /// Between the oldest driver that can know a GPU and the oldest that is known to, nothing is
  /// said.
  void judge_known(const GpuDriver& driver, int first_branch) {
    if (driver.known.empty()) return;
    const int known = branch_of(driver.known);
    if (branch_.number < known) {
      step(Works::unknown, "GPU-DRIVER",
           gpu_.name + " is known to run from driver " + driver.known + " on; what older ones do " +
               "was not read",
           kGpus + note(driver), driver.evidence);
    } else if (branch_.number == known && known > first_branch && known > floor_branch()) {
      step(Works::yes, "GPU-DRIVER", gpu_.name + " is known to run from driver " + driver.known,
           kGpus + note(driver), driver.evidence);
      from(driver.known);
    }
  }

  int floor_branch() const { return branch_of(table_.driver_floor_of(cuda_)); }

  void judge_floor() {
    const std::string floor = table_.driver_floor_of(cuda_);
    const std::string major = cuda_.substr(0, cuda_.find('.'));
    if (floor.empty()) {
      step(Works::unknown, "DRIVER-FLOOR", "the driver floor of CUDA " + major + " is not known",
           kTable);
      return;
    }
    const std::string fact = "CUDA " + major + " needs driver " + floor + " or newer";
    if (branch_.number < branch_of(floor)) {
      step(Works::no, "DRIVER-FLOOR", fact + " (below it, error 35)", kTable, "A");
      return;
    }
    step(Works::yes, "DRIVER-FLOOR", fact, kTable, "A");
    from(floor);
  }

  void judge_code() {
    if (!code_.empty()) {
      judge_codes(parse_code(code_), kRead, {});
      return;
    }
    if (const auto seen = image_.code_for.find(gpu_.name); seen != image_.code_for.end()) {
      const bool none = seen->second == "none";
      step(none ? Works::no : Works::yes, "GPU-CODE",
           gpu_text(gpu_) + " runs " + (none ? "none of torch's code" : seen->second), kRead);
      return;
    }
    if (variant_ == nullptr || (variant_->compute.empty() && variant_->ptx.empty())) {
      step(Works::unknown, "GPU-CODE", "which GPU code torch " + torch_ + " has was not read",
           kTable);
      return;
    }
    std::vector<Code> codes;
    const auto add = [&codes](ComputeCapability capability, bool is_ptx) {
      codes.push_back({.capability = capability,
                       .is_ptx = is_ptx,
                       .name = (is_ptx ? "compute_" : "sm_") +
                               std::to_string(capability.first * 10 + capability.second)});
    };
    for (const ComputeCapability& capability : variant_->compute) add(capability, false);
    for (const ComputeCapability& capability : variant_->ptx) add(capability, true);
    judge_codes(codes, kTable, variant_->evidence);
  }

  void judge_codes(const std::vector<Code>& codes, const std::string& source,
                   const std::string& evidence) {
    std::vector<std::string> names;
    const Code* machine = nullptr;
    const Code* ptx = nullptr;
    for (const Code& code : codes) {
      names.push_back(code.name);
      if (runs_on(code, gpu_.compute, table_)) (code.is_ptx ? ptx : machine) = &code;
    }
    const std::string has = "torch has " + join(names, " ") + "; ";
    if (machine != nullptr) {
      step(Works::yes, "GPU-CODE", has + gpu_text(gpu_) + " runs " + machine->name, source,
           evidence);
    } else if (ptx == nullptr) {
      step(Works::no, "GPU-CODE", has + gpu_text(gpu_) + " runs none of it", source, evidence);
    } else {
      judge_ptx(has, *ptx, source, evidence);
    }
  }

  /// Only a driver as new as the toolkit's own compiles its PTX (error 222 otherwise).
  void judge_ptx(const std::string& has, const Code& ptx, const std::string& source,
                 const std::string& evidence) {
    const std::string driver = packaged();
    const std::string fact = has + "the driver must compile " + ptx.name + " for " +
                             gpu_text(gpu_) + " at the first start";
    if (driver.empty()) {
      step(Works::unknown, "PTX", fact + ", and which driver can was not read", source, evidence);
    } else if (branch_.number < branch_of(driver)) {
      step(Works::no, "PTX", fact + ", which takes driver " + driver + " or newer (error 222)",
           source, evidence);
    } else {
      step(Works::limited, "PTX", fact, source, evidence);
      from(driver);
    }
  }

  std::string packaged() const {
    return packaged_driver(table_, variant_ == nullptr ? "" : variant_->toolkit, cuda_);
  }

  void judge_packaged() {
    const std::string driver = packaged();
    if (driver.empty() || branch_.number < floor_branch()) return;  // the floor has said no
    if (branch_.number >= branch_of(driver)) {
      from(driver);
      return;
    }
    step(Works::limited, "MINOR-VERSION",
         "CUDA " + cuda_ + " came with driver " + driver +
             "; older ones run its machine code, but not its PTX (222) nor calls that are newer "
             "than they are (36)",
         kTable, "A");
  }

  void judge_cudnn() {
    const std::vector<std::uint64_t> version = version_numbers(cudnn_);
    const bool is_new = version >= std::vector<std::uint64_t>{9, 11};
    if (cudnn_.empty() || gpu_.compute >= ComputeCapability(7, 5) || !is_new) return;
    step(Works::limited, "CUDNN-GPU",
         "cuDNN " + cudnn_ + " has no code below 7.5, and torch refuses it there", kRead);
  }

  struct Step {
    Works works;
    Reason reason;
    bool is_claim = false;
  };

  /// The worst step decides: what does not work at all before what nobody knows, and that before
  /// what works in part. Among equals what was read comes before what is claimed.
  static int rank(const Step& step) {
    const int works = step.works == Works::no        ? 0
                      : step.works == Works::unknown ? 1
                      : step.works == Works::limited ? 2
                                                     : 3;
    return works * 2 + (step.is_claim ? 1 : 0);
  }

  GpuCell finish() {
    std::stable_sort(steps_.begin(), steps_.end(),
                     [](const Step& left, const Step& right) { return rank(left) < rank(right); });
    cell_.works = steps_.empty() ? Works::unknown : steps_.front().works;
    cell_.basis = basis();
    for (Step& step : steps_) {
      // Why it would otherwise work is beside the point.
      if (cell_.works == Works::no && step.works != Works::no) continue;
      cell_.reasons.push_back(std::move(step.reason));
    }
    if (cell_.works == Works::no || cell_.works == Works::unknown) cell_.from_driver.clear();
    return std::move(cell_);
  }

  /// One thing that was read is enough for a "does not"; a "works" stands on all of its steps.
  Basis basis() const {
    if (cell_.works == Works::unknown) return Basis::none;
    if (cell_.works == Works::no) return steps_.front().is_claim ? Basis::claimed : Basis::derived;
    const bool any =
        std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.is_claim; });
    return any ? Basis::claimed : Basis::derived;
  }

  const MatrixImage& image_;
  const GpuModel& gpu_;
  const DriverBranch& branch_;
  const Compatibility& table_;
  const GpuEntry* entry_;
  const TorchVariant* variant_ = nullptr;
  std::string torch_, cuda_, cudnn_, code_, platform_;
  std::vector<Step> steps_;
  GpuCell cell_;
};

}  // namespace

GpuCell derive_cell(const MatrixImage& image, const GpuModel& gpu, const DriverBranch& branch,
                    const Compatibility& table, const GpuTable& gpus) {
  return Rules(image, gpu, branch, table, gpus).run();
}

}  // namespace img
