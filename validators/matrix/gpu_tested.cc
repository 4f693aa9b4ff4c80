// SPDX-License-Identifier: Apache-2.0
// What the GPU tiers of reports have seen on real GPUs, put over what was derived.

#include "validators/judge/catalogue.h"
#include "validators/matrix/parts.h"
#include "validators/report/summary.h"

#include <algorithm>
#include <cctype>

namespace img {
namespace {

/// "NVIDIA A100-SXM4-80GB" → " nvidia a100 sxm4 80gb "
std::string words_of(std::string_view text) {
  std::string words = " ";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      words += static_cast<char>(std::tolower(byte));
    } else if (words.back() != ' ') {
      words += ' ';
    }
  }
  return words.back() == ' ' ? words : words + " ";
}

bool is_gpu_tier(const CheckResult& check) {
  return check.tier == Tier::gpu || check.tier == Tier::multi_gpu;
}

/// What the GPU tiers of one report amount to.
struct Seen {
  Works works = Works::unknown;
  std::vector<Reason> reasons;
};

Seen seen_in(const Report& report) {
  Seen seen;
  std::size_t passed = 0;
  for (const CheckResult& check : report.checks) {
    if (!is_gpu_tier(check) || check.simulated || check.status == Status::skipped) continue;
    const std::string line = check.id + ": " + line_of(check);
    if (check.status == Status::fail || check.status == Status::waived) {
      const CheckInfo* const info = find_check(check.id);
      const bool fatal = info == nullptr || info->severity == Severity::critical;
      if (seen.works != Works::no) seen.works = fatal ? Works::no : Works::limited;
      seen.reasons.push_back({"TESTED", line, "report, failed", {}});
    } else if (check.status == Status::blocked) {
      seen.reasons.push_back({"TESTED", line, "report, blocked", {}});
    } else {
      ++passed;
    }
  }
  if (seen.works == Works::unknown && passed != 0) seen.works = Works::yes;
  if (passed != 0) {
    seen.reasons.push_back(
        {"TESTED",
         std::to_string(passed) +
             (passed == 1 ? " check of the GPU tiers passes" : " checks of the GPU tiers pass"),
         "report",
         {}});
  }
  return seen;
}

bool ran_on(const Report& report, const GpuModel& gpu, const DriverBranch& branch,
            const std::vector<GpuModel>& models) {
  if (branch_of(report.machine.driver) != branch.number) return false;
  return std::any_of(report.machine.gpus.begin(), report.machine.gpus.end(),
                     [&](const std::string& device) {
                       const GpuModel* const model = model_of(device, models);
                       return model != nullptr && model->name == gpu.name;
                     });
}

}  // namespace

const GpuModel* model_of(std::string_view device, const std::vector<GpuModel>& models) {
  const std::string words = words_of(device);
  const GpuModel* best = nullptr;
  for (const GpuModel& model : models) {
    if (words.find(words_of(model.name)) == std::string::npos) continue;
    if (best == nullptr || model.name.size() > best->name.size()) best = &model;
  }
  return best;
}

void apply_tested(const std::vector<MatrixReport>& reports, const MatrixImage& image,
                  const GpuModel& gpu, const DriverBranch& branch,
                  const std::vector<GpuModel>& models, GpuCell& cell) {
  for (const std::size_t index : image.reports) {  // newest first
    const Report& report = reports[index].report;
    if (!ran_on(report, gpu, branch, models)) continue;
    Seen seen = seen_in(report);
    if (seen.works == Works::unknown) {
      // Blocked there: what is derived stands, and says so.
      cell.reasons.insert(cell.reasons.end(), seen.reasons.begin(), seen.reasons.end());
      continue;
    }
    if (seen.works != cell.works) {
      seen.reasons.push_back({"TESTED",
                              "by rule it " + std::string(to_string(cell.works)) +
                                  ": the rule or a fact behind it is wrong here",
                              "rules below",
                              {}});
    }
    seen.reasons.insert(seen.reasons.end(), cell.reasons.begin(), cell.reasons.end());
    cell.works = seen.works;
    cell.basis = Basis::tested;
    cell.reasons = std::move(seen.reasons);
    cell.from_driver.clear();
    cell.tested = report.started.substr(0, 10) + " on " + report.machine.gpus.front() +
                  ", driver " + report.machine.driver;
    return;
  }
}

}  // namespace img
