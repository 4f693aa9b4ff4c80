// SPDX-License-Identifier: Apache-2.0
// The form for a browser: one file with its style, script and data, nothing from elsewhere.

#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "validators/judge/catalogue.h"
#include "validators/matrix/page_data.h"
#include "validators/matrix/parts.h"
#include "validators/report/markup.h"

#include <array>
#include <map>
#include <tuple>

namespace img {
namespace {

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text = to_base64url(bytes);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return text;
}

/// "'sha256-…'" for the page's own policy.
std::string source_hash(std::string_view text) { return "'sha256-" + base64(sha256(text)) + "'"; }

std::string element(std::string_view tag, std::string_view classes, std::string_view text) {
  std::string out = "<" + std::string(tag);
  if (!classes.empty()) out += " class=\"" + std::string(classes) + "\"";
  return out + ">" + escape_xml(text) + "</" + std::string(tag) + ">";
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escape_xml(value) + "\"";
}

/// Class of a cell: what it says and how it is known.
std::string look_of(const GpuCell& cell) {
  static constexpr std::array kWorks{"unknown", "no", "limited", "yes"};
  return std::string(kWorks[static_cast<std::size_t>(cell.works)]) + " " +
         std::string(to_string(cell.basis));
}

std::string look_of(const CheckCell& cell) {
  const auto status = cell.status();
  std::string look = "unknown";
  if (status == Status::pass) look = "yes";
  if (status == Status::warn) look = "limited";
  if (status == Status::fail) look = "no";
  if (status == Status::waived) look = "waived";
  if (status == Status::blocked) look = "blocked";
  if (cell.contradictory) look = "no";
  return look + " " + std::string(to_string(cell.basis()));
}

std::string_view letter_of(Basis basis) {
  switch (basis) {
    case Basis::tested:
      return "t";
    case Basis::derived:
      return "d";
    case Basis::claimed:
      return "c";
    default:
      return "";
  }
}

std::string sort_head(std::string_view text, std::string_view title = {}) {
  return "<th scope=\"col\"><button type=\"button\"" +
         (title.empty() ? std::string() : attribute("title", title)) + ">" + escape_xml(text) +
         "</button></th>";
}

std::string start_scroll(std::string_view label) {
  return "<div class=\"scroll\" role=\"region\" tabindex=\"0\"" + attribute("aria-label", label) +
         ">\n";
}

class Page {
 public:
  explicit Page(const Matrix& matrix) : matrix_(matrix) {}

  std::string run() {
    return head() + "<header>\n<h1>Compatibility matrix</h1>\n" +
           element("p", "sub",
                   matrix_.newest.empty() ? "no report" : "newest report of " + matrix_.newest) +
           "\n" + counts() + problems() + sections() + "</header>\n<main>\n" + gpus() + checks() +
           images() + claims() + "</main>\n" + details() +
           element("footer", "",
                   "imgcheck " + matrix_.tool_version + "; " + summary_line(matrix_)) +
           "\n<script type=\"application/json\" id=\"data\">" + data() + "</script>\n<script>" +
           std::string(matrix_script()) + "</script>\n</body>\n</html>\n";
  }

 private:
  static std::string head() {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src " +
           source_hash(matrix_style()) + "; script-src " + source_hash(matrix_script()) +
           "; base-uri 'none'; form-action 'none'\">\n"
           "<meta name=\"referrer\" content=\"no-referrer\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<title>Compatibility matrix</title>\n<style>" +
           std::string(matrix_style()) + "</style>\n</head>\n<body>\n";
  }

  std::string counts() const {
    std::map<Works, std::uint64_t> works;
    std::map<Basis, std::uint64_t> basis;
    for (const GpuRow& row : matrix_.rows) {
      for (const GpuCell& cell : row.cells) {
        ++works[cell.works];
        ++basis[cell.basis];
      }
    }
    std::string out =
        "<ul class=\"counts\" aria-label=\"cells of image, GPU and driver branch\">\n";
    const auto add = [&out](std::uint64_t count, std::string_view look, std::string_view label) {
      out += "<li><b class=\"" + std::string(look) + "\">" + with_commas(count) + "</b>" +
             std::string(label) + "</li>\n";
    };
    add(works[Works::yes], "yes", "work");
    add(works[Works::limited], "limited", "limited");
    add(works[Works::no], "no", "do not");
    add(works[Works::unknown], "unknown", "unknown");
    add(basis[Basis::tested], "", "tested");
    add(basis[Basis::derived], "", "derived");
    add(basis[Basis::claimed], "", "claimed");
    return out + "</ul>\n";
  }

  std::string problems() const {
    if (matrix_.problems.empty()) return {};
    std::string out = "<div class=\"problems\">\n<h2>Problems with the reports</h2>\n<ul>\n";
    for (const MatrixProblem& problem : matrix_.problems) {
      out += "<li>" + element("b", "", to_string(problem.kind)) + ": " +
             escape_xml(problem.message) + "</li>\n";
    }
    return out + "</ul>\n</div>\n";
  }

  static std::string sections() {
    return "<nav aria-label=\"Sections\"><ul class=\"sections\">\n"
           "<li><a href=\"#gpus\">GPUs and drivers</a></li>\n<li><a "
           "href=\"#checks\">Checks</a></li>\n"
           "<li><a href=\"#images\">Images</a></li>\n<li><a href=\"#claims\">Claims</a></li>\n"
           "</ul></nav>\n";
  }

  static std::string select(std::string_view key, std::string_view label, std::string_view all,
                            const std::vector<std::pair<std::string, std::string>>& options) {
    std::string out = "<label>" + std::string(label) + "<select name=\"" + std::string(key) +
                      "\">\n<option value=\"\">" + std::string(all) + "</option>\n";
    for (const auto& [value, text] : options) {
      out += "<option" + attribute("value", value) + ">" + escape_xml(text) + "</option>\n";
    }
    return out + "</select></label>\n";
  }

  std::string filters() const {
    std::vector<std::pair<std::string, std::string>> images, gpus, branches;
    for (const MatrixImage& image : matrix_.images) images.emplace_back(image.anchor, image.name);
    for (const GpuModel& gpu : matrix_.gpus) {
      gpus.emplace_back(gpu.name, gpu.name + " (" + to_string(gpu.compute) + ")");
    }
    for (const DriverBranch& branch : matrix_.branches) {
      branches.emplace_back(branch.name,
                            branch.name + (branch.kind.empty() ? "" : ", " + branch.kind));
    }
    // Without a script it would do nothing, so the script shows it.
    return "<form id=\"filters\" class=\"filters\" aria-label=\"Filter the table\" hidden>\n" +
           select("image", "Image", "all images", images) + select("gpu", "GPU", "all GPUs", gpus) +
           select("driver", "Driver branch", "all branches", branches) +
           select("state", "State", "any state",
                  {{"works", "works"},
                   {"limited", "limited"},
                   {"does not", "does not"},
                   {"unknown", "unknown"}}) +
           select("basis", "How it is known", "any",
                  {{"tested", "tested"}, {"derived", "derived"}, {"claimed", "claimed"}}) +
           "<label>Search<input type=\"search\" name=\"q\" placeholder=\"hopper 2.8\"></label>\n"
           "<button type=\"reset\">Show all</button>\n</form>\n"
           "<p class=\"status-line\" id=\"shown\" role=\"status\"></p>\n";
  }

  static std::string legend() {
    const auto item = [](std::string_view look, std::string_view mark, std::string_view text) {
      return "<li><span class=\"cell " + std::string(look) + "\" aria-hidden=\"true\">" +
             std::string(mark) + "</span>" + escape_xml(text) + "</li>\n";
    };
    return "<ul class=\"legend\" aria-label=\"Legend\">\n" +
           item("yes tested", "✓<i>t</i>", "tested there") +
           item("yes derived", "✓<i>d</i>", "derived from what was read in the image") +
           item("yes claimed", "✓<i>c</i>", "claimed by a table, read by nobody here") +
           item("limited derived", "◐<i>d</i>", "limited") +
           item("no derived", "✕<i>d</i>", "does not work") + item("unknown none", "?", "unknown") +
           "</ul>\n";
  }

  std::string gpus() const {
    std::string out =
        "<section id=\"gpus\">\n<h2>Image × GPU × driver branch</h2>\n" + legend() + filters() +
        "<noscript><p class=\"note\">Filters, sorting and the reasons behind each cell "
        "need a script; the Markdown and JSON forms have them in full.</p></noscript>\n" +
        start_scroll("Table of images, GPUs and driver branches") + "<table id=\"gpu-table\"" +
        (matrix_.images.size() == 1 ? " class=\"one-image\"" : "") +
        "><caption class=\"sr\">Whether an image works on a GPU under a driver "
        "branch</caption>\n<thead><tr>" +
        sort_head("GPU");
    for (const DriverBranch& branch : matrix_.branches) out += sort_head(branch.name, branch.kind);
    out += "</tr></thead>\n<tbody>\n";
    for (std::size_t index = 0; index < matrix_.rows.size(); ++index) out += gpu_row(index);
    return out + "</tbody></table></div>\n</section>\n";
  }

  std::string gpu_row(std::size_t index) const {
    const GpuRow& row = matrix_.rows[index];
    const MatrixImage& image = matrix_.images[row.image];
    const GpuModel& gpu = matrix_.gpus[index % matrix_.gpus.size()];
    std::string out =
        "<tr data-row=\"" + std::to_string(index) + "\"><th scope=\"row\" data-sort=\"" +
        std::to_string(index % matrix_.gpus.size()) + "\">" + escape_xml(row.gpu) + "<small>" +
        escape_xml(gpu.architecture + " " + to_string(gpu.compute)) +
        "</small><small class=\"image-name\">" + escape_xml(image.name) + "</small></th>";
    for (std::size_t at = 0; at < row.cells.size(); ++at) {
      out += gpu_cell(row, row.cells[at], matrix_.branches[at], image);
    }
    return out + "</tr>\n";
  }

  static std::string gpu_cell(const GpuRow& row, const GpuCell& cell, const DriverBranch& branch,
                              const MatrixImage& image) {
    // Sorted by what it says, and among equals by how well it is known.
    const int order = static_cast<int>(cell.works) * 10 + static_cast<int>(cell.basis);
    return "<td data-sort=\"" + std::to_string(order) + "\"><a class=\"cell " + look_of(cell) +
           "\"" +
           attribute("href", "#cell=" + escape_uri_path(image.anchor) + "~" +
                                 escape_uri_path(row.gpu) + "~" + branch.name) +
           attribute("aria-label", row.gpu + " under " + branch.name + ", " + image.name + ": " +
                                       cell_words(cell)) +
           attribute("title", cell_words(cell)) + ">" + std::string(symbol_of(cell.works)) +
           (cell.basis == Basis::none ? "" : "<i>" + std::string(letter_of(cell.basis)) + "</i>") +
           "</a></td>";
  }

  std::string checks() const {
    std::string out =
        "<section id=\"checks\">\n<h2>Image × check</h2>\n"
        "<p class=\"note\">Filled: it ran. Blocked (⊘) should have run and could not, and is never "
        "a "
        "pass.</p>\n" +
        start_scroll("Table of images and checks") +
        "<table id=\"check-table\"><caption class=\"sr\">What each check said of each image"
        "</caption>\n<thead><tr>" +
        sort_head("Check");
    for (const MatrixImage& image : matrix_.images) out += sort_head(image.name, image.digest);
    out += "</tr></thead>\n<tbody>\n";
    for (std::size_t index = 0; index < matrix_.checks.size(); ++index) out += check_row(index);
    return out + "</tbody></table></div>\n</section>\n";
  }

  std::string check_row(std::size_t index) const {
    const std::string& id = matrix_.checks[index];
    const CheckInfo* const info = find_check(id);
    std::string out = "<tr data-row=\"" + std::to_string(index) +
                      "\"><th scope=\"row\" data-sort=\"" + std::to_string(index) + "\">" +
                      escape_xml(id);
    if (info != nullptr) {
      out += "<small>" + escape_xml(to_string(info->tier)) +
             " tier</small><small class=\"title\">" + escape_xml(info->title) + "</small>";
    }
    out += "</th>";
    for (const MatrixImage& image : matrix_.images) {
      const auto found = image.checks.find(id);
      out += check_cell(id, found == image.checks.end() ? CheckCell{} : found->second, image);
    }
    return out + "</tr>\n";
  }

  static std::string check_cell(const std::string& id, const CheckCell& cell,
                                const MatrixImage& image) {
    std::string word = cell.contradictory ? "contradictory" : status_word(cell.status());
    if (cell.basis() == Basis::claimed) word += " (stand-in)";
    const int order = cell.status() ? sort_order(*cell.status()) : 0;
    return "<td data-sort=\"" + std::to_string(order) + "\"><a class=\"cell word " + look_of(cell) +
           "\"" +
           attribute("href",
                     "#check=" + escape_uri_path(id) + "~" + escape_uri_path(image.anchor)) +
           attribute("aria-label", id + ", " + image.name + ": " + word) + ">" +
           std::string(symbol_of(cell.status())) + " " + escape_xml(word) + "</a></td>";
  }

  /// Failures are what one sorts for.
  static int sort_order(Status status) {
    switch (status) {
      case Status::fail:
        return 6;
      case Status::blocked:
        return 5;
      case Status::waived:
        return 4;
      case Status::warn:
        return 3;
      case Status::pass:
        return 2;
      default:
        return 1;
    }
  }

  std::string images() const {
    std::string out =
        "<section id=\"images\">\n<h2>Images, and what was tested on what and when</h2>\n" +
        start_scroll("Table of images") +
        "<table class=\"plain\"><caption class=\"sr\">Images and their reports</caption>\n"
        "<thead><tr><th scope=\"col\">Image</th><th scope=\"col\">Versions</th>"
        "<th scope=\"col\">Size</th><th scope=\"col\">Reports</th></tr></thead>\n<tbody>\n";
    for (const MatrixImage& image : matrix_.images) {
      std::string versions, reports;
      for (const auto& [name, value] : image.facts) {
        if (name == "gpu_code") continue;
        versions += (versions.empty() ? "" : ", ") + name + " " + value;
      }
      for (const std::string& name : image.disputed) versions += ", " + name + ": disputed";
      for (const std::size_t index : image.reports) {
        const Report& report = matrix_.reports[index].report;
        reports += element("div", "",
                           report.started + ": " + join(report.tiers, ", ") + " on " +
                               machine_line(report) + " (" + matrix_.reports[index].file + ")");
      }
      out += "<tr><th scope=\"row\">" + escape_xml(image.name) + "<small class=\"mono\">" +
             escape_xml(short_digest(image)) + "</small></th>" + element("td", "text", versions) +
             element("td", "text",
                     human_size(image.packed_size) + " packed, " + human_size(image.unpacked_size) +
                         " unpacked") +
             "<td class=\"text\">" + reports + "</td></tr>\n";
    }
    return out + "</tbody></table></div>\n</section>\n";
  }

  std::string claims() const {
    std::string out = "<section id=\"claims\">\n<h2>What is claimed, and what is so</h2>\n" +
                      start_scroll("Table of claims") +
                      "<table class=\"plain\"><caption class=\"sr\">Claims beside truth</caption>\n"
                      "<thead><tr><th scope=\"col\">Claim</th><th scope=\"col\">Verdict</th>"
                      "<th scope=\"col\">Truth</th><th scope=\"col\">Seen in these images</th></tr>"
                      "</thead>\n<tbody>\n";
    for (const ClaimRow& row : matrix_.claims) {
      std::string look = "verdict-" + row.verdict;
      for (char& c : look) c = c == ' ' ? '-' : c;
      out += "<tr><th scope=\"row\">" + escape_xml(row.claim) + "</th>" + "<td class=\"text\">" +
             element("span", row.verdict.empty() ? "note" : look,
                     row.verdict.empty() ? "no pairing" : row.verdict) +
             "</td>" + element("td", "text", row.truth) +
             element("td", "text", row.seen.empty() ? "–" : join(row.seen, "; ")) + "</tr>\n";
    }
    return out + "</tbody></table></div>\n</section>\n";
  }

  static std::string details() {
    return "<dialog id=\"details\" aria-labelledby=\"details-title\">\n<button "
           "type=\"button\" id=\"close\" aria-label=\"Close\">×</button>\n<h2 "
           "id=\"details-title\">Details</h2>\n"
           "<div id=\"details-body\"></div>\n</dialog>\n";
  }

  // ---- what the script knows

  std::size_t reason_index(const Reason& reason) {
    const auto [known, is_new] = reasons_.try_emplace(
        std::tuple(reason.rule, reason.fact, reason.source, reason.evidence), reason_list_.size());
    if (is_new) {
      reason_list_.push_back({{"rule", reason.rule},
                              {"fact", reason.fact},
                              {"source", reason.source},
                              {"evidence", reason.evidence}});
    }
    return known->second;
  }

  Json rows() {
    Json rows = Json::array();
    for (const GpuRow& row : matrix_.rows) {
      Json cells = Json::array();
      for (const GpuCell& cell : row.cells) {
        Json indices = Json::array();
        for (const Reason& reason : cell.reasons) indices.push_back(reason_index(reason));
        cells.push_back({{"works", to_string(cell.works)},
                         {"basis", to_string(cell.basis)},
                         {"look", look_of(cell)},
                         {"from", cell.from_driver},
                         {"tested", cell.tested},
                         {"reasons", std::move(indices)}});
      }
      rows.push_back({{"image", row.image}, {"gpu", row.gpu}, {"cells", std::move(cells)}});
    }
    return rows;
  }

  Json check_list() const {
    Json checks = Json::array();
    for (const std::string& id : matrix_.checks) {
      Json cells = Json::array();
      for (const MatrixImage& image : matrix_.images) {
        Json said = Json::array();
        const auto found = image.checks.find(id);
        if (found != image.checks.end()) {
          for (const CheckSaid& one : found->second.said) {
            said.push_back({{"report", one.report},
                            {"status", to_string(one.status)},
                            {"simulated", one.simulated},
                            {"line", one.line}});
          }
        }
        cells.push_back(std::move(said));
      }
      const CheckInfo* const info = find_check(id);
      checks.push_back({{"id", id},
                        {"title", info == nullptr ? "" : info->title},
                        {"rule", info == nullptr ? "" : info->rule},
                        {"cells", std::move(cells)}});
    }
    return checks;
  }

  std::string data() {
    Json images = Json::array(), branches = Json::array(), reports = Json::array();
    for (const MatrixImage& image : matrix_.images) {
      images.push_back({{"anchor", image.anchor}, {"name", image.name}});
    }
    for (const DriverBranch& branch : matrix_.branches) branches.push_back(branch.name);
    for (const MatrixReport& report : matrix_.reports) {
      reports.push_back({{"file", report.file},
                         {"started", report.report.started},
                         {"machine", machine_line(report.report)}});
    }
    Json value = {{"images", std::move(images)},
                  {"branches", std::move(branches)},
                  {"reports", std::move(reports)},
                  {"rows", rows()},
                  {"checks", check_list()}};
    value["reasons"] = reason_list_;
    // Nothing in it may end the element.
    std::string text;
    for (const char c : canonical_json(value)) text += c == '<' ? "\\u003c" : std::string(1, c);
    return text;
  }

  const Matrix& matrix_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::size_t> reasons_;
  std::vector<Json> reason_list_;
};

}  // namespace

std::string matrix_html(const Matrix& matrix) { return Page(matrix).run(); }

}  // namespace img
