// SPDX-License-Identifier: Apache-2.0
// A `files` recipe → Tree: local files, folders, links, and the lines of new users in passwd and
// group.
#pragma once

#include "builder/layer/tree.h"
#include "builder/manifest/build_manifest.h"

#include <optional>
#include <string>

namespace img {

/// The account files as the layers below leave them; files recipes append to them.
struct Accounts {
  std::string passwd;  ///< text of /etc/passwd
  std::string group;   ///< text of /etc/group
};

/// Adds the recipe's files, folders and links to `tree` (not sealed). Modes default to 0644, or
/// 0755 when the local file's owner may execute it; a local folder is taken with everything below
/// it (symlinks as symlinks). SystemError for an unreadable file, ManifestError for a source that
/// is neither file nor folder.
void add_files(const Recipe& recipe, const FilesSpec& spec, Tree& tree);

/// Adds /etc/passwd, /etc/group and the homes of the recipe's users to `tree` and the lines to
/// `accounts`. A name or uid that is taken is a ManifestError; so are users in an image whose lower
/// layers have no account files.
void add_users(const Recipe& recipe, const FilesSpec& spec, std::optional<Accounts>& accounts,
               Tree& tree);

/// Folders any recipe may ask for.
void add_directories(const Recipe& recipe, Tree& tree);

}  // namespace img
