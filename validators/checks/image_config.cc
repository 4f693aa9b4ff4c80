// SPDX-License-Identifier: Apache-2.0
// IMG-CONFIG: the image's config against the manifest, and what is wrong with or without one.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <array>
#include <variant>

namespace img {
namespace {

std::string listed(std::vector<std::string> values) {
  return values.empty() ? "nothing" : join(values, " ");
}
std::string listed(const std::string& value) { return value.empty() ? "nothing" : value; }

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

/// The config of an image that stands on another one also has what that one brings.
bool has_base_image(const BuildManifest& manifest) {
  return std::any_of(manifest.recipes.begin(), manifest.recipes.end(), [](const Recipe& recipe) {
    return std::holds_alternative<OciSpec>(recipe.spec);
  });
}

/// Compares config and manifest member by member.
class Comparison {
 public:
  Comparison(const CheckContext& context, const BuildManifest& manifest)
      : context_(context), manifest_(manifest), on_base_(has_base_image(manifest)) {}

  std::vector<Finding> run() {
    const ImageConfig& config = context_.image().image.config;
    const ConfigSpec& spec = manifest_.config;
    equal("platform", to_string(manifest_.platform), to_string(config.platform));
    given("user", spec.user, config.user);
    given("working directory", spec.workdir, config.working_dir);
    given("stop signal", spec.stop_signal, config.stop_signal);
    commands(spec, config);
    given("volumes", sorted(spec.volumes), sorted(config.volumes));
    given("exposed ports", sorted(spec.exposed_ports), sorted(config.exposed_ports));
    labels(spec, config);
    environment();
    if (worst_of(findings_) != Status::fail) {
      findings_.push_back(pass_finding(
          context_, "platform, user, command, working directory, volumes, labels and " +
                        count_of(context_.view.environment().size(), "variable") +
                        " are those of the manifest"));
    }
    return std::move(findings_);
  }

 private:
  template <typename Value>
  void equal(const std::string& what, const Value& expected, const Value& actual) {
    if (expected == actual) return;
    findings_.push_back(compared(fail_finding(context_, what + " is not that of the manifest"),
                                 listed(expected), listed(actual), "manifest"));
  }
  /// What the manifest leaves out is the base image's; without one, nothing.
  template <typename Value>
  void given(const std::string& what, const Value& expected, const Value& actual) {
    if (expected.empty() && on_base_) return;
    equal(what, expected, actual);
  }
  void commands(const ConfigSpec& spec, const ImageConfig& config) {
    if (spec.entrypoint.empty() && spec.cmd.empty() && on_base_) return;
    equal("entrypoint", spec.entrypoint, config.entrypoint);
    equal("command", spec.cmd, config.cmd);
  }
  void labels(const ConfigSpec& spec, const ImageConfig& config) {
    for (const auto& [name, value] : spec.labels) {
      const auto found = config.labels.find(name);
      equal("label '" + name + "'", value, found == config.labels.end() ? "" : found->second);
    }
    for (const auto& [name, value] : config.labels) {
      if (!on_base_ && !spec.labels.contains(name))
        equal("label '" + name + "'", std::string(), value);
    }
  }
  void environment() {
    std::map<std::string, std::string> expected;
    for (const Recipe& recipe : manifest_.recipes) {
      for (const auto& [name, value] : recipe.env) expected[name] = value;
    }
    for (const auto& [name, value] : manifest_.config.env) expected[name] = value;
    for (const auto& [name, value] : expected) {
      equal("variable '" + name + "'", value, context_.view.env(name).value_or(""));
    }
    for (const auto& [name, value] : context_.view.environment()) {
      if (!on_base_ && !expected.contains(name) && !is_written_by_builder(name)) {
        equal("variable '" + name + "'", std::string(), value);
      }
    }
    venv_first(expected.contains("PATH"));
  }
  /// PATH and the variables of the container toolkit follow from the promises; REQ-ENV judges
  /// their values.
  static bool is_written_by_builder(const std::string& name) {
    return name == "PATH" || name.starts_with("NVIDIA_");
  }
  void venv_first(bool path_is_given) {
    const std::string venv = manifest_.venv();
    const std::string path = context_.view.env("PATH").value_or("");
    if (venv.empty() || path_is_given || path.starts_with(venv + "/bin:")) return;
    findings_.push_back(
        compared(fail_finding(context_, "programs of the venv are not the first on PATH"),
                 venv + "/bin:…", listed(path), "manifest"));
  }

  const CheckContext& context_;
  const BuildManifest& manifest_;
  const bool on_base_;
  std::vector<Finding> findings_;
};

bool lies_below(const std::string& path, std::string_view folder) {
  return path == folder || path.starts_with(std::string(folder) + "/");
}

std::string without_dots(const std::string& path) {
  std::vector<std::string> parts;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return "/" + join(parts, "/");
}

/// What is wrong whatever a manifest says.
class Sanity {
 public:
  explicit Sanity(const CheckContext& context)
      : context_(context), config_(context.image().image.config) {}

  std::vector<Finding> run() {
    working_directory();
    environment_form();
    search_paths("PATH");
    search_paths("LD_LIBRARY_PATH");
    search_paths("PYTHONPATH");
    preload();
    volumes();
    if (!context_.view.incomplete()) {
      user();
      command();
      machine();
    }
    if (findings_.empty()) {
      findings_.push_back(pass_finding(
          context_, "user '" + (config_.user.empty() ? "root" : config_.user) + "', command '" +
                        join(argv(), " ") + "' and working directory '" +
                        (config_.working_dir.empty() ? "/" : config_.working_dir) +
                        "' exist and are harmless"));
    }
    return std::move(findings_);
  }

 private:
  void fail(std::string message, const std::string& path = {}) {
    findings_.push_back(fail_finding(context_, std::move(message), path));
  }
  void warn(std::string message) {
    findings_.push_back(warn_finding(context_, std::move(message)));
  }

  void working_directory() {
    const std::string& written = config_.working_dir;
    if (written.empty()) return;
    if (!written.starts_with('/')) {
      return fail("working directory '" + written + "' is no absolute path");
    }
    std::string real = without_dots(written);
    for (const char* folder : {"/proc", "/sys", "/dev"}) {
      if (lies_below(real, folder)) {
        return fail("working directory '" + written + "' lies under " + folder +
                    ", where it can lead out of the container");
      }
    }
    if (context_.view.incomplete()) return;
    const FileFact* file = context_.image().resolve(written, &real);
    for (const char* folder : {"/proc", "/sys", "/dev"}) {
      if (lies_below(real, folder)) {
        return fail("working directory '" + written + "' is a link to '" + real + "'");
      }
    }
    if (file != nullptr && file->kind != FileKind::directory) {
      fail("working directory '" + written + "' is no directory", written);
    }
  }

  void environment_form() {
    std::vector<std::string> names;
    for (const std::string& line : config_.env) {
      const std::string name = line.substr(0, line.find('='));
      if (name.empty() || name.size() == line.size()) {
        fail("'" + line + "' of the environment is not of the form NAME=value");
      }
      if (std::find(names.begin(), names.end(), name) != names.end()) {
        warn("variable '" + name + "' is set twice");
      }
      names.push_back(name);
    }
  }

  /// An empty or relative entry means the working directory: whoever can write there chooses the
  /// program or library.
  void search_paths(const std::string& name) {
    const auto value = context_.view.env(name);
    if (!value) {
      if (name == "PATH") warn("PATH is not set, so what runs depends on the engine");
      return;
    }
    if (value->empty()) {
      if (name == "PATH") fail("PATH is empty");
      return;
    }
    for (const std::string& folder : split(*value, ':')) {
      if (folder.empty()) {
        fail(name + " has an empty entry, which is the working directory");
      } else if (!folder.starts_with('/')) {
        fail(name + " has the relative entry '" + folder + "'");
      }
    }
  }

  void preload() {
    const auto value = context_.view.env("LD_PRELOAD");
    if (value && !value->empty()) {
      warn("LD_PRELOAD puts '" + *value + "' into every process");
    }
  }

  void volumes() {
    for (const std::string& volume : config_.volumes) {
      if (!volume.starts_with('/') || without_dots(volume) == "/") {
        fail("volume '" + volume + "' is no absolute path below the root");
      }
    }
  }

  void user() {
    for (const auto& [text, file, what] :
         {std::tuple{config_.user.substr(0, config_.user.find(':')), "/etc/passwd", "user"},
          std::tuple{config_.user.find(':') == std::string::npos
                         ? std::string()
                         : config_.user.substr(config_.user.find(':') + 1),
                     "/etc/group", "group"}}) {
      if (text.empty() || parse_decimal(text) || text == "root") continue;
      if (!has_entry(file, text)) {
        fail(std::string(what) + " '" + text + "' is not in " + file);
      }
    }
  }
  bool has_entry(const std::string& file, const std::string& name) const {
    const auto text = context_.image().texts.find(file);
    if (text == context_.image().texts.end()) return false;
    for (const std::string& line : split(text->second, '\n')) {
      if (line.starts_with(name + ":")) return true;
    }
    return false;
  }

  std::vector<std::string> argv() const {
    std::vector<std::string> all = config_.entrypoint;
    all.insert(all.end(), config_.cmd.begin(), config_.cmd.end());
    return all;
  }

  bool is_program(const std::string& path) const {
    const FileFact* file = context_.image().resolve(path);
    return file != nullptr && file->kind == FileKind::file && (file->mode & 0111) != 0;
  }

  void command() {
    if (argv().empty()) return;
    const std::string program = argv().front();
    if (program.starts_with('/')) {
      if (!is_program(program)) fail("'" + program + "' of the command is no program of the image");
      return;
    }
    if (program.find('/') != std::string::npos) return;  // relative to the working directory
    const std::vector<std::string> folders = search_path(context_.view);
    if (std::none_of(folders.begin(), folders.end(), [&](const std::string& folder) {
          return is_program(folder + "/" + program);
        })) {
      fail("'" + program + "' of the command is not on PATH");
    }
  }

  /// The platform against the machine code of the image's own programs.
  void machine() {
    constexpr std::array<std::pair<std::string_view, std::uint16_t>, 2> kMachines{
        {{"amd64", 62}, {"arm64", 183}}};
    for (const auto& [architecture, number] : kMachines) {
      if (config_.platform.architecture != architecture) continue;
      for (const auto& [path, elf] : context_.image().elf) {
        // Only programs and what they load; GPU code and firmware are ELF files too.
        if (elf.interpreter.empty() || elf.machine == number) continue;
        return fail("the platform is " + std::string(architecture) + ", but '" + path +
                        "' is a program for another machine",
                    path);
      }
    }
  }

  const CheckContext& context_;
  const ImageConfig& config_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_config(const CheckContext& context) {
  std::vector<Finding> findings = Sanity(context).run();
  if (context.manifest() != nullptr) {
    std::vector<Finding> more = Comparison(context, *context.manifest()).run();
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return finish("IMG-CONFIG", std::move(findings));
}

}  // namespace img
