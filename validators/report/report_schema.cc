// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of reports.

#include "validators/report/report.h"

namespace img {
namespace {

// A test holds the schema and the writer to the same set of keys.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "imgcheck-report-v1",
  "title": "Report of imgcheck",
  "description": "Every key is always there; what is unknown is null. Keys may be added within a version.",
  "type": "object",
  "required": ["schemaVersion", "tool", "started", "seconds", "image", "manifest", "machine", "tiers", "phases",
               "facts", "notes", "counts", "verdict", "checks"],
  "properties": {
    "schemaVersion": {"const": 1},
    "tool": {
      "type": "object",
      "required": ["name", "version"],
      "properties": {"name": {"const": "imgcheck"}, "version": {"type": "string"}}
    },
    "started": {"type": "string", "description": "RFC 3339, UTC"},
    "seconds": {"type": "number", "minimum": 0, "description": "wall clock of the whole run"},
    "image": {
      "type": "object",
      "required": ["reference", "manifestDigest", "configDigest", "name", "packedSize", "unpackedSize", "layers"],
      "properties": {
        "reference": {"$ref": "#/$defs/text", "description": "as the user named it; null inside a container"},
        "manifestDigest": {"$ref": "#/$defs/text"},
        "configDigest": {"$ref": "#/$defs/text"},
        "name": {"$ref": "#/$defs/text"},
        "packedSize": {"type": "integer", "minimum": 0, "description": "bytes"},
        "unpackedSize": {"type": "integer", "minimum": 0, "description": "bytes"},
        "layers": {"type": "array", "items": {"type": "string"}, "description": "digests, bottom to top"}
      }
    },
    "manifest": {
      "type": ["object", "null"],
      "description": "null: none was given",
      "required": ["name", "checksum"],
      "properties": {"name": {"type": "string"}, "checksum": {"type": "string"}}
    },
    "machine": {
      "type": "object",
      "required": ["kernel", "architecture", "cpu", "cores", "memoryBytes", "runtime", "gpus", "driver"],
      "properties": {
        "kernel": {"$ref": "#/$defs/text"},
        "architecture": {"$ref": "#/$defs/text"},
        "cpu": {"$ref": "#/$defs/text"},
        "cores": {"type": "integer", "minimum": 0},
        "memoryBytes": {"type": "integer", "minimum": 0},
        "runtime": {"$ref": "#/$defs/text", "description": "of containers; null: none was used"},
        "gpus": {"type": "array", "items": {"type": "string"}},
        "driver": {"$ref": "#/$defs/text"}
      }
    },
    "tiers": {"type": "array", "items": {"$ref": "#/$defs/tier"}, "description": "that were asked for"},
    "phases": {"type": "object", "additionalProperties": {"type": "number"}, "description": "seconds"},
    "facts": {"type": "object", "additionalProperties": {"type": "string"}},
    "notes": {"type": "array", "items": {"type": "string"}, "description": "what limits or weakens this run"},
    "counts": {
      "type": "object",
      "required": ["pass", "fail", "warn", "skipped", "blocked", "waived"],
      "additionalProperties": {"type": "integer", "minimum": 0}
    },
    "verdict": {
      "type": ["object", "null"],
      "description": "of a gate; null: none was asked",
      "required": ["allowed", "exitCode", "policy", "reasons"],
      "properties": {
        "allowed": {"type": "boolean"},
        "exitCode": {"type": "integer", "minimum": 0},
        "policy": {"type": "string"},
        "reasons": {"type": "array", "items": {"type": "string"}}
      }
    },
    "checks": {"type": "array", "items": {"$ref": "#/$defs/check"}}
  },
  "$defs": {
    "text": {"type": ["string", "null"]},
    "tier": {"enum": ["static", "container", "gpu", "multi-gpu"]},
    "check": {
      "type": "object",
      "required": ["id", "tier", "severity", "title", "status", "reason", "seconds", "simulated", "waiver",
                   "findings"],
      "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]+-[A-Z]+$"},
        "tier": {"$ref": "#/$defs/tier"},
        "severity": {"enum": ["low", "medium", "high", "critical", null]},
        "title": {"$ref": "#/$defs/text"},
        "status": {"enum": ["pass", "fail", "warn", "skipped", "blocked", "waived"]},
        "reason": {"$ref": "#/$defs/text", "description": "one line; null only for pass"},
        "seconds": {"type": "number", "minimum": 0},
        "simulated": {"type": "boolean", "description": "a stand-in answered: satisfies no gate"},
        "waiver": {
          "type": ["object", "null"],
          "required": ["reason", "expiry"],
          "properties": {"reason": {"type": "string"}, "expiry": {"type": "string"}}
        },
        "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}, "description": "worst first"}
      }
    },
    "finding": {
      "type": "object",
      "required": ["status", "message", "path", "layer", "expected", "actual", "source"],
      "properties": {
        "status": {"enum": ["pass", "warn", "fail"]},
        "message": {"type": "string"},
        "path": {"$ref": "#/$defs/text", "description": "absolute, in the image"},
        "layer": {"$ref": "#/$defs/text", "description": "digest of the layer that brings the path"},
        "expected": {"$ref": "#/$defs/text"},
        "actual": {"$ref": "#/$defs/text"},
        "source": {"$ref": "#/$defs/text", "description": "where 'expected' comes from"}
      }
    }
  }
}
)json";

}  // namespace

std::string report_json_schema() { return std::string(kSchema); }

}  // namespace img
