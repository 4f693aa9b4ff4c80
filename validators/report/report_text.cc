// SPDX-License-Identifier: Apache-2.0
// The form for a terminal: failures first and in full, one line for what passed, a line of counts.

#include "builder/base/text.h"
#include "validators/judge/catalogue.h"
#include "validators/report/renderers.h"
#include "validators/report/summary.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::size_t kStatusWidth = 9;
constexpr std::size_t kIdWidth = 14;
constexpr std::size_t kFindingsShown = 8;
constexpr std::string_view kIndent = "         ";  // under the id

std::string padded(std::string text, std::size_t width) {
  const std::size_t columns = display_width(text);
  return columns < width ? text + std::string(width - columns, ' ') : text;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string_view color_of(Status status) {
  switch (status) {
    case Status::fail:
      return "\x1b[1;31m";
    case Status::blocked:
      return "\x1b[1;35m";
    case Status::warn:
      return "\x1b[33m";
    case Status::pass:
      return "\x1b[32m";
    default:
      return "\x1b[2m";
  }
}

/// Lines of at most `width` columns; a word that is wider stands alone.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines{""};
  for (const std::string& word : split(text, ' ')) {
    std::string& line = lines.back();
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      lines.push_back(word);
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return lines;
}

class TextReport {
 public:
  TextReport(const Report& report, const RenderOptions& options)
      : report_(report),
        options_(options),
        width_(static_cast<std::size_t>(std::max(options.width, 40))) {}

  std::string render() {
    add_header();
    for (const CheckResult* check : by_urgency(report_)) add_check(*check);
    add_end();
    return std::move(out_);
  }

 private:
  void add_line(const std::string& line) { out_ += line + "\n"; }

  void add_header_line(std::string label, const std::string& value) {
    if (!value.empty()) add_line(padded(std::move(label), kStatusWidth) + on_one_line(value));
  }

  void add_header() {
    const ReportImage& image = report_.image;
    add_header_line("image", image_title(report_));
    if (image.reference != image_title(report_)) add_header_line("from", image.reference);
    if (image.manifest_digest != image_title(report_)) {
      add_header_line("digest", image.manifest_digest);
    }
    if (image.packed_size != 0) {
      add_header_line("size", human_size(image.packed_size) + " packed, " +
                                  human_size(image.unpacked_size) + " unpacked, " +
                                  std::to_string(image.layers.size()) + " layers");
    }
    add_header_line("manifest", report_.manifest_name.empty() ? std::string("none was given")
                                                              : report_.manifest_name);
    const std::string runtime =
        report_.machine.runtime.empty() ? "" : " (" + report_.machine.runtime + ")";
    add_header_line("tiers", join(report_.tiers, ", ") + runtime);
    add_line("");
  }

  std::string colored(Status status, const std::string& text) const {
    return options_.color ? std::string(color_of(status)) + text + "\x1b[0m" : text;
  }

  void add_check(const CheckResult& check) {
    const std::string head = padded(upper(to_string(check.status)), kStatusWidth);
    const std::string id = padded(check.id, kIdWidth);
    const std::size_t left = width_ - std::min(width_ - 20, kStatusWidth + display_width(id));
    const bool urgent = check.status == Status::fail || check.status == Status::warn ||
                        check.status == Status::blocked;
    if (!urgent) {
      add_line(colored(check.status, head) + id + fit_width(line_of(check), left));
      return;
    }
    bool first = true;
    for (const std::string& line : wrapped(line_of(check), left)) {
      add_line(first ? colored(check.status, head) + id + line
                     : std::string(kStatusWidth + display_width(id), ' ') + line);
      first = false;
    }
    add_findings(check);
    if (check.status == Status::fail) add_mend(check);
  }

  void add_findings(const CheckResult& check) {
    std::size_t shown = 0, urgent = 0;
    for (const Finding& finding : check.findings) {
      if (finding.status == Status::pass) continue;
      if (++urgent > kFindingsShown) continue;
      add_finding(finding, shown++ == 0 && on_one_line(finding.message) == check.reason);
    }
    if (urgent > kFindingsShown) {
      add_line(std::string(kIndent) + "… and " + std::to_string(urgent - kFindingsShown) +
               " more; the JSON report has all");
    }
  }

  void add_finding(const Finding& finding, bool told_by_reason) {
    const std::string indent(kIndent);
    if (!told_by_reason) {
      bool first = true;
      for (const std::string& line : wrapped(on_one_line(finding.message), width_ - 11)) {
        add_line(indent + (first ? "- " : "  ") + line);
        first = false;
      }
    }
    const auto add_detail = [&](std::string label, const std::string& value,
                                const std::string& origin) {
      if (value.empty()) return;
      add_line(indent + "  " + padded(std::move(label), 10) + on_one_line(value) +
               (origin.empty() ? "" : "   (" + on_one_line(origin) + ")"));
    };
    // The message of most checks names the path already.
    if (finding.message.find(finding.path) == std::string::npos) {
      add_detail("path:", finding.path, {});
    }
    add_detail("layer:", finding.layer, {});
    add_detail("expected:", finding.expected, finding.source);
    add_detail("got:", finding.actual, {});
  }

  void add_mend(const CheckResult& check) {
    const CheckInfo* const info = find_check(check.id);
    if (info == nullptr) return;
    bool first = true;
    for (const std::string& line : wrapped(info->mend, width_ - 21)) {
      add_line(std::string(kIndent) + (first ? "  mend:     " : "            ") + line);
      first = false;
    }
  }

  void add_end() {
    add_line("");
    for (const std::string& note : report_.notes) add_line("note: " + on_one_line(note));
    if (report_.verdict) {
      add_line(verdict_line(report_));
      for (const std::string& reason : report_.verdict->reasons) {
        add_line("  - " + on_one_line(reason));
      }
    }
    const std::string counts = counts_line(report_) + " (" + duration_text(report_.seconds) + ")";
    for (const std::string& line : wrapped(counts, width_)) add_line(line);
  }

  const Report& report_;
  const RenderOptions& options_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string render_text(const Report& report, const RenderOptions& options) {
  return TextReport(report, options).render();
}

}  // namespace img
