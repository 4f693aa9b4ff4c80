// SPDX-License-Identifier: Apache-2.0
// Wheel → Tree: contents, modes, generated files and the true RECORD.
#include "builder/inputs/wheel_install.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/install_paths.h"
#include "builder/inputs/zip_directory.h"

#include <algorithm>
#include <array>
#include <map>

namespace img {
namespace {

constexpr std::string_view kInstaller = "imgbuild\n";
constexpr std::string_view kPlaceholder = "#!python";
/// Longest "#!" line that Linux reads whole.
constexpr std::size_t kMaxShebang = 127;
constexpr std::uint64_t kMaxScript = 64ull << 20;

std::string shebang(const EntryPath& venv) {
  const std::string python = "/" + venv.str() + "/bin/python3";
  const std::string line = "#!" + python + "\n";
  if (line.size() <= kMaxShebang && python.find(' ') == std::string::npos) return line;
  // A program that is shell and Python at once, as installers write it for long paths.
  return "#!/bin/sh\n'''exec' \"" + python + "\" \"$0\" \"$@\"\n' '''\n";
}

std::string script_text(const ConsoleScript& script, const EntryPath& venv) {
  const std::string import_name = script.attribute.substr(0, script.attribute.find('.'));
  return shebang(venv) + "import sys\nfrom " + script.module + " import " + import_name +
         "\nif __name__ == '__main__':\n"
         "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n"
         "    sys.exit(" +
         script.attribute + "())\n";
}

/// "pkg/a.py" → "pkg/__pycache__/a.cpython-311.pyc".
std::string bytecode_path(const std::string& source, const std::string& python_version) {
  const std::size_t name_at = source.rfind('/') == source.npos ? 0 : source.rfind('/') + 1;
  std::string stem = source.substr(name_at, source.size() - name_at - 3);
  if (stem.empty()) stem = "py";
  std::string tag = python_version;
  std::erase(tag, '.');
  return source.substr(0, name_at) + "__pycache__/" + stem + ".cpython-" + tag + ".pyc";
}

bool is_compiled(const InstalledFile& file) {
  return file.member && !file.path.starts_with('/') && file.path.ends_with(".py");
}

/// First rule that removes this file.
std::optional<std::size_t> dropping_rule(const InstalledFile& file, const Wheel& wheel,
                                         const std::vector<DropRule>& drops) {
  if (file.path.starts_with(wheel.dist_info() + "/")) return std::nullopt;
  for (std::size_t i = 0; i < drops.size(); ++i) {
    if (glob_match(drops[i].glob, file.path)) return i;
  }
  return std::nullopt;
}

class Installer {
 public:
  Installer(const Wheel& wheel, const InstallTarget& target, const WheelFacts* facts, Tree& tree)
      : wheel_(wheel), target_(target), paths_(wheel, target), facts_(facts), tree_(tree) {
    for (const RecordRow& row : wheel.record()) wheel_rows_.emplace(row.path, &row);
    if (facts && facts->last_block_bits.size() != wheel.zip().members().size())
      throw InternalError("facts of another wheel for '" + wheel.zip().name() + "'");
  }

  /// Bytecode goes first: it replaces what the wheel may bring under the same name.
  void add_bytecode(const InstalledFile& source, Content content) {
    const std::string path = bytecode_path(source.path, target_.python_version);
    add(path, std::move(content), 0644, {path, {}, {}});
  }

  void add_file(const InstalledFile& file) {
    if (file.script) {
      add_generated(file.path, script_text(*file.script, target_.venv), 0755);
    } else if (!rows_.count(paths_.record_path(file.path))) {
      add_member(file.path, *file.member);
    }
  }

  void finish() {
    const std::string& info = wheel_.dist_info();
    add_generated(info + "/INSTALLER", std::string(kInstaller), 0644);
    rows_[info + "/RECORD"] = {info + "/RECORD", {}, {}};
    std::vector<RecordRow> sorted;
    for (auto& [path, row] : rows_) sorted.push_back(std::move(row));
    tree_.add(paths_.entry(info + "/RECORD"),
              Entry::file(literal(format_record(sorted)), 0644, origin()));
  }

 private:
  const std::string& origin() const { return wheel_.file_name().file; }

  void add(const std::string& path, Content content, std::uint32_t mode, RecordRow row) {
    tree_.add(paths_.entry(path), Entry::file(std::move(content), mode, origin()));
    row.path = paths_.record_path(path);
    rows_[row.path] = std::move(row);
  }

  void add_generated(const std::string& path, std::string text, std::uint32_t mode) {
    RecordRow row{path, sha256(text), text.size()};
    add(path, literal(std::move(text)), mode, std::move(row));
  }

  void add_member(const std::string& path, const ZipMember& member) {
    const bool script = paths_.is_script(member.name);
    const std::uint32_t mode = script || (member.unix_mode & 0111) ? 0755 : 0644;
    if (script && starts_with_placeholder(member)) {
      const std::string text = wheel_.zip().read(member, kMaxScript);
      const std::size_t line_end = text.find('\n');
      add_generated(
          path, shebang(target_.venv) + (line_end == text.npos ? "" : text.substr(line_end + 1)),
          mode);
      return;
    }
    add(path, content(member), mode, record_row(member));
  }

  bool starts_with_placeholder(const ZipMember& member) const {
    const Content plain = wheel_.zip().content(member);
    std::array<std::uint8_t, kPlaceholder.size()> start{};
    const std::size_t count = read_full(*open_content(plain), start);
    return as_text(ByteView(start).first(count)) == kPlaceholder;
  }

  Content content(const ZipMember& member) const {
    Content result = wheel_.zip().content(member);
    if (auto* deflated = std::get_if<DeflatedContent>(&result); deflated && facts_) {
      const auto index = static_cast<std::size_t>(&member - wheel_.zip().members().data());
      deflated->last_block_bit = facts_->last_block_bits[index];
    }
    return result;
  }

  /// The wheel's own row; where it has no hash, the hash that its bytes have.
  RecordRow record_row(const ZipMember& member) const {
    const auto found = wheel_rows_.find(member.name);
    RecordRow row = found == wheel_rows_.end() ? RecordRow{} : *found->second;
    row.size = member.size;
    if (row.sha256 || !row.strong_hash.empty()) return row;
    Sha256 hash;
    wheel_.zip().read(member, [&](ByteView chunk) { hash.update(chunk); });
    row.sha256 = hash.finish();
    return row;
  }

  const Wheel& wheel_;
  const InstallTarget& target_;
  const InstallPaths paths_;
  const WheelFacts* facts_;
  Tree& tree_;
  std::map<std::string_view, const RecordRow*> wheel_rows_;
  std::map<std::string, RecordRow> rows_;  ///< of the new RECORD
};

}  // namespace

std::vector<PythonSource> python_sources(const Wheel& wheel, const InstallTarget& target,
                                         const std::vector<DropRule>& drops) {
  const InstallPaths paths(wheel, target);
  std::vector<PythonSource> sources;
  for (const InstalledFile& file : installed_files(wheel, target)) {
    if (is_compiled(file) && !dropping_rule(file, wheel, drops))
      sources.push_back({"/" + paths.entry(file.path).str(), wheel.zip().content(*file.member)});
  }
  return sources;
}

InstallReport install_wheel(
    const Wheel& wheel, const InstallTarget& target, const std::vector<DropRule>& drops,
    const std::function<std::optional<Content>(const std::string& source_path)>& bytecode,
    const WheelFacts* facts, Tree& tree) {
  const InstallPaths paths(wheel, target);
  InstallReport report;
  report.dropped.resize(drops.size());
  std::vector<InstalledFile> files = installed_files(wheel, target);
  std::erase_if(files, [&](const InstalledFile& file) {
    const auto rule = dropping_rule(file, wheel, drops);
    if (!rule) return false;
    const std::uint64_t size =
        file.member ? file.member->size : script_text(*file.script, target.venv).size();
    report.dropped[*rule].first += 1;
    report.dropped[*rule].second += size;
    return true;
  });
  Installer installer(wheel, target, facts, tree);
  for (const InstalledFile& file : files) {
    if (!is_compiled(file) || !bytecode) continue;
    if (auto content = bytecode("/" + paths.entry(file.path).str()))
      installer.add_bytecode(file, std::move(*content));
  }
  for (const InstalledFile& file : files) installer.add_file(file);
  installer.finish();
  return report;
}

}  // namespace img
