// SPDX-License-Identifier: Apache-2.0
// The tar of a freshly installed root → a tree of what is reproducible in it.
#pragma once

#include "builder/base/file.h"
#include "builder/layer/tree.h"

#include <string>

namespace img {

/// Reads the tar `name`; contents are copied into the new file `contents`, which must outlive the
/// tree. Left out: what comes from the host or the moment (resolv.conf, the package source, logs,
/// caches, backups, locks, host keys, everything below dev, proc, sys, run and tmp). Folders that a
/// read-only runtime mounts on are there; /etc/machine-id is empty; dates in /etc/shadow are
/// constant. InputError for bytecode that embeds a date.
Tree read_installed_root(Source& tar, const std::string& name, const fs::path& contents);

}  // namespace img
