// SPDX-License-Identifier: Apache-2.0
// imgcheck schema: the JSON Schema of reports, policies or matrices.

#include "validators/commands/commands.h"
#include "validators/gate/policy.h"
#include "validators/matrix/matrix.h"

#include <memory>

namespace img {

void add_schema_command(CLI::App& app, ConsoleAction& chosen) {
  auto kind = std::make_shared<std::string>("report");
  CLI::App* command = app.add_subcommand("schema", "Print a JSON Schema: report, policy, matrix");
  command->add_option("KIND", *kind, "report (default), policy or matrix");
  command->callback([kind, &chosen] {
    chosen = [kind](Console& console) {
      if (*kind == "report") {
        console.write(report_json_schema());
      } else if (*kind == "policy") {
        console.write(policy_json_schema());
      } else if (*kind == "matrix") {
        console.write(matrix_json_schema());
      } else {
        throw UsageError(ErrorText{.message = "there is no schema '" + *kind + "'",
                                   .hint = "use report, policy or matrix"});
      }
      return ExitCode::ok;
    };
  });
}

}  // namespace img
