// SPDX-License-Identifier: Apache-2.0
// Reads a policy file, strictly.

#include "validators/gate/policy.h"

#include "builder/base/file.h"
#include "builder/base/text.h"
#include "builder/base/yaml.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::string_view kSchemaName = "imgpolicy/v1";
constexpr std::string_view kAnyCheck = "*";

[[noreturn]] void fail_with_near(const YamlNode& node, const std::string& message,
                                 const std::vector<std::string>& known,
                                 const std::string& otherwise) {
  const auto near = did_you_mean(node.text(), known);
  node.fail(message, near ? "did you mean '" + *near + "'?" : otherwise);
}

/// One of a few names; `parse` knows them.
template <typename Value>
Value one_of(const YamlNode& node, const std::string& what, const char* noun,
             const std::vector<std::string>& names,
             std::optional<Value> (*parse)(std::string_view text)) {
  const std::optional<Value> value = parse(node.as_text(what));
  if (!value) {
    fail_with_near(node, "unknown " + std::string(noun) + " '" + node.text() + "'", names,
                   "use " + join(names, ", "));
  }
  return *value;
}

/// The id as the catalogue writes it.
std::string check_id(const YamlNode& node, const std::string& what) {
  const CheckInfo* const info = find_check(node.as_text(what));
  if (info != nullptr) return std::string(info->id);
  std::vector<std::string> ids;
  for (const CheckInfo& known : catalogue()) ids.emplace_back(known.id);
  fail_with_near(node, "there is no check '" + node.text() + "'", ids, "see 'imgcheck list'");
}

/// A day that exists, as "2027-01-31".
std::string date(const YamlNode& node, const std::string& what) {
  const std::string& text = node.as_text(what);
  const auto seconds = text.size() == 10 ? parse_rfc3339(text + "T00:00:00Z") : std::nullopt;
  if (!seconds || format_rfc3339(*seconds).substr(0, 10) != text) {
    node.fail("'" + text + "' is no date", "write the last day as YYYY-MM-DD");
  }
  return text;
}

std::string filled(const YamlNode& node, const std::string& what) {
  const std::string& text = node.as_text(what);
  if (trim(text).empty()) node.fail(what + " is empty");
  return text;
}

std::string path_glob(const YamlNode& node, const std::string& what) {
  std::string text = filled(node, what);
  if (!text.starts_with('/')) {
    node.fail(what + " is no absolute path", "paths of findings start with '/'");
  }
  return text;
}

Waiver read_waiver(const YamlNode& node, std::size_t number) {
  YamlReader reader(node, "waiver " + std::to_string(number));
  Waiver waiver;
  waiver.check = check_id(reader.required("check"), reader.name_of("check"));
  if (const YamlNode* path = reader.optional("path")) {
    waiver.path = path_glob(*path, reader.name_of("path"));
  }
  waiver.reason = filled(reader.required("reason"), reader.name_of("reason"));
  waiver.expiry = date(reader.required("expiry"), reader.name_of("expiry"));
  reader.finish();
  return waiver;
}

std::vector<Tier> read_tiers(const YamlNode& node, const std::string& what) {
  std::vector<Tier> tiers;
  for (const YamlNode& item : node.as_sequence(what)) {
    const Tier tier =
        one_of(item, what, "tier", {"static", "container", "gpu", "multi-gpu"}, parse_tier);
    if (std::find(tiers.begin(), tiers.end(), tier) != tiers.end()) {
      item.fail("tier '" + item.text() + "' is there twice");
    }
    tiers.push_back(tier);
  }
  if (tiers.empty()) node.fail(what + " is empty", "a gate that requires nothing proves nothing");
  return tiers;
}

std::vector<std::string> read_ids(const YamlNode& node, const std::string& what) {
  std::vector<std::string> ids;
  for (const YamlNode& item : node.as_sequence(what)) {
    ids.push_back(item.as_text(what) == kAnyCheck ? std::string(kAnyCheck) : check_id(item, what));
  }
  return ids;
}

void require_schema(YamlReader& reader) {
  const YamlNode& node = reader.required("schema");
  if (node.as_text(reader.name_of("schema")) != kSchemaName) {
    node.fail("schema '" + node.text() + "' is unknown",
              "this imgcheck knows '" + std::string(kSchemaName) + "'");
  }
}

}  // namespace

Policy default_policy() {
  return {.require_tiers = {Tier::image, Tier::container},
          .allow_skipped = {std::string(kAnyCheck)}};
}

Policy load_policy(const fs::path& file) {
  const YamlNode document = parse_yaml(read_file(file), file.string());
  YamlReader reader(document, "the policy");
  require_schema(reader);
  Policy policy{.file = file.string()};
  policy.require_tiers =
      read_tiers(reader.required("require_tiers"), reader.name_of("require_tiers"));
  if (const YamlNode* node = reader.optional("fail_at")) {
    policy.fail_at = one_of(*node, reader.name_of("fail_at"), "severity",
                            {"low", "medium", "high", "critical"}, parse_severity);
  }
  policy.warnings_fail = reader.boolean_or("warnings_fail", false);
  if (const YamlNode* node = reader.optional("allow_skipped")) {
    policy.allow_skipped = read_ids(*node, reader.name_of("allow_skipped"));
  }
  if (const YamlNode* node = reader.optional("waivers")) {
    for (const YamlNode& item : node->as_sequence(reader.name_of("waivers"))) {
      policy.waivers.push_back(read_waiver(item, policy.waivers.size() + 1));
    }
  }
  reader.finish();
  return policy;
}

}  // namespace img
