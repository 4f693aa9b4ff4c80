// SPDX-License-Identifier: Apache-2.0
// Which file of a wheel goes where in a venv.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/install_paths.h"
#include "builder/inputs/wheel_install.h"
#include "builder/inputs/wheel_metadata.h"
#include "builder/inputs/zip_directory.h"

#include <algorithm>
#include <map>
#include <set>

namespace img {
namespace {

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "foo", "foo.exe", "foo-script.py", "foo.pya": what old setuptools generated for entry point foo.
std::string_view entry_point_of(std::string_view script) {
  const std::string lower = to_lower_ascii(script);
  for (const std::string_view suffix : {".exe", "-script.py", ".pya"}) {
    if (lower.ends_with(suffix)) return script.substr(0, script.size() - suffix.size());
  }
  return script;
}

bool is_versioned(std::string_view name, std::string_view tool, std::string_view separator) {
  if (!name.starts_with(tool)) return false;
  name.remove_prefix(tool.size());
  if (name.empty()) return true;
  if (!name.starts_with(separator)) return false;
  name.remove_prefix(separator.size());
  const auto parts = split(name, '.');
  return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(),
                                          [](const auto& part) { return parse_decimal(part); });
}

/// pip and setuptools bake the builder's Python version into script names; installers put the
/// venv's there.
void rename_versioned(std::map<std::string, ConsoleScript>& scripts, const std::string& tool,
                      const std::string& separator, const std::vector<std::string>& versions) {
  const auto found = scripts.find(tool);
  if (found == scripts.end() || found->second.gui) return;
  const ConsoleScript original = found->second;
  std::erase_if(scripts, [&](const auto& item) {
    return !item.second.gui && is_versioned(item.first, tool, separator);
  });
  scripts[tool] = original;
  for (const std::string& version : versions) {
    ConsoleScript script = original;
    script.name = tool + separator + version;
    scripts[script.name] = script;
  }
}

std::map<std::string, ConsoleScript> generated_scripts(const Wheel& wheel,
                                                       const InstallTarget& target) {
  std::map<std::string, ConsoleScript> scripts;
  for (ConsoleScript& script : wheel.scripts()) {
    const std::string name = script.name;
    scripts.emplace(name, std::move(script));
  }
  const std::string& version = target.python_version;
  rename_versioned(scripts, "pip", "", {version.substr(0, version.find('.')), version});
  rename_versioned(scripts, "easy_install", "-", {version});
  return scripts;
}

/// A path that the venv itself needs: another layer's file there would break every wheel.
bool belongs_to_venv(std::string_view path, const InstallPaths& paths) {
  if (path == "pyvenv.cfg" || path == "bin" || path == "include") return true;
  if ((paths.site_packages() + "/").starts_with(std::string(path) + "/")) return true;
  return path.starts_with("bin/") && is_interpreter_name(path.substr(4));
}

class Planner {
 public:
  Planner(const Wheel& wheel, const InstallTarget& target)
      : wheel_(wheel), paths_(wheel, target), scripts_(generated_scripts(wheel, target)) {
    for (const RecordRow& row : wheel.record()) rows_.emplace(row.path, &row);
  }

  std::vector<InstalledFile> run() {
    for (const ZipMember& member : wheel_.zip().members()) {
      if (!member.is_directory && !is_generated(member)) add_member(member);
    }
    for (const auto& [name, script] : scripts_)
      files_["/bin/" + name] = {"/bin/" + name, nullptr, script};
    std::vector<InstalledFile> sorted;
    for (auto& [path, file] : files_) sorted.push_back(std::move(file));
    return sorted;
  }

 private:
  /// Members that installers replace with their own.
  bool is_generated(const ZipMember& member) const {
    const std::string& info = wheel_.dist_info();
    return member.name == info + "/RECORD" || member.name == info + "/INSTALLER" ||
           (paths_.is_script(member.name) &&
            scripts_.count(std::string(entry_point_of(file_name(member.name)))));
  }

  void add_member(const ZipMember& member) {
    const std::string path = paths_.installed_path(member.name);
    if (belongs_to_venv(paths_.in_venv(path), paths_))
      throw zip::member_error(wheel_.zip().name(), member.name,
                              "would replace '" + paths_.in_venv(path) + "' of the venv");
    const auto [place, is_new] = files_.emplace(path, InstalledFile{path, &member, {}});
    if (!is_new && !same_bytes(*place->second.member, member))
      throw zip::member_error(wheel_.zip().name(), member.name,
                              "goes to the same place as member '" + place->second.member->name +
                                  "' and differs from it");
  }

  bool same_bytes(const ZipMember& a, const ZipMember& b) const {
    const auto row_a = rows_.find(a.name), row_b = rows_.find(b.name);
    return a.size == b.size && row_a != rows_.end() && row_b != rows_.end() &&
           row_a->second->sha256 && row_a->second->sha256 == row_b->second->sha256;
  }

  const Wheel& wheel_;
  const InstallPaths paths_;
  const std::map<std::string, ConsoleScript> scripts_;
  std::map<std::string_view, const RecordRow*> rows_;
  std::map<std::string, InstalledFile> files_;
};

}  // namespace

InstallPaths::InstallPaths(const Wheel& wheel, const InstallTarget& target)
    : venv_(target.venv),
      site_packages_("lib/python" + target.python_version + "/site-packages"),
      headers_("include/site/python" + target.python_version + "/" +
               wheel.file_name().normalized()),
      data_(wheel.data_folder().empty() ? "" : wheel.data_folder() + "/") {}

bool InstallPaths::is_script(std::string_view member) const {
  return !data_.empty() && member.starts_with(data_ + "scripts/");
}

std::string InstallPaths::installed_path(std::string_view member) const {
  if (data_.empty() || !member.starts_with(data_)) return std::string(member);
  member.remove_prefix(data_.size());
  const std::size_t slash = member.find('/');
  const std::string_view scheme = member.substr(0, slash);
  const std::string rest(member.substr(slash + 1));
  if (scheme == "purelib" || scheme == "platlib") return rest;
  const std::string path = scheme == "scripts"   ? "bin/" + rest
                           : scheme == "headers" ? headers_ + "/" + rest
                                                 : rest;
  return path.starts_with(site_packages_ + "/") ? path.substr(site_packages_.size() + 1)
                                                : "/" + path;
}

std::string InstallPaths::in_venv(std::string_view installed) const {
  if (installed.starts_with('/')) return std::string(installed.substr(1));
  return site_packages_ + "/" + std::string(installed);
}

EntryPath InstallPaths::entry(std::string_view installed) const {
  return venv_ / in_venv(installed);
}

std::string InstallPaths::record_path(std::string_view installed) const {
  if (!installed.starts_with('/')) return std::string(installed);
  // As os.path.relpath: up to the common folder, then down.
  const auto from = split(site_packages_, '/');
  const auto to = split(installed.substr(1), '/');
  std::size_t common = 0;
  while (common < from.size() && common + 1 < to.size() && from[common] == to[common]) ++common;
  std::string path;
  for (std::size_t i = common; i < from.size(); ++i) path += "../";
  return path + join(std::span(to).subspan(common), "/");
}

std::vector<InstalledFile> installed_files(const Wheel& wheel, const InstallTarget& target) {
  return Planner(wheel, target).run();
}

}  // namespace img
