// SPDX-License-Identifier: Apache-2.0
// imgbuild schema: the JSON Schema of manifests or recipes.

#include "builder/commands/commands.h"

#include <memory>

namespace img {

void add_schema_command(CLI::App& app, Action& chosen) {
  auto kind = std::make_shared<std::string>("manifest");
  CLI::App* command = app.add_subcommand("schema", "Print the JSON Schema of manifests or recipes");
  command->add_option("KIND", *kind, "manifest (default) or recipe");
  command->callback([kind, &chosen] {
    chosen = [kind](Session& session) {
      if (*kind != "manifest" && *kind != "recipe") {
        throw UsageError(ErrorText{.message = "there is no schema '" + *kind + "'",
                                   .hint = "use manifest or recipe"});
      }
      std::string text = *kind == "manifest" ? manifest_json_schema() : recipe_json_schema();
      while (text.ends_with('\n')) text.pop_back();
      session.print(text);
      return ExitCode::ok;
    };
  });
}

}  // namespace img
