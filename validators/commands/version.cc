// SPDX-License-Identifier: Apache-2.0
// imgcheck version: the program and the versions of what it writes and reads.

#include "builder/lock/lock_file.h"
#include "validators/commands/commands.h"
#include "validators/report/report.h"

namespace img {

void add_version_command(CLI::App& app, ConsoleAction& chosen) {
  app.add_subcommand("version", "Print versions of program and formats")->callback([&chosen] {
    chosen = [](Console& console) {
      if (console.json()) {
        console.print_json({{"version", IMGCHECK_VERSION},
                            {"reportVersion", kReportVersion},
                            {"lockVersion", kLockVersion}});
      } else {
        console.print("imgcheck " IMGCHECK_VERSION);
        console.print("report version " + std::to_string(kReportVersion));
        console.print("lock version " + std::to_string(kLockVersion));
      }
      return ExitCode::ok;
    };
  });
}

}  // namespace img
