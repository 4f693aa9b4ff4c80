// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind wheels with their requirements.
#include "builder/base/text.h"
#include "builder/manifest/fields.h"
#include "builder/manifest/recipe.h"
#include "builder/manifest/requirement.h"

#include <algorithm>

namespace img {
namespace {

bool is_index_name(std::string_view text) {
  return !text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<std::string> requires_field(const YamlNode& node, const RecipeContext& context,
                                        const std::string& what) {
  std::vector<std::string> requirements;
  for (const YamlNode& item : node.as_sequence(what)) {
    std::string text(trim(context.variables.fill(item, "an item of " + what)));
    if (const auto problem = problem_of_requirement(text)) {
      item.fail(problem->message, problem->hint);
    }
    requirements.push_back(std::move(text));
  }
  return requirements;
}

std::vector<std::string> owns_field(const YamlNode& node, const RecipeContext& context,
                                    const std::string& what) {
  std::vector<std::string> owned;
  for (const YamlNode& item : node.as_sequence(what)) {
    std::string name = normalised_distribution(context.variables.fill(item, "an item of " + what));
    const bool good =
        !name.empty() &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-*") == std::string::npos;
    if (!good) {
      item.fail("'" + name + "' is no name of a distribution",
                "write a name such as 'nvidia-nccl-cu12'; '*' stands for any text");
    }
    if (std::find(owned.begin(), owned.end(), name) != owned.end()) {
      item.fail("'" + name + "' is owned twice in " + context.what);
    }
    owned.push_back(std::move(name));
  }
  return owned;
}

std::vector<PreferRule> prefer_field(const YamlNode& node, const RecipeContext& context,
                                     const std::string& what) {
  std::vector<PreferRule> rules;
  for (const YamlNode& item : node.as_sequence(what)) {
    YamlReader reader(item, "an item of " + what);
    PreferRule rule;
    rule.glob = context.variables.fill(reader.required("glob"), reader.name_of("glob"));
    rule.winner = normalised_distribution(
        context.variables.fill(reader.required("winner"), reader.name_of("winner")));
    rule.reason = reader.text("reason");
    if (trim(rule.reason).empty()) {
      reader.required("reason").fail("the reason is empty in an item of " + what);
    }
    reader.finish();
    rules.push_back(std::move(rule));
  }
  return rules;
}

void read_requirements_file(const YamlNode& node, const RecipeContext& context,
                            const std::string& what, WheelsSpec& spec) {
  const LocalPath path = local_path(node, what, context.folder);
  std::error_code ignored;
  if (!fs::is_regular_file(path.resolved, ignored)) {
    node.fail("there is no file '" + path.resolved.string() + "'");
  }
  spec.requirements_written = path.written;
  spec.requirements_file = path.resolved.string();
  spec.requirements_text = read_file(path.resolved, 1 << 20);
  check_requirements_text(spec.requirements_text, spec.requirements_file);
}

}  // namespace

WheelsSpec read_wheels(YamlReader& reader, const RecipeContext& context) {
  WheelsSpec spec;
  if (const YamlNode* venv = reader.optional("venv")) {
    spec.venv = absolute_path(*venv, reader.name_of("venv"));
  }
  if (const YamlNode* list = reader.optional("requires")) {
    spec.requires_ = requires_field(*list, context, reader.name_of("requires"));
  }
  if (const YamlNode* file = reader.optional("requirements_file")) {
    read_requirements_file(*file, context, reader.name_of("requirements_file"), spec);
  }
  if (const YamlNode* owns = reader.optional("owns")) {
    spec.owns = owns_field(*owns, context, reader.name_of("owns"));
  }
  spec.index = "pypi";
  if (const YamlNode* index = reader.optional("index")) {
    spec.index = index->as_text(reader.name_of("index"));
    if (!is_index_name(spec.index)) {
      index->fail("'" + spec.index + "' is no name of an index",
                  "write the name of a source such as 'pypi', never an address");
    }
  }
  if (const YamlNode* drop = reader.optional("drop")) {
    spec.drop = drops_field(*drop, reader.name_of("drop"), context.variables);
  }
  if (const YamlNode* prefer = reader.optional("prefer")) {
    spec.prefer = prefer_field(*prefer, context, reader.name_of("prefer"));
  }
  const bool brings_something = !spec.venv.empty() || !spec.requires_.empty() ||
                                !spec.requirements_file.empty() || !spec.owns.empty();
  if (!brings_something) {
    reader.node().fail(context.what + " brings no wheel",
                       "give it 'requires', 'requirements_file' or 'owns'");
  }
  return spec;
}

}  // namespace img
