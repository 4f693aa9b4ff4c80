// SPDX-License-Identifier: Apache-2.0
// The deep checksum that ties a lock to its manifest.
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "builder/manifest/build_manifest.h"
#include "builder/manifest/json.h"

namespace img {

// The promise is: same lock and same local files, same image. So whatever can reach the image's
// bytes is hashed, as its canonical JSON, and nothing that depends on the machine: not where the
// YAML or a base layout lies, and not the requirements file's name (its requirements are there,
// line by line, without comments).
std::string BuildManifest::checksum() const {
  Json json = to_json(*this);
  json.erase("file");
  json.erase("checks");
  for (Json& layer : json["layers"]) {
    layer.erase("file");
    layer.erase("layout");
    layer.erase("requirementsFile");
  }
  return "sha256:" + to_hex(sha256(canonical_json(json)));
}

}  // namespace img
