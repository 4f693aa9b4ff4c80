// SPDX-License-Identifier: Apache-2.0
// Sorts the members of wheels into kinds and candidates.

#include "builder/assemble/content_report.h"

#include "builder/base/text.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace img {
namespace {

struct Rule {
  const char* what;
  const char* glob;
  const char* consequence;
};

/// Order matters only for people; a file may fall under several.
constexpr Rule kTrimRules[] = {
    {"C and C++ headers", "**/*.{h,hpp,cuh,hh}",
     "torch.compile for C++, torch.utils.cpp_extension and triton's launcher need them"},
    {"static libraries", "**/*.a", "only linking against them at run time needs them"},
    {"tests", "**/{test,tests}/**",
     "some packages import them (networkx does); try before you ship"},
    {"type stubs", "**/*.pyi", "only type checkers and editors read them"},
    {"CMake files", "**/*.cmake", "only builds of extensions read them"},
    {"alternative compiler libraries", "**/*.alt.so*", "loaded only when chosen by hand"},
    {"multi-GPU cuSOLVER", "**/libcusolverMg.so*", "programs that call cusolverMg need it"},
    {"CUPTI copies inside triton", "triton/backends/nvidia/lib/cupti/**",
     "triton's profiler (proton) may need them"},
    {"protoc binaries", "torch/bin/protoc*", "no Python source of torch names them"},
};

/// "**/*.{h,hpp}" → the plain globs it stands for.
std::vector<std::string> expand_braces(const std::string& glob) {
  const auto open = glob.find('{');
  const auto close = glob.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {glob};
  std::vector<std::string> globs;
  for (const std::string& choice : split(glob.substr(open + 1, close - open - 1), ',')) {
    const std::string head = glob.substr(0, open);
    globs.push_back(head + choice + glob.substr(close + 1));
    // "**/" also stands for no folder at all.
    if (head.starts_with("**/")) globs.push_back(head.substr(3) + choice + glob.substr(close + 1));
  }
  return globs;
}

std::string kind_of(std::string_view path) {
  const auto ends = [&](std::string_view suffix) { return path.ends_with(suffix); };
  if (ends(".so") || path.find(".so.") != std::string_view::npos) return "shared libraries";
  if (ends(".a")) return "static libraries";
  if (ends(".py")) return "Python sources";
  if (ends(".h") || ends(".hpp") || ends(".cuh") || ends(".hh")) return "headers";
  if (ends(".pyi")) return "type stubs";
  if (path.find(".dist-info/") != std::string_view::npos) return "metadata";
  return "other files";
}

template <typename Items>
void largest_first(Items& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const auto& a, const auto& b) { return a.unpacked > b.unpacked; });
}

class Reporter {
 public:
  void add(const Wheel& wheel) {
    for (const ZipMember& member : wheel.zip().members()) {
      if (member.is_directory) continue;
      const FileShare file{wheel.file_name().file, member.name, member.size, member.packed_size};
      KindShare& kind = kinds_[kind_of(member.name)];
      ++kind.files;
      kind.unpacked += file.unpacked;
      kind.packed += file.packed;
      files_.push_back(file);
    }
    for (const RecordRow& row : wheel.record()) {
      if (row.sha256 && row.size.value_or(0) > 0) {
        places_[{to_hex(*row.sha256), *row.size}].push_back(wheel.file_name().file + ": " +
                                                            row.path);
      }
    }
  }

  ContentReport finish(std::size_t biggest) {
    ContentReport report;
    for (auto& [name, share] : kinds_) {
      share.kind = name;
      report.kinds.push_back(share);
    }
    largest_first(report.kinds);
    add_candidates(report);
    add_duplicates(report);
    largest_first(files_);
    files_.resize(std::min(files_.size(), biggest));
    report.biggest = std::move(files_);
    return report;
  }

 private:
  void add_candidates(ContentReport& report) const {
    for (const Rule& rule : kTrimRules) {
      TrimCandidate candidate{
          .what = rule.what, .glob = rule.glob, .consequence = rule.consequence};
      const auto globs = expand_braces(rule.glob);
      for (const FileShare& file : files_) {
        if (std::none_of(globs.begin(), globs.end(),
                         [&](const std::string& glob) { return glob_match(glob, file.path); })) {
          continue;
        }
        ++candidate.files;
        candidate.unpacked += file.unpacked;
        candidate.packed += file.packed;
      }
      if (candidate.files != 0) report.candidates.push_back(std::move(candidate));
    }
    largest_first(report.candidates);
  }

  void add_duplicates(ContentReport& report) {
    constexpr std::uint64_t kFloor = 1'000'000;
    for (auto& [key, places] : places_) {
      const std::uint64_t wasted = key.second * (places.size() - 1);
      if (places.size() > 1 && wasted >= kFloor) report.duplicates.push_back({places, wasted});
    }
    std::stable_sort(report.duplicates.begin(), report.duplicates.end(),
                     [](const auto& a, const auto& b) { return a.wasted > b.wasted; });
  }

  std::map<std::string, KindShare> kinds_;
  std::vector<FileShare> files_;
  std::map<std::pair<std::string, std::uint64_t>, std::vector<std::string>> places_;
};

}  // namespace

ContentReport report_contents(const std::vector<const Wheel*>& wheels, std::size_t biggest) {
  Reporter reporter;
  for (const Wheel* wheel : wheels) reporter.add(*wheel);
  return reporter.finish(biggest);
}

}  // namespace img
