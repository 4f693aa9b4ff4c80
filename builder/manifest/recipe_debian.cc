// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind debian.
#include "builder/base/text.h"
#include "builder/manifest/fields.h"
#include "builder/manifest/recipe.h"

#include <algorithm>

namespace img {
namespace {

bool is_word(std::string_view text, std::string_view more) {
  if (text.empty() || more.find(text[0]) != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

/// "name" or "name=version"; the architecture is the image's and is never written.
bool is_package(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (name.size() < 2 || !is_word(name, "+-.")) return false;
  if (equals == std::string_view::npos) return true;
  const std::string_view version = text.substr(equals + 1);
  return !version.empty() && std::all_of(version.begin(), version.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".+-:~").find(c) != std::string_view::npos;
  });
}

std::vector<std::string> packages_field(const YamlNode& node, const RecipeContext& context,
                                        const std::string& what) {
  std::vector<std::string> packages;
  for (const YamlNode& item : node.as_sequence(what)) {
    const std::string package = context.variables.fill(item, "an item of " + what);
    if (!is_package(package)) {
      item.fail("'" + package + "' is no name of a Debian package",
                "write 'name' or 'name=version'");
    }
    if (std::find(packages.begin(), packages.end(), package) != packages.end()) {
      item.fail("package '" + package + "' is named twice in " + context.what);
    }
    packages.push_back(package);
  }
  return packages;
}

std::vector<std::string> words_field(const YamlNode& node, const std::string& what) {
  std::vector<std::string> words;
  for (const YamlNode& item : node.as_sequence(what)) {
    const std::string& word = item.as_text("an item of " + what);
    if (!is_word(word, "-")) item.fail("'" + word + "' is no item for " + what);
    words.push_back(word);
  }
  return words;
}

std::vector<std::string> fingerprints_field(const YamlNode& node, const std::string& what) {
  std::vector<std::string> fingerprints;
  for (const YamlNode& item : node.as_sequence(what)) {
    const std::string& text = item.as_text("an item of " + what);
    const bool good = (text.size() == 40 || text.size() == 64) &&
                      text.find_first_not_of("0123456789ABCDEF") == std::string::npos;
    if (!good) {
      item.fail("'" + text + "' is no fingerprint of a key",
                "write the whole primary fingerprint: 40 upper-case hex digits, no spaces");
    }
    fingerprints.push_back(text);
  }
  return fingerprints;
}

void check_globs(const YamlNode& node, const std::vector<DropGlob>& drops) {
  for (std::size_t at = 0; at < drops.size(); ++at) {
    if (drops[at].glob.starts_with('/')) continue;
    node.items()[at].find("glob")->fail("'" + drops[at].glob + "' does not start with '/'",
                                        "globs of a debian recipe match absolute paths");
  }
}

void read_trimming(YamlReader& reader, const RecipeContext& context, DebianSpec& spec) {
  if (const YamlNode* drop = reader.optional("drop")) {
    spec.drop = drops_field(*drop, reader.name_of("drop"), context.variables);
    check_globs(*drop, spec.drop);
  }
  if (const YamlNode* keep = reader.optional("keep")) {
    spec.keep = context.variables.fill_list(*keep, reader.name_of("keep"));
    for (std::size_t at = 0; at < spec.keep.size(); ++at) {
      if (spec.keep[at].starts_with('/')) continue;
      keep->items()[at].fail("'" + spec.keep[at] + "' does not start with '/'",
                             "globs of a debian recipe match absolute paths");
    }
    if (spec.drop.empty()) keep->fail("'keep' needs 'drop' in " + context.what);
  }
}

}  // namespace

DebianSpec read_debian(YamlReader& reader, const RecipeContext& context) {
  DebianSpec spec;
  if (const YamlNode* suite = reader.optional("suite")) {
    spec.suite = suite->as_text(reader.name_of("suite"));
    if (!is_word(spec.suite, "-")) suite->fail("'" + spec.suite + "' is no suite");
  }
  if (const YamlNode* pockets = reader.optional("pockets")) {
    spec.pockets = words_field(*pockets, reader.name_of("pockets"));
  }
  if (const YamlNode* components = reader.optional("components")) {
    spec.components = words_field(*components, reader.name_of("components"));
  }
  if (const YamlNode* keys = reader.optional("keyring_fingerprints")) {
    spec.keyring_fingerprints = fingerprints_field(*keys, reader.name_of("keyring_fingerprints"));
  }
  spec.packages = packages_field(reader.required("packages"), context, reader.name_of("packages"));
  spec.essential = reader.boolean_or("essential", false);
  if (spec.packages.empty() && !spec.essential) {
    reader.required("packages").fail(context.what + " names no package");
  }
  read_trimming(reader, context, spec);
  if (const YamlNode* python = reader.optional("python")) {
    spec.python = python_field(*python, reader.name_of("python"), context.variables);
  }
  return spec;
}

}  // namespace img
