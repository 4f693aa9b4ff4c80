// SPDX-License-Identifier: Apache-2.0
// A private apt root: its folders, its configuration, and running apt-get in it.
#include "builder/resolve/apt_root.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <cstdlib>
#include <utility>

namespace img {
namespace {

/// Every Dir is set, else a piece of the machine's configuration leaks in. Valid-Until is checked.
constexpr std::string_view kConfiguration = R"(Dir "/";
Dir::State "@";
Dir::State::lists "@/lists";
Dir::State::status "@/status";
Dir::State::extended_states "@/extended_states";
Dir::Cache "@/cache";
Dir::Cache::archives "@/cache/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "@";
Dir::Etc "@/etc/apt";
Dir::Etc::main "@/etc/apt/none.conf";
Dir::Etc::parts "@/etc/apt/parts";
Dir::Etc::sourcelist "@/sources.list";
Dir::Etc::sourceparts "@/etc/apt/sources";
Dir::Etc::preferences "@/etc/apt/none.pref";
Dir::Etc::preferencesparts "@/etc/apt/prefs";
Dir::Etc::trusted "@/etc/apt/none.gpg";
Dir::Etc::trustedparts "@/etc/apt/trusted";
#clear APT::Architectures;
APT::Architecture "%";
APT::Architectures { "%"; };
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::ForceHash "sha256";
Acquire::PDiffs "false";
Acquire::Retries "3";
Acquire::Check-Valid-Until "true";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Debug::NoLocking "true";
)";

std::string configuration(const fs::path& root, const std::string& architecture) {
  std::string text;
  for (const char c : kConfiguration) {
    if (c == '@') {
      text += root.string();
    } else if (c == '%') {
      text += architecture;
    } else {
      text += c;
    }
  }
  return text;
}

void require_plain(const std::string& text, const std::string& what) {
  if (text.find_first_of(" \t\n\"'[]{};#") == std::string::npos) return;
  throw UnavailableError(what + " '" + text +
                         "' has characters that apt's configuration cannot hold");
}

std::string sources_list(const std::vector<AptSuite>& suites,
                         const std::vector<std::string>& components,
                         const std::string& architecture, const fs::path& keyring) {
  std::string text;
  for (const AptSuite& suite : suites) {
    require_plain(suite.address, "address");
    // apt hands plain files over without copying them; copy: gives list files as a web server
    // would.
    const std::string address =
        suite.address.starts_with("file:") ? "copy:" + suite.address.substr(5) : suite.address;
    text += "deb [arch=" + architecture + " signed-by=" + keyring.string() + "] " + address + " " +
            suite.suite + " " + join(components, " ") + "\n";
  }
  return text;
}

}  // namespace

AptRoot::AptRoot(fs::path root, const std::vector<AptSuite>& suites,
                 const std::vector<std::string>& components, const std::string& architecture,
                 const fs::path& keyring)
    : root_(std::move(root)) {
  require_plain(root_.string(), "folder");
  require_plain(keyring.string(), "keyring");
  for (const char* folder : {"lists/partial", "cache/archives/partial", "etc/apt/parts",
                             "etc/apt/prefs", "etc/apt/trusted", "etc/apt/sources"}) {
    create_folders(root_ / folder);
  }
  write_file(root_ / "status", "");
  write_file(root_ / "extended_states", "");
  write_file(root_ / "apt.conf", configuration(root_, architecture));
  write_file(root_ / "sources.list", sources_list(suites, components, architecture, keyring));
}

void AptRoot::write_preferences(const std::string& text) const {
  write_file(root_ / "etc/apt/prefs/keep.pref", text);
}

ProcessResult AptRoot::run(const std::vector<std::string>& arguments) const {
  ProcessSpec spec;
  spec.argv = {require_program("apt-get", "apt").string()};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
              {"LC_ALL", "C"},
              {"HOME", root_.string()},
              {"TMPDIR", root_.string()},
              {"APT_CONFIG", (root_ / "apt.conf").string()}};
  for (const char* name : {"http_proxy", "https_proxy", "no_proxy"}) {
    if (const char* value = std::getenv(name)) spec.env[name] = value;
  }
  spec.cwd = root_;
  return run_process(spec);
}

fs::path AptRoot::list_file(const std::string& ending) const {
  for (const std::string& name : sorted_names(root_ / "lists")) {
    if (name.ends_with(ending)) return root_ / "lists" / name;
  }
  throw UnavailableError("apt fetched no file that ends with '" + ending + "'");
}

fs::path AptRoot::in_release(const AptSuite& suite) const {
  return list_file("_dists_" + suite.suite + "_InRelease");
}

fs::path AptRoot::packages(const AptSuite& suite, const std::string& component,
                           const std::string& architecture) const {
  return list_file("_dists_" + suite.suite + "_" + component + "_binary-" + architecture +
                   "_Packages");
}

}  // namespace img
