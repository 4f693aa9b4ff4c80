// SPDX-License-Identifier: Apache-2.0
// The JSON Schemas of manifests and recipes.
#include "builder/base/json.h"
#include "builder/manifest/build_manifest.h"

#include <string_view>

namespace img {
namespace {

// The schemas say what an editor can check while one types: keys, kinds, forms. What spans keys or
// files (variables, order of layers, volumes) is the loader's. A test holds both to the same set of
// keys.

/// Shared by both documents. Versions are strings only: 3.10 without quotes is a number to every
/// other tool.
constexpr std::string_view kDefinitions = R"json({
  "absolutePath": {"type": "string", "pattern": "^/[^/]"},
  "relativePath": {"type": "string", "pattern": "^[^/~]"},
  "version": {"type": "string", "pattern": "^[0-9][0-9A-Za-z.+]*$"},
  "mode": {"type": ["string", "integer"], "description": "octal digits, such as \"0755\""},
  "id": {"type": ["string", "integer"], "description": "a user or group number"},
  "texts": {"type": "array", "items": {"type": "string"}},
  "environment": {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "additionalProperties": {"type": ["string", "number", "boolean"]}
  },
  "drop": {
    "type": "array",
    "description": "files to leave out; each rule says why",
    "items": {
      "type": "object",
      "properties": {"glob": {"type": "string"}, "reason": {"type": "string", "minLength": 1}},
      "required": ["glob", "reason"],
      "additionalProperties": false
    }
  },
  "python": {
    "type": "object",
    "description": "the interpreter that this base brings",
    "properties": {
      "path": {"$ref": "#/$defs/absolutePath"},
      "version": {"type": "string", "pattern": "^([0-9]+\\.[0-9]+|\\{.*\\})$"}
    },
    "required": ["path", "version"],
    "additionalProperties": false
  }
})json";

constexpr std::string_view kCommonKeys = R"json({
  "schema": {"const": "imglayer/v1"},
  "summary": {"type": "string", "description": "one line; becomes the layer's history comment"},
  "env": {"$ref": "#/$defs/environment"},
  "directories": {
    "type": "array",
    "items": {
      "type": "object",
      "properties": {
        "path": {"$ref": "#/$defs/absolutePath"},
        "mode": {"$ref": "#/$defs/mode"},
        "uid": {"$ref": "#/$defs/id"},
        "gid": {"$ref": "#/$defs/id"}
      },
      "required": ["path"],
      "additionalProperties": false
    }
  }
})json";

constexpr std::string_view kDebianKeys = R"json({
  "suite": {"type": "string", "description": "such as bookworm; the lowest debian recipe needs it"},
  "pockets": {"$ref": "#/$defs/texts", "description": "such as updates, security"},
  "components": {"$ref": "#/$defs/texts", "description": "default: main"},
  "packages": {"$ref": "#/$defs/texts", "description": "name or name=version"},
  "essential": {"type": "boolean", "description": "add every essential package; the lowest debian recipe only"},
  "keyring_fingerprints": {
    "type": "array",
    "description": "primary fingerprints of the keys that may sign the suite",
    "items": {"type": "string", "pattern": "^([0-9A-F]{40}|[0-9A-F]{64})$"}
  },
  "drop": {"$ref": "#/$defs/drop"},
  "keep": {"$ref": "#/$defs/texts", "description": "globs of files that stay although a drop rule matches"},
  "python": {"$ref": "#/$defs/python"}
})json";

constexpr std::string_view kWheelsKeys = R"json({
  "venv": {"$ref": "#/$defs/absolutePath", "description": "makes the venv; the lowest wheels recipe only"},
  "requires": {"$ref": "#/$defs/texts", "description": "PEP 508 requirements by name"},
  "requirements_file": {"$ref": "#/$defs/relativePath"},
  "owns": {"$ref": "#/$defs/texts", "description": "distributions of the closure that live in this layer"},
  "index": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$", "description": "name of an index; default: pypi"},
  "drop": {"$ref": "#/$defs/drop"},
  "prefer": {
    "type": "array",
    "description": "which wheel brings a path that two bring with different bytes",
    "items": {
      "type": "object",
      "properties": {
        "glob": {"type": "string"},
        "winner": {"type": "string"},
        "reason": {"type": "string", "minLength": 1}
      },
      "required": ["glob", "winner", "reason"],
      "additionalProperties": false
    }
  }
})json";

constexpr std::string_view kFilesKeys = R"json({
  "files": {
    "type": "array",
    "items": {
      "type": "object",
      "properties": {
        "path": {"$ref": "#/$defs/absolutePath"},
        "source": {"$ref": "#/$defs/relativePath", "description": "local file or folder"},
        "content": {"type": "string"},
        "mode": {"$ref": "#/$defs/mode"},
        "uid": {"$ref": "#/$defs/id"},
        "gid": {"$ref": "#/$defs/id"}
      },
      "required": ["path"],
      "oneOf": [{"required": ["source"]}, {"required": ["content"]}],
      "additionalProperties": false
    }
  },
  "links": {
    "type": "array",
    "items": {
      "type": "object",
      "properties": {"path": {"$ref": "#/$defs/absolutePath"}, "target": {"type": "string", "minLength": 1}},
      "required": ["path", "target"],
      "additionalProperties": false
    }
  },
  "users": {
    "type": "array",
    "items": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "pattern": "^[a-z_][a-z0-9_-]{0,31}$"},
        "uid": {"$ref": "#/$defs/id"},
        "gid": {"$ref": "#/$defs/id"},
        "home": {"$ref": "#/$defs/absolutePath"},
        "shell": {"$ref": "#/$defs/absolutePath"},
        "comment": {"type": "string"}
      },
      "required": ["name", "uid"],
      "additionalProperties": false
    }
  }
})json";

constexpr std::string_view kOciKeys = R"json({
  "layout": {"$ref": "#/$defs/relativePath", "description": "local OCI layout or archive"},
  "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
  "python": {"$ref": "#/$defs/python"}
})json";

constexpr std::string_view kManifestKeys = R"json({
  "schema": {"const": "imgbuild/v1"},
  "image": {
    "type": "object",
    "properties": {
      "name": {"type": "string", "pattern": "^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$"},
      "tag": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"},
      "platform": {"enum": ["linux/amd64"]}
    },
    "required": ["name", "tag"],
    "additionalProperties": false
  },
  "versions": {
    "type": "object",
    "description": "what the image promises: python, torch, cuda, cudnn, nccl, or any distribution",
    "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
    "additionalProperties": {"$ref": "#/$defs/version"}
  },
  "layers": {
    "type": "array",
    "description": "bottom to top: names of recipes, paths that start with ./, or recipes written here",
    "minItems": 1,
    "items": {"oneOf": [{"type": "string"}, {"$ref": "#/$defs/inlineRecipe"}]}
  },
  "config": {
    "type": "object",
    "properties": {
      "user": {"type": ["string", "integer"]},
      "workdir": {"type": "string", "pattern": "^/"},
      "entrypoint": {"$ref": "#/$defs/texts"},
      "cmd": {"$ref": "#/$defs/texts"},
      "volumes": {"type": "array", "items": {"$ref": "#/$defs/absolutePath"}},
      "exposed_ports": {"type": "array", "items": {"type": ["string", "integer"]}},
      "env": {"$ref": "#/$defs/environment"},
      "labels": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
      "stop_signal": {"type": ["string", "integer"]}
    },
    "additionalProperties": false
  },
  "supports": {
    "type": "object",
    "properties": {
      "gpus": {"$ref": "#/$defs/texts", "description": "names of the compatibility table"},
      "driver": {"$ref": "#/$defs/version", "description": "lowest driver"}
    },
    "additionalProperties": false
  },
  "checks": {
    "type": "object",
    "properties": {
      "size": {
        "type": "object",
        "properties": {
          "compressed": {"type": ["string", "integer"], "description": "such as 4.5GB"},
          "unpacked": {"type": ["string", "integer"], "description": "such as 7.5GB"}
        },
        "additionalProperties": false
      },
      "cold_start": {
        "type": "object",
        "properties": {"import_torch": {"type": "string", "pattern": "^[0-9.]+(s|ms)$"}},
        "additionalProperties": false
      }
    },
    "additionalProperties": false
  },
  "compression": {"enum": ["zstd", "gzip"]},
  "selftest": {"type": "boolean", "description": "add the validator as a last layer"}
})json";

enum class Place { file, inline_ };

Json recipe_of_kind(const char* kind, std::string_view keys, const Json& required, Place place) {
  Json properties = Json::parse(kCommonKeys);
  properties.update(Json::parse(keys));
  properties["kind"] = {{"const", kind}};
  Json all_required = required;
  all_required.push_back("kind");
  if (place == Place::inline_) {
    properties["name"] = {{"type", "string"}};
    all_required.push_back("name");
  } else {
    all_required.push_back("schema");
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(all_required)},
          {"additionalProperties", false}};
}

Json recipe_kinds(Place place) {
  return {{"oneOf",
           {recipe_of_kind("debian", kDebianKeys, Json::array({"packages"}), place),
            recipe_of_kind("wheels", kWheelsKeys, Json::array(), place),
            recipe_of_kind("files", kFilesKeys, Json::array(), place),
            recipe_of_kind("oci", kOciKeys, Json::array({"layout", "digest"}), place)}}};
}

constexpr const char* kDialect = "https://json-schema.org/draft/2020-12/schema";

}  // namespace

std::string manifest_json_schema() {
  Json definitions = Json::parse(kDefinitions);
  definitions["inlineRecipe"] = recipe_kinds(Place::inline_);
  const Json schema = {{"$schema", kDialect},
                       {"title", "imgbuild manifest"},
                       {"type", "object"},
                       {"properties", Json::parse(kManifestKeys)},
                       {"required", {"schema", "image", "layers"}},
                       {"additionalProperties", false},
                       {"$defs", std::move(definitions)}};
  return pretty_json(schema);
}

std::string recipe_json_schema() {
  Json schema = recipe_kinds(Place::file);
  schema["$schema"] = kDialect;
  schema["title"] = "imgbuild layer recipe";
  schema["$defs"] = Json::parse(kDefinitions);
  return pretty_json(schema);
}

}  // namespace img
