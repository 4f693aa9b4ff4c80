// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind oci.
#include "builder/manifest/fields.h"
#include "builder/manifest/recipe.h"
#include "builder/oci/digest.h"

namespace img {

OciSpec read_oci(YamlReader& reader, const RecipeContext& context) {
  OciSpec spec;
  const LocalPath layout =
      local_path(reader.required("layout"), reader.name_of("layout"), context.folder);
  spec.layout = layout.resolved.string();
  spec.layout_written = layout.written;
  const YamlNode& digest = reader.required("digest");
  spec.digest = digest.as_text(reader.name_of("digest"));
  const bool good = spec.digest.size() == 71 && spec.digest.starts_with("sha256:") &&
                    spec.digest.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
  if (!good) {
    digest.fail("'" + spec.digest + "' is no digest",
                "write 'sha256:' with 64 lower-case hex digits");
  }
  if (const YamlNode* python = reader.optional("python")) {
    spec.python = python_field(*python, reader.name_of("python"), context.variables);
  }
  return spec;
}

}  // namespace img
