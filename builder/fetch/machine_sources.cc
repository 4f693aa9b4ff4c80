// SPDX-License-Identifier: Apache-2.0
// Asking pip and apt where they get things from.
#include "builder/fetch/machine_sources.h"

#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <unistd.h>

namespace img {
namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

/// These programs are asked about the user's configuration, so they get the user's environment.
std::map<std::string, std::string> whole_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      result.emplace(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
    }
  }
  result["LC_ALL"] = "C";
  return result;
}

/// Standard output of a program that succeeds; nullopt for every way of not answering.
std::optional<std::string> answer_of(std::vector<std::string> argv) {
  ProcessSpec spec;
  spec.argv = std::move(argv);
  spec.env = whole_environment();
  spec.output_limit = 4 << 20;
  spec.timeout = std::chrono::seconds(60);
  try {
    const ProcessResult result = run_process(spec);
    if (result.exit_code == 0) return result.stdout_text;
  } catch (const UnavailableError&) {
  }
  return std::nullopt;
}

/// Interpreters that may have pip, the user's choice first.
std::vector<std::string> pythons() {
  std::vector<std::string> result;
  if (const auto own = environment("IMGBUILD_PYTHON")) result.push_back(*own);
  if (const auto tools = environment("IMGBUILD_TOOLS")) result.push_back(*tools + "/bin/python3");
  result.push_back("python3");
  result.push_back("/usr/bin/python3");
  return result;
}

bool is_address(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://") || text.starts_with("file:");
}

std::string without_final_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::vector<std::string> ask_pip() {
  for (const char* name : {"PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}) {
    if (const auto url = environment(name); url && is_address(*url)) {
      return {without_final_slash(*url)};
    }
  }
  for (const std::string& python : pythons()) {
    const auto config = answer_of({python, "-m", "pip", "config", "list"});
    if (!config) continue;  // no such interpreter, or it has no pip
    if (const auto url = index_of_pip_config(*config)) return {without_final_slash(*url)};
    const auto built_in = answer_of(
        {python, "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"});
    if (built_in && is_address(trim(*built_in))) return {without_final_slash(trim(*built_in))};
  }
  return {};
}

// ---- apt

void add_unique(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

/// apt's address as one that we can fetch from; a mirror method stands for the list in its file.
std::vector<std::string> fetchable(std::string_view uri) {
  if (uri.starts_with("http://") || uri.starts_with("https://")) {
    return {without_final_slash(uri)};
  }
  for (const std::string_view method : {"file:", "copy:"}) {
    if (!uri.starts_with(method)) continue;
    std::string_view path = uri.substr(method.size());
    while (path.starts_with("//")) path.remove_prefix(1);
    return {"file://" + without_final_slash(path)};
  }
  if (!uri.starts_with("mirror+file:")) return {};
  std::vector<std::string> result;
  try {
    const std::string text = read_file(std::string(uri.substr(12)), 1 << 20);
    for (const std::string& line : split(text, '\n')) {
      const std::string_view entry = trim(std::string_view(line).substr(0, line.find('#')));
      const std::string_view address = entry.substr(0, entry.find_first_of(" \t"));
      for (std::string& url : fetchable(address)) result.push_back(std::move(url));
    }
  } catch (const Error&) {
    // Then apt has no list either.
  }
  return result;
}

/// Whether an archive of unknown origin is Debian's own, as far as its release and components tell.
/// Names like "stable" do not: archives of single programs use them, mostly with "main".
bool is_debian(std::string_view release, const std::vector<std::string>& components,
               const std::string& codename) {
  const std::string_view name = release.substr(0, release.find_first_of("-/"));
  constexpr std::array<std::string_view, 7> kCodenames = {
      "sid", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"};
  const bool known = (!codename.empty() && name == codename) ||
                     std::find(kCodenames.begin(), kCodenames.end(), name) != kCodenames.end();
  return known && std::find(components.begin(), components.end(), "main") != components.end();
}

void add_root(AptRoots& roots, std::string_view uri, std::string_view release) {
  const bool security = release.ends_with("-security") || release.ends_with("/updates");
  for (const std::string& url : fetchable(uri)) {
    add_unique(security ? roots.security : roots.debian, url);
  }
}

std::string codename_of_machine() {
  try {
    for (const std::string& line : split(read_file("/etc/os-release", 1 << 16), '\n')) {
      if (line.starts_with("VERSION_CODENAME=")) return std::string(trim(line.substr(17)));
    }
  } catch (const Error&) {
  }
  return {};
}

AptRoots ask_apt() {
  const std::string codename = codename_of_machine();
  const auto targets = answer_of(
      {"apt-get", "indextargets", "--format", "$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(ORIGIN)"});
  if (targets) {
    const AptRoots roots = roots_of_index_targets(*targets, codename);
    if (!roots.debian.empty()) return roots;
  }
  return roots_of_apt_folder("/etc/apt", codename);
}

// ---- apt's files, for machines where apt-get does not answer

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (c != ' ' && c != '\t' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

/// "deb [options] URI suite component…"
void add_one_line_sources(AptRoots& roots, const std::string& text, const std::string& codename) {
  for (const std::string& line : split(text, '\n')) {
    std::string_view entry = trim(std::string_view(line).substr(0, line.find('#')));
    if (!entry.starts_with("deb ") && !entry.starts_with("deb\t")) continue;
    entry = trim(entry.substr(4));
    if (entry.starts_with('[')) {
      const std::size_t end = entry.find(']');
      if (end == std::string_view::npos) continue;
      entry = trim(entry.substr(end + 1));
    }
    const std::vector<std::string> words = words_of(entry);
    if (words.size() >= 2 && is_debian(words[1], words, codename)) {
      add_root(roots, words[0], words[1]);
    }
  }
}

/// Fields of the stanzas of a .sources file, lower-case names; continuation lines are joined.
std::vector<std::map<std::string, std::string>> lenient_stanzas(const std::string& text) {
  std::vector<std::map<std::string, std::string>> stanzas(1);
  std::string field;
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with('#')) continue;
    if (trim(line).empty()) {
      if (!stanzas.back().empty()) stanzas.emplace_back();
      field.clear();
    } else if (line.front() == ' ' || line.front() == '\t') {
      if (!field.empty()) stanzas.back()[field] += " " + line;
    } else if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
      field = to_lower_ascii(line.substr(0, colon));
      stanzas.back()[field] = line.substr(colon + 1);
    }
  }
  return stanzas;
}

void add_deb822_sources(AptRoots& roots, const std::string& text, const std::string& codename) {
  for (auto& stanza : lenient_stanzas(text)) {
    const std::vector<std::string> types = words_of(stanza["types"]);
    if (std::find(types.begin(), types.end(), "deb") == types.end()) continue;
    if (to_lower_ascii(trim(stanza["enabled"])) == "no") continue;
    const std::vector<std::string> components = words_of(stanza["components"]);
    for (const std::string& suite : words_of(stanza["suites"])) {
      if (!is_debian(suite, components, codename)) continue;
      for (const std::string& uri : words_of(stanza["uris"])) add_root(roots, uri, suite);
    }
  }
}

}  // namespace

std::optional<std::string> index_of_pip_config(std::string_view output) {
  std::optional<std::string> result;
  for (const std::string& line : split(output, '\n')) {
    const bool install = line.starts_with("install.index-url=");
    if (!install && !line.starts_with("global.index-url=")) continue;
    std::string_view value = trim(std::string_view(line).substr(line.find('=') + 1));
    if (value.size() >= 2 && (value.front() == '\'' || value.front() == '"')) {
      value = value.substr(1, value.size() - 2);
    }
    if (!is_address(value)) continue;
    if (install || !result) result = std::string(value);
  }
  return result;
}

AptRoots roots_of_index_targets(std::string_view output, const std::string& codename) {
  AptRoots roots;
  for (const std::string& line : split(output, '\n')) {
    const std::vector<std::string> fields = split(line, '\t');
    if (fields.size() != 4) continue;
    const std::string& origin = fields[3];
    const bool unknown = origin.empty() || origin.starts_with("$(");  // never updated
    const bool debian = unknown ? is_debian(fields[1], {fields[2]}, codename) : origin == "Debian";
    if (debian) add_root(roots, fields[0], fields[1]);
  }
  return roots;
}

AptRoots roots_of_apt_folder(const fs::path& apt_folder, const std::string& codename) {
  AptRoots roots;
  std::error_code ignored;
  std::vector<fs::path> files = {apt_folder / "sources.list"};
  if (fs::is_directory(apt_folder / "sources.list.d", ignored)) {
    for (const std::string& name : sorted_names(apt_folder / "sources.list.d")) {
      files.push_back(apt_folder / "sources.list.d" / name);
    }
  }
  for (const fs::path& file : files) {
    if (!fs::is_regular_file(file, ignored)) continue;
    try {
      if (file.extension() == ".list") {
        add_one_line_sources(roots, read_file(file, 1 << 20), codename);
      } else if (file.extension() == ".sources") {
        add_deb822_sources(roots, read_file(file, 1 << 20), codename);
      }
    } catch (const SystemError&) {
      // A file that only root may read has secrets that we do not need.
    }
  }
  return roots;
}

const std::vector<std::string>& MachineSources::of(const std::string& name) {
  const std::lock_guard guard(mutex_);
  const auto found = asked_.find(name);
  if (found != asked_.end()) return found->second;
  if (name == "pypi") return asked_[name] = ask_pip();
  if (name == "debian" || name == "debian-security") {
    AptRoots roots = ask_apt();
    asked_["debian"] = std::move(roots.debian);
    asked_["debian-security"] = std::move(roots.security);
  }
  return asked_[name];
}

}  // namespace img
