// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of policy files.

#include "builder/base/json.h"
#include "validators/gate/policy.h"

namespace img {
namespace {

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Policy of imgcheck gate",
  "type": "object",
  "required": ["schema", "require_tiers"],
  "additionalProperties": false,
  "properties": {
    "schema": {"const": "imgpolicy/v1"},
    "require_tiers": {
      "type": "array", "minItems": 1, "uniqueItems": true,
      "items": {"enum": ["static", "container", "gpu", "multi-gpu"]},
      "description": "every check of these must have run"
    },
    "fail_at": {
      "enum": ["low", "medium", "high", "critical"],
      "description": "failures below are reported as warnings; default: low"
    },
    "warnings_fail": {"type": "boolean", "description": "default: false"},
    "allow_skipped": {
      "type": "array",
      "items": {"anyOf": [{"const": "*"}, {"$ref": "#/$defs/check"}]},
      "description": "checks that may be skipped in a required tier; '*': any"
    },
    "waivers": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["check", "reason", "expiry"],
        "additionalProperties": false,
        "properties": {
          "check": {"$ref": "#/$defs/check"},
          "path": {"type": "string", "pattern": "^/", "description": "glob over the paths of findings"},
          "reason": {"type": "string", "minLength": 1},
          "expiry": {
            "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "description": "the last day on which it holds, UTC"
          }
        }
      }
    }
  }
})json";

}  // namespace

std::string policy_json_schema() {
  Json schema = Json::parse(kSchema);
  Json ids = Json::array();
  for (const CheckInfo& info : catalogue()) ids.push_back(info.id);
  schema["$defs"]["check"]["enum"] = std::move(ids);
  return pretty_json(schema);
}

}  // namespace img
