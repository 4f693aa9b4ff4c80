// SPDX-License-Identifier: Apache-2.0
// Reads local files into a tree and writes account lines.

#include "builder/assemble/files_tree.h"

#include "builder/base/text.h"

#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

EntryPath entry_path(const std::string& absolute) { return EntryPath::parse(absolute.substr(1)); }

Entry owned(Entry entry, std::uint32_t uid, std::uint32_t gid) {
  entry.uid = uid;
  entry.gid = gid;
  return entry;
}

struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot read '" + path.string() + "'");
  }
  return status;
}

Content file_content(const fs::path& path) {
  const auto file = InputFile::open(path);
  return StoredContent{file, 0, file->size()};
}

void add_local(const FileSpec& spec, const fs::path& source, const EntryPath& path,
               const std::string& origin, Tree& tree) {
  const struct stat status = status_of(source);
  if (S_ISREG(status.st_mode)) {
    const std::uint32_t mode = (status.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
    tree.add(path, owned(Entry::file(file_content(source), spec.mode.value_or(mode), origin),
                         spec.uid, spec.gid));
  } else if (S_ISLNK(status.st_mode)) {
    tree.add(path,
             owned(Entry::symlink(fs::read_symlink(source).string(), origin), spec.uid, spec.gid));
  } else if (S_ISDIR(status.st_mode)) {
    tree.add(path, owned(Entry::directory(0755, origin), spec.uid, spec.gid));
    for (const std::string& name : sorted_names(source)) {
      add_local(spec, source / name, path / name, origin, tree);
    }
  } else {
    throw ManifestError("'" + source.string() + "' is neither a file nor a folder nor a link");
  }
}

/// Follows one link at the top, so that a source may itself be a symlink to a file.
fs::path resolved_source(const FileSpec& spec) {
  std::error_code error;
  const fs::path resolved = fs::canonical(spec.source, error);
  if (error) throw SystemError(error.value(), "cannot read '" + spec.source + "'");
  return resolved;
}

/// Line of an account file whose field `index` equals `value`.
bool has_field(const std::string& text, std::size_t index, const std::string& value) {
  for (const std::string& line : split(text, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() > index && fields[index] == value) return true;
  }
  return false;
}

void append_line(std::string& text, const std::string& line) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += line + "\n";
}

void append_user(const Recipe& recipe, const UserSpec& user, Accounts& accounts) {
  const auto taken = [&](const std::string& what) {
    throw ManifestError("user '" + user.name + "' of recipe '" + recipe.name + "': " + what +
                        " is already taken in /etc/passwd of the layers below");
  };
  if (has_field(accounts.passwd, 0, user.name)) taken("the name");
  if (has_field(accounts.passwd, 2, std::to_string(user.uid))) {
    taken("uid " + std::to_string(user.uid));
  }
  append_line(accounts.passwd, user.name + ":x:" + std::to_string(user.uid) + ":" +
                                   std::to_string(user.gid) + ":" + user.comment + ":" + user.home +
                                   ":" + user.shell);
  if (!has_field(accounts.group, 2, std::to_string(user.gid))) {
    append_line(accounts.group, user.name + ":x:" + std::to_string(user.gid) + ":");
  }
}

}  // namespace

void add_files(const Recipe& recipe, const FilesSpec& spec, Tree& tree) {
  const std::string origin = "recipe " + recipe.name;
  for (const FileSpec& file : spec.files) {
    if (file.source.empty()) {
      tree.add(entry_path(file.path),
               owned(Entry::file(literal(file.content), file.mode.value_or(0644), origin), file.uid,
                     file.gid));
    } else {
      add_local(file, resolved_source(file), entry_path(file.path), origin, tree);
    }
  }
  for (const DirectorySpec& directory : spec.directories) {
    tree.put(entry_path(directory.path),
             owned(Entry::directory(directory.mode, origin), directory.uid, directory.gid));
  }
  for (const LinkSpec& link : spec.links) {
    tree.add(entry_path(link.path), Entry::symlink(link.target, origin));
  }
}

void add_users(const Recipe& recipe, const FilesSpec& spec, std::optional<Accounts>& accounts,
               Tree& tree) {
  if (spec.users.empty()) return;
  if (!accounts) {
    throw ManifestError("recipe '" + recipe.name +
                        "' adds users, but no layer below has /etc/passwd");
  }
  const std::string origin = "recipe " + recipe.name;
  for (const UserSpec& user : spec.users) {
    append_user(recipe, user, *accounts);
    if (user.home.empty() || user.home == "/") continue;
    const EntryPath home = entry_path(user.home);
    if (tree.find(home) == nullptr) {
      tree.add(home, owned(Entry::directory(0750, origin), user.uid, user.gid));
    }
  }
  tree.put(EntryPath::parse("etc/passwd"), Entry::file(literal(accounts->passwd), 0644, origin));
  tree.put(EntryPath::parse("etc/group"), Entry::file(literal(accounts->group), 0644, origin));
}

void add_directories(const Recipe& recipe, Tree& tree) {
  for (const DirectorySpec& directory : recipe.directories) {
    tree.put(entry_path(directory.path),
             owned(Entry::directory(directory.mode, "recipe " + recipe.name), directory.uid,
                   directory.gid));
  }
}

}  // namespace img
