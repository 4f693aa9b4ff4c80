// SPDX-License-Identifier: Apache-2.0
// PY-BYTECODE: bytecode beside every module, for the image's Python, valid by hash.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

// Wheels hold files that the image's Python cannot compile (templates, tests of syntax errors, code
// for a newer Python), one or two in thousands; they have no bytecode anywhere. One that is missing
// costs a millisecond at a start, so a few are worth a warning; more than one in a hundred is a
// step of the build that was left out.
constexpr double kAbsentWarn = 0.001, kAbsentFail = 0.01;
constexpr std::size_t kShown = 5;

/// Magic numbers of released interpreters; the first two bytes, "\r\n" follows.
std::optional<std::uint32_t> magic_of(std::string_view version) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 7> kMagic{{
      {"3.8", 3413},
      {"3.9", 3425},
      {"3.10", 3439},
      {"3.11", 3495},
      {"3.12", 3531},
      {"3.13", 3571},
      {"3.14", 3627},
  }};
  for (const auto& [python, number] : kMagic) {
    if (python == version) return number | 0x0a0d0000u;
  }
  return std::nullopt;
}

/// "3.11" of "/opt/venv/lib/python3.11/site-packages/x.py"
std::string python_of(const std::string& path) {
  constexpr std::string_view kFolder = "/python";
  const std::size_t at = path.find("/lib/python3.");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + 4 + kFolder.size();
  return path.substr(begin, path.find('/', begin) - begin);
}

/// "/a/b.py" → "/a/__pycache__/b.cpython-311.pyc"
std::string cache_of(const std::string& path, const std::string& python) {
  std::string tag = python;
  tag.erase(std::remove(tag.begin(), tag.end(), '.'), tag.end());
  const std::string name = base_name(path);
  return folder_of(path) + "/__pycache__/" + name.substr(0, name.size() - 3) + ".cpython-" + tag +
         ".pyc";
}

enum class State { good, absent, foreign, dated, unchecked };

struct Tally {
  std::uint64_t count = 0;
  std::vector<std::string> examples;
  void add(const std::string& path) {
    ++count;
    if (examples.size() < kShown) examples.push_back(path);
  }
};

State state_of(const ImageFacts& image, const std::string& path, const std::string& python) {
  const auto cached = image.bytecode.find(cache_of(path, python));
  if (cached == image.bytecode.end()) return State::absent;
  const auto magic = magic_of(python);
  if (magic && cached->second.magic != *magic) return State::foreign;
  switch (cached->second.flags) {
    case 0:
      return State::dated;
    case 1:
      return State::unchecked;
    case 3:
      return State::good;
    default:
      return State::foreign;
  }
}

class Bytecode {
 public:
  explicit Bytecode(const CheckContext& context) : context_(context) {
    for (const auto& [path, file] : context.image().files) {
      if (file.kind != FileKind::file || !path.ends_with(".py")) continue;
      if (path.find("/site-packages/") == std::string::npos) continue;
      const std::string python = python_of(path);
      if (python.empty()) continue;
      if (python_.empty()) python_ = python;
      ++modules_;
      tallies_[state_of(context.image(), path, python)].add(path);
    }
  }

  std::uint64_t modules() const { return modules_; }

  std::vector<Finding> run() {
    const bool ours = context_.manifest() != nullptr;
    const double absent =
        static_cast<double>(tallies_[State::absent].count) / static_cast<double>(modules_);
    report(State::absent,
           absent > kAbsentFail   ? Status::fail
           : absent > kAbsentWarn ? Status::warn
                                  : Status::pass,
           "have no bytecode");
    report(State::foreign, Status::fail, "have bytecode that their Python does not take");
    // Dates survive in layers as a foreign builder wrote them; ours gives every file one date.
    report(State::dated, ours ? Status::fail : Status::warn,
           "have bytecode that a changed date makes stale");
    report(State::unchecked, Status::warn,
           "have bytecode that hides an edit of the source (unchecked hash)");
    findings_.push_back(pass_finding(
        context_, with_commas(tallies_[State::good].count) + " of " + count_of(modules_, "module") +
                      " have checked-hash bytecode of Python " + python_));
    return std::move(findings_);
  }

 private:
  void report(State state, Status status, const std::string& what) {
    const Tally& tally = tallies_[state];
    if (tally.count == 0) return;
    Finding finding{.status = status,
                    .message = with_commas(tally.count) + " of " + count_of(modules_, "module") +
                               " " + what + ", such as '" + tally.examples.front() + "'",
                    .path = tally.examples.front(),
                    .layer = context_.view.layer_of(tally.examples.front())};
    findings_.push_back(compared(std::move(finding), "checked-hash bytecode of Python " + python_,
                                 join(tally.examples, ", ")));
  }

  const CheckContext& context_;
  std::string python_;
  std::uint64_t modules_ = 0;
  std::map<State, Tally> tallies_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_bytecode(const CheckContext& context) {
  Bytecode bytecode(context);
  if (bytecode.modules() == 0) {
    return skip("PY-BYTECODE", "the image has no Python modules in a site-packages folder");
  }
  return finish("PY-BYTECODE", bytecode.run());
}

}  // namespace img
