// SPDX-License-Identifier: Apache-2.0
// Prints the schemas, or YAML files as JSON the way our loader reads them (for schema_test.py).
#include "builder/base/file.h"
#include "builder/base/json.h"
#include "builder/base/yaml.h"
#include "builder/manifest/build_manifest.h"

#include <cstdio>
#include <string>

namespace img {
namespace {

Json json_of(const YamlNode& node) {
  switch (node.kind()) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::scalar:
      if (!node.is_quoted() && (node.text() == "true" || node.text() == "false")) {
        return node.text() == "true";
      }
      return node.text();
    case YamlNode::Kind::sequence: {
      Json list = Json::array();
      for (const YamlNode& item : node.items()) list.push_back(json_of(item));
      return list;
    }
    case YamlNode::Kind::mapping: {
      Json object = Json::object();
      for (const auto& [key, value] : node.members()) object[key.text()] = json_of(value);
      return object;
    }
  }
  return nullptr;
}

}  // namespace
}  // namespace img

int main(int count, char** arguments) {
  img::Json out = {{"manifestSchema", img::Json::parse(img::manifest_json_schema())},
                   {"recipeSchema", img::Json::parse(img::recipe_json_schema())}};
  for (int at = 1; at < count; ++at) {
    const std::string name = arguments[at];
    out["files"][name] = img::json_of(img::parse_yaml(img::read_file(name), name));
  }
  std::fputs(img::pretty_json(out).c_str(), stdout);
  return 0;
}
