// SPDX-License-Identifier: Apache-2.0
// Solving wheels by `uv pip compile`, isolated from the configuration of whoever runs it.
#include "builder/resolve/uv.h"

#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <utility>

namespace img {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Proxies and CA bundles decide whether the index can be reached and never what it says.
std::map<std::string, std::string> clean_environment(const fs::path& home, const fs::path& cache) {
  std::map<std::string, std::string> result = {{"HOME", home.string()},
                                               {"LC_ALL", "C.UTF-8"},
                                               {"UV_CACHE_DIR", cache.string()},
                                               {"PATH", environment("PATH")}};
  for (const char* name :
       {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
        "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "NETRC"}) {
    const std::string value = environment(name);
    if (!value.empty()) result[name] = value;
  }
  // Credentials of private indexes come from netrc, as they do when the files are fetched.
  const std::string user_home = environment("HOME");
  if (!result.contains("NETRC") && !user_home.empty() && fs::exists(user_home + "/.netrc")) {
    result["NETRC"] = user_home + "/.netrc";
  }
  return result;
}

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

/// uv says "`https://user:secret@host/…`" for some failures: the userinfo is cut out.
std::string without_userinfo(std::string_view text) {
  std::string result;
  while (true) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return result.append(text);
    result.append(text.substr(0, scheme + 3));
    text.remove_prefix(scheme + 3);
    const std::size_t authority = std::min(text.find_first_of("/ `'\"\t?#)"), text.size());
    const std::size_t at = text.substr(0, authority).rfind('@');
    if (at != std::string_view::npos) text.remove_prefix(at + 1);
  }
}

std::vector<std::string> readable_lines(std::string_view standard_error) {
  std::vector<std::string> lines;
  for (const std::string& raw : split(standard_error, '\n')) {
    std::string line = without_userinfo(trim(raw));
    for (std::string_view prefix : {"error: ", "cause: ", "Caused by: "}) {
      if (line.starts_with(prefix)) line.erase(0, prefix.size());
    }
    // The project is ours and nobody else knows it by that name.
    static constexpr std::string_view kProject = "imgbuild-closure depends on ";
    for (std::size_t at = line.find(kProject); at != std::string::npos; at = line.find(kProject)) {
      line.replace(at, kProject.size(), "you require ");
    }
    if (line.empty() || line.starts_with("warning: ") || line.starts_with("Resolved ")) continue;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<ErrorDetail> as_details(const std::vector<std::string>& lines) {
  std::vector<ErrorDetail> details;
  for (const std::string& line : lines) details.push_back({details.empty() ? "uv" : "", line});
  return details;
}

/// Names in "Wheels are required for `sgmllib3k` because building from source is disabled".
std::vector<std::string> packages_without_wheel(std::string_view text) {
  static constexpr std::string_view kPhrase = "Wheels are required for `";
  std::set<std::string> names;
  for (std::size_t at = text.find(kPhrase); at != std::string_view::npos;
       at = text.find(kPhrase, at + 1)) {
    const std::string_view rest = text.substr(at + kPhrase.size());
    names.insert(std::string(rest.substr(0, rest.find('`'))));
  }
  return {names.begin(), names.end()};
}

bool ends_name(std::string_view text, std::size_t at) {
  return at >= text.size() || (std::isalnum(static_cast<unsigned char>(text[at])) == 0 &&
                               std::string_view("-_.").find(text[at]) == std::string_view::npos);
}

/// By uv's own words: "feedparser==6.0.11 depends on sgmllib3k" → "feedparser==6.0.11", "all
/// versions of reader depend on parser" → "reader"; empty when it does not say.
std::string parent_of(const std::string& name, std::string_view text) {
  for (const std::string& phrase : {" depends on " + name, " depend on " + name}) {
    for (std::size_t at = text.find(phrase); at != std::string_view::npos && at > 0;
         at = text.find(phrase, at + 1)) {
      if (!ends_name(text, at + phrase.size())) continue;
      const std::size_t blank = text.find_last_of(" \n", at - 1);
      const std::size_t start = blank == std::string_view::npos ? 0 : blank + 1;
      return std::string(text.substr(start, at - start));
    }
  }
  return {};
}

/// The way from `name` up to a requirement of ours, into `error`.
void explain_need(const UvProblem& problem, std::string name, std::string_view text,
                  ErrorText& error) {
  for (int step = 0; step < 20 && !name.empty(); ++step) {
    for (const Requirement& requirement : problem.requirements) {
      if (requirement.name != name) continue;
      error.details.push_back({"needed by",
                               "recipe '" + requirement.layer + "': " + requirement.text,
                               requirement.origin});
      if (!error.position) error.position = requirement.position;
      return;
    }
    const std::string parent = parent_of(name, text);
    if (!parent.empty()) error.details.push_back({"needed by", parent});
    name = requirement_name(parent);
  }
}

[[noreturn]] void report_source_only(const UvProblem& problem,
                                     const std::vector<std::string>& names, std::string_view text) {
  ErrorText error{.message = "'" + join(names, "', '") + "' " +
                             (names.size() > 1 ? "have" : "has") +
                             " no wheel, only source archives"};
  for (const std::string& name : names) explain_need(problem, name, text, error);
  error.hint = "choose a version or another package that has a wheel, or build it ('pip wheel " +
               names.front() + "') and serve it from an index of your own, named by `index:`";
  throw ManifestError(std::move(error));
}

/// `name` as a whole word that something is said about: "numpy==99", "`numpy`".
bool mentions(std::string_view text, const std::string& name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    if ((at == 0 || ends_name(text, at - 1)) && ends_name(text, at + name.size())) return true;
  }
  return false;
}

[[noreturn]] void report_no_solution(const UvProblem& problem, std::vector<std::string> lines,
                                     std::string_view text) {
  std::erase(lines, "No solution found when resolving dependencies");
  ErrorText error{.message = "no set of wheels satisfies all requirements of this image",
                  .details = as_details(lines)};
  for (const Requirement& requirement : problem.requirements) {
    if (!mentions(text, requirement.name)) continue;
    error.details.push_back({"required",
                             requirement.text + " by recipe '" + requirement.layer + "'",
                             requirement.origin});
    if (!error.position) error.position = requirement.position;
  }
  if (!problem.constraints.empty()) {
    error.hint =
        "more names than the given ones may have to move: add them by --update, or lock anew "
        "without it";
  }
  throw ManifestError(std::move(error));
}

}  // namespace

fs::path find_uv() {
  const std::string chosen = environment("IMGBUILD_UV");
  if (!chosen.empty()) {
    if (fs::exists(chosen)) return chosen;
    throw UnavailableError("cannot find program '" + chosen + "', which IMGBUILD_UV names");
  }
  const std::string tools = environment("IMGBUILD_TOOLS");
  if (!tools.empty() && fs::exists(fs::path(tools) / "bin/uv")) return fs::path(tools) / "bin/uv";
  if (const auto found = find_program("uv")) return *found;
  throw UnavailableError(
      ErrorText{.message = "cannot find program 'uv', which solves wheels",
                .hint = "install it: run ci/setup, or 'pip install uv' into an environment of its "
                        "own and set IMGBUILD_UV to its path"});
}

std::string uv_platform(int glibc_minor, std::string_view machine) {
  static constexpr int kKnown[] = {17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40};
  int best = 0;
  for (const int minor : kKnown) {
    if (minor <= glibc_minor) best = minor;
  }
  if (best == 0) {
    throw ManifestError("glibc 2." + std::to_string(glibc_minor) +
                        " is older than any that wheels are solved for (2.17)");
  }
  return std::string(machine) + "-manylinux_2_" + std::to_string(best);
}

std::string uv_project(const UvProblem& problem) {
  std::string text =
      "[project]\nname = \"imgbuild-closure\"\nversion = \"0\"\nrequires-python = \">=" +
      problem.python_version + "\"\ndependencies = [\n";
  for (const Requirement& requirement : problem.requirements) {
    text += "  " + toml_string(requirement.text) + ",\n";
  }
  text += "]\n";
  for (const auto& [name, address] : problem.addresses) {
    // explicit: serves the packages that are bound to it and no others.
    text += "\n[[tool.uv.index]]\nname = " + toml_string(name) + "\nurl = " + toml_string(address) +
            "\nexplicit = true\n";
  }
  if (problem.bound.empty()) return text;
  text += "\n[tool.uv.sources]\n";
  for (const auto& [package, index] : problem.bound) {
    text += toml_string(package) + " = { index = " + toml_string(index) + " }\n";
  }
  return text;
}

void report_uv_failure(const UvProblem& problem, std::string_view standard_error) {
  const std::vector<std::string> without = packages_without_wheel(standard_error);
  if (!without.empty()) report_source_only(problem, without, standard_error);
  std::vector<std::string> lines = readable_lines(standard_error);
  if (standard_error.find("No solution found") != std::string_view::npos) {
    report_no_solution(problem, std::move(lines), standard_error);
  }
  const bool is_syntax = standard_error.find("Couldn't parse") != std::string_view::npos ||
                         standard_error.find("Failed to parse") != std::string_view::npos;
  if (is_syntax) {
    throw ManifestError(ErrorText{.message = "a requirement of this image cannot be read",
                                  .details = as_details(lines)});
  }
  throw UnavailableError(ErrorText{.message = "cannot solve the wheels of this image",
                                   .details = as_details(lines),
                                   .hint = "check that the package index can be reached"});
}

std::string run_uv(const UvProblem& problem, const fs::path& cache, const fs::path& work) {
  const fs::path uv = find_uv();
  const fs::path home = work / "home";
  create_folders(home);
  create_folders(cache);
  write_file(work / "pyproject.toml", uv_project(problem));
  std::string constraints;
  for (const std::string& constraint : problem.constraints) constraints += constraint + "\n";
  write_file(work / "constraints.txt", constraints);

  ProcessSpec spec;
  spec.argv = {uv.string(),
               "pip",
               "compile",
               "--no-config",
               "--format",
               "pylock.toml",
               "--python-version",
               problem.python_version,
               "--python-platform",
               uv_platform(problem.glibc_minor, problem.machine),
               "--only-binary",
               ":all:",
               "--generate-hashes",
               "--no-header",
               "--no-python-downloads",
               "--no-progress",
               "--color",
               "never",
               "--default-index",
               problem.default_address,
               "--constraints",
               "constraints.txt",
               "pyproject.toml"};
  spec.env = clean_environment(home, cache);
  spec.cwd = work;
  const ProcessResult result = run_process(spec);
  if (result.exit_code != 0) report_uv_failure(problem, result.stderr_text);
  return result.stdout_text;
}

}  // namespace img
