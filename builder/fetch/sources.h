// SPDX-License-Identifier: Apache-2.0
// Where bytes come from on this machine: names of the lock → addresses of pip's and apt's
// configuration.
#pragma once

#include "builder/base/file.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace img {

class MachineSources;

/// Addresses by name. "pypi": simple-index roots; "debian" and "debian-security": archive roots
/// (the URL above "dists/"); other names: extra indexes. "folder": local folders that hold files by
/// name or by sha256 (as `fetch --export` writes).
struct Sources {
  std::map<std::string, std::vector<std::string>> by_name;
  bool offline = false;
  /// Who is asked for names that are not in `by_name`; null: nobody.
  std::shared_ptr<MachineSources> machine = nullptr;

  /// Never empty: UnavailableError "no address is known for source 'x'" with hint --source x=URL.
  /// Offline, the machine is not asked. Thread-safe; a reference stays valid as long as this
  /// object.
  const std::vector<std::string>& of(const std::string& name) const;
  /// Local folders, in order; may be empty.
  const std::vector<std::string>& folders() const;
};

struct SourceFlags {
  std::vector<std::string> flags;  ///< "NAME=URL" or "folder=DIR", repeated
  bool offline = false;
};

/// Order: --source flags, $IMGBUILD_SOURCES ("name=url name=url"), ~/.config/imgbuild/sources.yaml,
/// then the machine's own configuration: pip's index (PIP_INDEX_URL, UV_DEFAULT_INDEX,
/// UV_INDEX_URL, pip config, else pip's built-in default, asked from pip), apt's mirrors (`apt-get
/// indextargets`, else sources files), asked lazily: offline asks nobody. A name given in one place
/// replaces what later places say of it; several addresses of one name are tried in order.
/// Addresses with userinfo are kept out of every message. UsageError for a flag (or environment
/// entry) that is no NAME=URL.
Sources load_sources(const SourceFlags& flags);

}  // namespace img
