// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of matrices.

#include "validators/matrix/matrix.h"

namespace img {
namespace {

// A test holds the schema and the writer to the same set of keys.
constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "imgcheck-matrix-v1",
  "title": "Matrix of imgcheck",
  "description": "Every key is always there; what is unknown is null. Keys may be added within a version.",
  "type": "object",
  "required": ["schemaVersion", "tool", "newestReport", "reports", "images", "gpus", "branches", "rows", "claims",
               "problems"],
  "properties": {
    "schemaVersion": {"const": 1},
    "tool": {
      "type": "object",
      "required": ["name", "version"],
      "properties": {"name": {"const": "imgcheck"}, "version": {"type": "string"}}
    },
    "newestReport": {"$ref": "#/$defs/text", "description": "when it was started, RFC 3339"},
    "reports": {"type": "array", "items": {"$ref": "#/$defs/report"}},
    "images": {"type": "array", "items": {"$ref": "#/$defs/image"}, "description": "one for each digest"},
    "gpus": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["name", "compute", "architecture"],
        "properties": {
          "name": {"type": "string"}, "compute": {"type": "string"}, "architecture": {"type": "string"}
        }
      }
    },
    "branches": {
      "type": "array",
      "description": "driver branches, oldest first",
      "items": {
        "type": "object",
        "required": ["name", "kind"],
        "properties": {"name": {"type": "string", "pattern": "^R[0-9]+$"}, "kind": {"$ref": "#/$defs/text"}}
      }
    },
    "rows": {
      "type": "array",
      "description": "image × GPU, a cell for each branch",
      "items": {
        "type": "object",
        "required": ["image", "gpu", "cells"],
        "properties": {
          "image": {"type": "string", "description": "anchor of the image"},
          "gpu": {"type": "string"},
          "cells": {"type": "array", "items": {"$ref": "#/$defs/cell"}}
        }
      }
    },
    "claims": {"type": "array", "items": {"$ref": "#/$defs/claim"}},
    "problems": {
      "type": "array",
      "description": "what was wrong with the input; the rest stands",
      "items": {
        "type": "object",
        "required": ["kind", "subject", "message"],
        "properties": {
          "kind": {"enum": ["unreadable", "contradiction", "duplicate"]},
          "subject": {"type": "string"},
          "message": {"type": "string"}
        }
      }
    }
  },
  "$defs": {
    "text": {"type": ["string", "null"]},
    "texts": {"type": "array", "items": {"type": "string"}},
    "basis": {
      "enum": ["none", "claimed", "derived", "tested"],
      "description": "how it is known: claimed by a table, derived from what was read in the image, or tested"
    },
    "status": {"enum": ["pass", "fail", "warn", "skipped", "blocked", "waived"]},
    "report": {
      "type": "object",
      "required": ["file", "started", "toolVersion", "tiers", "machine", "gpus", "driver"],
      "properties": {
        "file": {"type": "string"},
        "started": {"type": "string"},
        "toolVersion": {"type": "string"},
        "tiers": {"$ref": "#/$defs/texts"},
        "machine": {"type": "string"},
        "gpus": {"$ref": "#/$defs/texts"},
        "driver": {"$ref": "#/$defs/text"}
      }
    },
    "image": {
      "type": "object",
      "required": ["anchor", "name", "digest", "packedSize", "unpackedSize", "facts", "disputed", "reports", "checks"],
      "properties": {
        "anchor": {"type": "string", "pattern": "^[A-Za-z0-9-]+$"},
        "name": {"type": "string"},
        "digest": {"$ref": "#/$defs/text"},
        "packedSize": {"type": "integer", "minimum": 0, "description": "bytes"},
        "unpackedSize": {"type": "integer", "minimum": 0, "description": "bytes"},
        "facts": {"type": "object", "additionalProperties": {"type": "string"}},
        "disputed": {"$ref": "#/$defs/texts", "description": "facts that reports of these bytes disagree about"},
        "reports": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "newest first"},
        "checks": {"type": "array", "items": {"$ref": "#/$defs/check"}}
      }
    },
    "check": {
      "type": "object",
      "required": ["check", "status", "basis", "contradictory", "said"],
      "properties": {
        "check": {"type": "string"},
        "status": {"oneOf": [{"$ref": "#/$defs/status"}, {"type": "null"}], "description": "null: no report has it"},
        "basis": {"$ref": "#/$defs/basis"},
        "contradictory": {"type": "boolean"},
        "said": {
          "type": "array",
          "description": "what counts first",
          "items": {
            "type": "object",
            "required": ["report", "status", "simulated", "line"],
            "properties": {
              "report": {"type": "integer", "minimum": 0, "description": "index into reports"},
              "status": {"$ref": "#/$defs/status"},
              "simulated": {"type": "boolean"},
              "line": {"type": "string"}
            }
          }
        }
      }
    },
    "cell": {
      "type": "object",
      "required": ["branch", "works", "basis", "fromDriver", "tested", "reasons"],
      "properties": {
        "branch": {"type": "string"},
        "works": {"enum": ["works", "limited", "does not", "unknown"]},
        "basis": {"$ref": "#/$defs/basis"},
        "fromDriver": {"$ref": "#/$defs/text", "description": "lowest driver of the branch; null: all of it"},
        "tested": {"$ref": "#/$defs/text", "description": "when and on what"},
        "reasons": {
          "type": "array",
          "description": "what decides first",
          "items": {
            "type": "object",
            "required": ["rule", "fact", "source", "evidence"],
            "properties": {
              "rule": {"type": "string"},
              "fact": {"type": "string"},
              "source": {"type": "string"},
              "evidence": {"enum": ["A", "B", "C", null]}
            }
          }
        }
      }
    },
    "claim": {
      "type": "object",
      "required": ["claim", "truth", "verdict", "variants", "seen", "evidence"],
      "properties": {
        "claim": {"type": "string"},
        "truth": {"type": "string"},
        "verdict": {"enum": ["wrong", "partly right", "right", null]},
        "variants": {"$ref": "#/$defs/texts"},
        "seen": {"$ref": "#/$defs/texts"},
        "evidence": {"enum": ["A", "B", "C", null]}
      }
    }
  }
}
)json";

}  // namespace

std::string matrix_json_schema() { return std::string(kSchema); }

}  // namespace img
