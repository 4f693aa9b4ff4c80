// SPDX-License-Identifier: Apache-2.0
// Which reports are about the same bytes, what they say about each check, and where they disagree.

#include "validators/judge/catalogue.h"
#include "validators/matrix/parts.h"
#include "validators/report/summary.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

bool has_run(Status status) { return status != Status::skipped && status != Status::blocked; }

bool is_failure(Status status) { return status == Status::fail || status == Status::waived; }

/// What counts first: what ran before what did not, failures before passes, the newest first.
/// A stand-in counts only when nothing else was said.
int weight(const CheckSaid& said) {
  if (said.simulated) return 4;
  if (is_failure(said.status)) return 0;
  if (has_run(said.status)) return 1;
  return said.status == Status::blocked ? 2 : 3;
}

std::string title_in(const Report& report, const std::string& file) {
  if (!report.image.name.empty()) return on_one_line(report.image.name);
  if (!report.image.manifest_digest.empty()) return on_one_line(image_title(report));
  return on_one_line(file);
}

/// Runs of digits compare as numbers, so that 2.8 comes before 2.11.
bool comes_before(std::string_view left, std::string_view right) {
  const auto take = [](std::string_view& text) {
    const bool digits = text.front() >= '0' && text.front() <= '9';
    std::size_t size = 0;
    while (size < text.size() && (text[size] >= '0' && text[size] <= '9') == digits) ++size;
    const std::string_view part = text.substr(0, size);
    text.remove_prefix(size);
    return std::pair(digits, part);
  };
  while (!left.empty() && !right.empty()) {
    auto [is_number, one] = take(left);
    auto [is_other_number, other] = take(right);
    if (is_number != is_other_number) return is_number;
    if (is_number && one.size() != other.size()) return one.size() < other.size();
    if (one != other) return one < other;
  }
  return left.size() < right.size();
}

std::string anchor_of(const std::string& name, std::set<std::string>& taken) {
  std::string anchor;
  for (const char c : name) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) {
      anchor += c;
    } else if (!anchor.empty() && anchor.back() != '-') {
      anchor += '-';
    }
    if (anchor.size() >= 60) break;
  }
  while (!anchor.empty() && anchor.back() == '-') anchor.pop_back();
  if (anchor.empty()) anchor = "image";
  std::string unique = anchor;
  for (int number = 2; !taken.insert(unique).second; ++number) {
    unique = anchor + "-" + std::to_string(number);
  }
  return unique;
}

class Collector {
 public:
  Collector(const std::vector<MatrixReport>& reports, std::vector<MatrixProblem>& problems)
      : reports_(reports), problems_(problems) {}

  std::vector<MatrixImage> run() {
    for (const std::size_t index : newest_first()) place(index);
    for (MatrixImage& image : images_) {
      settle_facts(image);
      settle_checks(image);
    }
    std::stable_sort(images_.begin(), images_.end(),
                     [](const MatrixImage& left, const MatrixImage& right) {
                       return comes_before(left.name, right.name);
                     });
    std::set<std::string> anchors;
    for (MatrixImage& image : images_) image.anchor = anchor_of(image.name, anchors);
    return std::move(images_);
  }

 private:
  std::vector<std::size_t> newest_first() const {
    std::vector<std::size_t> order;
    for (std::size_t index = 0; index < reports_.size(); ++index) order.push_back(index);
    std::stable_sort(order.begin(), order.end(), [this](std::size_t left, std::size_t right) {
      return reports_[left].report.started > reports_[right].report.started;
    });
    return order;
  }

  void place(std::size_t index) {
    const Report& report = reports_[index].report;
    const std::string& digest = report.image.manifest_digest;
    MatrixImage* home = nullptr;
    for (MatrixImage& image : images_) {
      if (!digest.empty() && image.digest == digest) home = &image;
    }
    if (home == nullptr) {
      home = &images_.emplace_back();
      home->digest = digest;
      home->name = title_in(report, reports_[index].file);
    }
    home->packed_size = std::max(home->packed_size, report.image.packed_size);
    home->unpacked_size = std::max(home->unpacked_size, report.image.unpacked_size);
    home->reports.push_back(index);
    for (const CheckResult& check : report.checks) {
      home->checks[check.id].said.push_back({.report = index,
                                             .status = check.status,
                                             .simulated = check.simulated,
                                             .line = line_of(check)});
      if (check.id == "ARCH-LIST" && !check.simulated) note_code(check, *home);
    }
  }

  /// "code for T4 (7.5)", "sm_75": one GPU that the manifest promises, and what it runs of torch.
  static void note_code(const CheckResult& check, MatrixImage& image) {
    constexpr std::string_view kPrefix = "code for ";
    for (const Finding& finding : check.findings) {
      const std::size_t end = finding.expected.rfind(" (");
      if (!finding.expected.starts_with(kPrefix) || end == std::string::npos) continue;
      if (!finding.path.ends_with("/libtorch_cuda.so")) continue;
      image.code_for.try_emplace(finding.expected.substr(kPrefix.size(), end - kPrefix.size()),
                                 finding.actual);
    }
  }

  void dispute(MatrixImage& image, const std::string& what, const std::string& one,
               const std::string& one_file, const std::string& other,
               const std::string& other_file) {
    problems_.push_back({.kind = MatrixProblem::Kind::contradiction,
                         .subject = image.name,
                         .message = "reports of the same digest disagree on " + what + ": '" +
                                    one_file + "' says " + one + ", '" + other_file + "' says " +
                                    other});
  }

  /// Facts are read in bytes, and one digest has the same bytes: two values are never both right.
  void settle_facts(MatrixImage& image) {
    std::map<std::string, std::size_t> from;
    std::set<std::string> disputed;
    for (const std::size_t index : image.reports) {
      std::map<std::string, std::string> facts = reports_[index].report.facts;
      if (const std::string& config = reports_[index].report.image.config_digest; !config.empty()) {
        facts["config digest"] = config;
      }
      for (const auto& [name, value] : facts) {
        const auto [known, is_new] = from.try_emplace(name, index);
        if (is_new) {
          image.facts[name] = value;
        } else if (image.facts[name] != value && disputed.insert(name).second) {
          dispute(image, "'" + name + "'", "'" + image.facts[name] + "'",
                  reports_[known->second].file, "'" + value + "'", reports_[index].file);
        }
      }
    }
    for (const std::string& name : disputed) image.facts.erase(name);
    image.facts.erase("config digest");
    image.disputed.assign(disputed.begin(), disputed.end());
  }

  void settle_checks(MatrixImage& image) {
    for (auto& [id, cell] : image.checks) {
      std::stable_sort(cell.said.begin(), cell.said.end(),
                       [](const CheckSaid& left, const CheckSaid& right) {
                         return weight(left) < weight(right);
                       });
      const CheckSaid* failed = nullptr;
      const CheckSaid* passed = nullptr;
      for (const CheckSaid& said : cell.said) {
        if (said.simulated || !has_run(said.status)) continue;
        (is_failure(said.status) ? failed : passed) = &said;
      }
      // A waiver is a policy's word about a failure, so only pass against fail is a contradiction.
      if (failed == nullptr || passed == nullptr) continue;
      cell.contradictory = true;
      dispute(image, "check " + id, std::string(to_string(failed->status)),
              reports_[failed->report].file, std::string(to_string(passed->status)),
              reports_[passed->report].file);
    }
  }

  const std::vector<MatrixReport>& reports_;
  std::vector<MatrixProblem>& problems_;
  std::vector<MatrixImage> images_;
};

}  // namespace

std::optional<Status> CheckCell::status() const {
  return said.empty() ? std::nullopt : std::optional(said.front().status);
}

Basis CheckCell::basis() const {
  if (said.empty() || !has_run(said.front().status)) return Basis::none;
  return said.front().simulated ? Basis::claimed : Basis::tested;
}

std::vector<MatrixImage> collect_images(const std::vector<MatrixReport>& reports,
                                        std::vector<MatrixProblem>& problems) {
  return Collector(reports, problems).run();
}

}  // namespace img
