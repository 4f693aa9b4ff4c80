// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind files.
#include "builder/base/text.h"
#include "builder/manifest/fields.h"
#include "builder/manifest/recipe.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

Owner read_owner(YamlReader& reader) {
  Owner owner;
  if (const YamlNode* uid = reader.optional("uid")) {
    owner.uid = id_field(*uid, reader.name_of("uid"));
  }
  if (const YamlNode* gid = reader.optional("gid")) {
    owner.gid = id_field(*gid, reader.name_of("gid"));
  }
  return owner;
}

void read_source(const YamlNode& node, const RecipeContext& context, const std::string& what,
                 FileSpec& file) {
  const LocalPath path = local_path(node, what, context.folder);
  std::error_code ignored;
  const bool there =
      fs::is_regular_file(path.resolved, ignored) || fs::is_directory(path.resolved, ignored);
  if (!there) node.fail("there is no file or folder '" + path.resolved.string() + "'");
  file.source_written = path.written;
  file.source = path.resolved.string();
}

FileSpec read_file_item(const YamlNode& item, const RecipeContext& context,
                        const std::string& what) {
  YamlReader reader(item, "an item of " + what);
  FileSpec file;
  const YamlNode& path = reader.required("path");
  file.path = absolute_path(path, reader.name_of("path"));
  file.position = path.position();
  const YamlNode* source = reader.optional("source");
  const YamlNode* content = reader.optional("content");
  if ((source == nullptr) == (content == nullptr)) {
    path.fail("'" + file.path + "' needs one of 'source' and 'content'",
              "'source' names a local file or folder, 'content' holds the text itself");
  }
  if (source != nullptr) read_source(*source, context, reader.name_of("source"), file);
  if (content != nullptr) file.content = content->as_text(reader.name_of("content"));
  if (const YamlNode* mode = reader.optional("mode")) {
    file.mode = mode_field(*mode, reader.name_of("mode"));
  }
  const Owner owner = read_owner(reader);
  file.uid = owner.uid;
  file.gid = owner.gid;
  reader.finish();
  return file;
}

LinkSpec read_link(const YamlNode& item, const std::string& what) {
  YamlReader reader(item, "an item of " + what);
  const YamlNode& path = reader.required("path");
  LinkSpec link;
  link.path = absolute_path(path, reader.name_of("path"));
  link.position = path.position();
  const YamlNode& target = reader.required("target");
  link.target = target.as_text(reader.name_of("target"));
  if (link.target.empty() || link.target.find('\n') != std::string::npos) {
    target.fail("'" + link.target + "' is no target of a link");
  }
  reader.finish();
  return link;
}

/// The names that useradd(8) takes by default.
bool is_user_name(std::string_view name) {
  if (name.empty() || name.size() > 32) return false;
  if (!(name[0] >= 'a' && name[0] <= 'z') && name[0] != '_') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// Text that may stand between two colons of /etc/passwd.
std::string passwd_text(YamlReader& reader, const char* key) {
  const YamlNode* node = reader.optional(key);
  if (node == nullptr) return {};
  const std::string& text = node->as_text(reader.name_of(key));
  if (text.find_first_of(":\n") != std::string::npos) {
    node->fail("'" + text + "' cannot stand in /etc/passwd", "leave out ':' and line ends");
  }
  return text;
}

UserSpec read_user(const YamlNode& item, const std::string& what) {
  YamlReader reader(item, "an item of " + what);
  UserSpec user;
  const YamlNode& name = reader.required("name");
  user.name = name.as_text(reader.name_of("name"));
  user.position = name.position();
  if (!is_user_name(user.name)) {
    name.fail("'" + user.name + "' is no name of a user",
              "use at most 32 lower-case letters, digits, '_' and '-', a letter first");
  }
  user.uid = id_field(reader.required("uid"), reader.name_of("uid"));
  const YamlNode* gid = reader.optional("gid");
  user.gid = gid ? id_field(*gid, reader.name_of("gid")) : user.uid;
  if (const YamlNode* home = reader.optional("home")) {
    user.home = absolute_path(*home, reader.name_of("home"));
  } else {
    user.home = "/home/" + user.name;
  }
  user.shell = "/usr/sbin/nologin";
  if (const YamlNode* shell = reader.optional("shell")) {
    user.shell = absolute_path(*shell, reader.name_of("shell"));
  }
  if (user.home.find(':') != std::string::npos || user.shell.find(':') != std::string::npos) {
    name.fail("home and shell of '" + user.name + "' cannot hold ':'");
  }
  user.comment = passwd_text(reader, "comment");
  reader.finish();
  return user;
}

}  // namespace

FilesSpec read_files(YamlReader& reader, const RecipeContext& context) {
  FilesSpec spec;
  if (const YamlNode* files = reader.optional("files")) {
    for (const YamlNode& item : files->as_sequence(reader.name_of("files"))) {
      spec.files.push_back(read_file_item(item, context, reader.name_of("files")));
    }
  }
  if (const YamlNode* links = reader.optional("links")) {
    for (const YamlNode& item : links->as_sequence(reader.name_of("links"))) {
      spec.links.push_back(read_link(item, reader.name_of("links")));
    }
  }
  if (const YamlNode* users = reader.optional("users")) {
    for (const YamlNode& item : users->as_sequence(reader.name_of("users"))) {
      spec.users.push_back(read_user(item, reader.name_of("users")));
    }
  }
  return spec;
}

}  // namespace img
