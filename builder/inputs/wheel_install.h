// SPDX-License-Identifier: Apache-2.0
// Wheel → Tree: what an installer would put into the venv.
#pragma once

#include "builder/inputs/wheel.h"
#include "builder/layer/tree.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace img {

/// A declared removal: glob over paths relative to site-packages (targets elsewhere in the venv,
/// e.g. scripts and data: relative to the venv, with a leading '/'). It applies to files of the
/// wheel and to generated scripts, never to the wheel's own .dist-info.
struct DropRule {
  std::string glob;
  std::string reason;
};

struct InstallTarget {
  EntryPath venv;              ///< "opt/venv"
  std::string python_version;  ///< "3.11"
};

/// One file that the wheel installs: a member or a generated script (INSTALLER, RECORD and bytecode
/// are not listed).
struct InstalledFile {
  std::string path;  ///< as drop rules see it: "torch/__init__.py", "/bin/torchrun"
  const ZipMember* member = nullptr;         ///< nullptr: generated
  std::optional<ConsoleScript> script = {};  ///< what it is generated from
};
/// All of them, sorted by path, each path once. InputError when two members with different bytes go
/// to one path, or a file would replace a part of the venv itself (bin/python3, pyvenv.cfg, …). Of
/// the scripts, those that the entry points generate win over members of that name, as with pip; a
/// console script "pip" becomes pip, pip3 and pip3.11 (and easy_install likewise), whatever
/// versions the wheel names.
std::vector<InstalledFile> installed_files(const Wheel& wheel, const InstallTarget& target);

/// A Python source that will be installed and wants bytecode.
struct PythonSource {
  std::string path;  ///< absolute path in the image, e.g.
                     ///< "/opt/venv/lib/python3.11/site-packages/torch/__init__.py"
  Content content;
};
/// Sources of the wheel that survive the drop rules and that an installer would compile (every .py
/// below site-packages), in bytewise order of path.
std::vector<PythonSource> python_sources(const Wheel& wheel, const InstallTarget& target,
                                         const std::vector<DropRule>& drops);

struct InstallReport {
  /// For each drop rule how many files and bytes it removed (a file counts for the first rule that
  /// matches); a rule that removes nothing in the whole recipe is the caller's error.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dropped;
};

/// Adds the wheel's installed files to `tree` (not sealed): modules, .data schemes (purelib,
/// platlib, scripts, data, headers), console and gui scripts with shebang "#!/<venv>/bin/python3"
/// (0755), "#!python" scripts rewritten, INSTALLER ("imgbuild\n"), .pyc from `bytecode` (nullopt:
/// the source does not compile, as with pip that is silent), RECORD rewritten: true for everything
/// installed, sorted by path, hash-less rows for .pyc and itself. Modes: 0755 when any exec bit is
/// set in the zip (type bits ignored) and for everything in .data/scripts, else 0644. Folders of
/// the zip are not installed, as with every installer: only those that files need appear. `facts`,
/// when given, provides last_block bits. The result depends on wheel, target, drops and bytecode
/// only.
InstallReport install_wheel(
    const Wheel& wheel, const InstallTarget& target, const std::vector<DropRule>& drops,
    const std::function<std::optional<Content>(const std::string& source_path)>& bytecode,
    const WheelFacts* facts, Tree& tree);

}  // namespace img
