// SPDX-License-Identifier: Apache-2.0
// imgcheck schema: the JSON Schema of reports or policies.

#include "validators/commands/commands.h"
#include "validators/gate/policy.h"

#include <memory>

namespace img {

void add_schema_command(CLI::App& app, ConsoleAction& chosen) {
  auto kind = std::make_shared<std::string>("report");
  CLI::App* command = app.add_subcommand("schema", "Print the JSON Schema of reports or policies");
  command->add_option("KIND", *kind, "report (default) or policy");
  command->callback([kind, &chosen] {
    chosen = [kind](Console& console) {
      if (*kind != "report" && *kind != "policy") {
        throw UsageError(ErrorText{.message = "there is no schema '" + *kind + "'",
                                   .hint = "use report or policy"});
      }
      console.write(*kind == "report" ? report_json_schema() : policy_json_schema());
      return ExitCode::ok;
    };
  });
}

}  // namespace img
