// SPDX-License-Identifier: Apache-2.0
// Wheel → Tree: what an installer would put into the venv.
#pragma once

#include "builder/inputs/wheel.h"
#include "builder/layer/tree.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// A declared removal: glob over paths relative to site-packages (".data" targets: relative to the
/// venv, with a leading '/').
struct DropRule {
  std::string glob;
  std::string reason;
};

struct InstallTarget {
  EntryPath venv;              ///< "opt/venv"
  std::string python_version;  ///< "3.11"
};

/// A Python source that will be installed and wants bytecode.
struct PythonSource {
  std::string path;  ///< absolute path in the image, e.g.
                     ///< "/opt/venv/lib/python3.11/site-packages/torch/__init__.py"
  Content content;
};
/// Sources of the wheel that survive the drop rules and that an installer would compile (every .py
/// under purelib/platlib), in bytewise order of path.
std::vector<PythonSource> python_sources(const Wheel& wheel, const InstallTarget& target,
                                         const std::vector<DropRule>& drops);

struct InstallReport {
  /// For each drop rule how many files and bytes it removed; a rule that removes nothing in the
  /// whole recipe is the caller's error.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dropped;
};

/// Adds the wheel's installed files to `tree` (not sealed): modules, .data schemes (purelib,
/// platlib, scripts, data, headers), console and gui scripts with shebang "#!/<venv>/bin/python3"
/// (0755), "#!python" scripts rewritten, INSTALLER ("imgbuild\n"), .pyc from `bytecode` (nullopt:
/// the source does not compile, as with pip that is silent), RECORD rewritten: true for everything
/// installed, sorted by path, hash-less rows for .pyc and itself. Modes: 0755 when any exec bit is
/// set in the zip, else 0644 (type bits ignored). `facts`, when given, provides last_block bits.
/// The result depends on wheel, target, drops and bytecode only.
InstallReport install_wheel(
    const Wheel& wheel, const InstallTarget& target, const std::vector<DropRule>& drops,
    const std::function<std::optional<Content>(const std::string& source_path)>& bytecode,
    const WheelFacts* facts, Tree& tree);

}  // namespace img
