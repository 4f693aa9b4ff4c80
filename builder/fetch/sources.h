// SPDX-License-Identifier: Apache-2.0
// Where bytes come from on this machine: names of the lock → addresses of pip's and apt's
// configuration.
#pragma once

#include "builder/base/file.h"

#include <map>
#include <string>
#include <vector>

namespace img {

/// Addresses by name. "pypi": simple-index roots; "debian" and "debian-security": archive roots
/// (the URL above "dists/"); other names: extra indexes. "folder": local folders that hold files by
/// name or by sha256 (as `fetch --export` writes).
struct Sources {
  std::map<std::string, std::vector<std::string>> by_name;
  bool offline = false;

  /// UnavailableError "no address is known for source 'x'" with hint --source x=URL.
  const std::vector<std::string>& of(const std::string& name) const;
};

struct SourceFlags {
  std::vector<std::string> flags;  ///< "NAME=URL" or "folder=DIR", repeated
  bool offline = false;
};

/// Order: --source flags, $IMGBUILD_SOURCES ("name=url name=url"), ~/.config/imgbuild/sources.yaml,
/// then the machine's own configuration: pip's index (pip config / PIP_INDEX_URL /
/// UV_DEFAULT_INDEX, else pip's built-in default, asked from pip), apt's mirrors
/// (`apt-get indextargets`, else sources files), asked lazily: offline asks nobody. Addresses with
/// userinfo are kept out of every message.
Sources load_sources(const SourceFlags& flags);

}  // namespace img
