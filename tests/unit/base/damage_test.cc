// SPDX-License-Identifier: Apache-2.0
// JSON and YAML with random damage: read or refused with a position, nothing else.
#include "tests/support/damage.h"

#include "builder/base/json.h"
#include "builder/base/yaml.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

TEST(Damage, JsonIsReadOrRefused) {
  expect_clear_errors(
      {R"({"a": [1, -2, 3.5e-7, true, null, "caf\u00e9 \ud83d\ude00"], "b": {"c": {}, "": []}})",
       "[18446744073709551615, -9223372036854775808, \"caf\xc3\xa9\"]"},
      6000, "x.json", [](const std::string& text) {
        const Json value = parse_json(text, "x.json");
        // What was read can be written, and says the same when it is read again.
        EXPECT_EQ(parse_json(canonical_json(value), "again"), value);
      });
}

void walk(const YamlNode& node) {
  node.position();
  for (const YamlNode& item : node.items()) walk(item);
  for (const auto& [key, value] : node.members()) {
    walk(key);
    walk(value);
    EXPECT_EQ(node.find(key.text()), &value);
  }
}

TEST(Damage, YamlIsReadOrRefused) {
  expect_clear_errors({"schema: imgbuild/v1\nimage: {name: x, tag: \"1\"}\nlayers:\n  - base\n"
                       "  - name: own\n    requires: ['a>=1', \"b\\n\"]  # why\n    text: |\n"
                       "      one\n      two\n    folded: >-\n      a\n\n      b\nlast: ~\n"},
                      6000, "m.yaml",
                      [](const std::string& text) { walk(parse_yaml(text, "m.yaml")); });
}

}  // namespace
}  // namespace img::testing
