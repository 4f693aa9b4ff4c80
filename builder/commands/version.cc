// SPDX-License-Identifier: Apache-2.0
// imgbuild version: the program, its formats and the libraries that decide bytes.

#include "builder/commands/commands.h"
#include "builder/layer/layer_format.h"

namespace img {

void add_version_command(CLI::App& app, Action& chosen) {
  app.add_subcommand("version", "Print versions of program, formats and codecs")
      ->callback([&chosen] {
        chosen = [](Session& session) {
          if (session.json()) {
            session.print_json({{"version", IMGBUILD_VERSION},
                                {"lockVersion", kLockVersion},
                                {"outputVersion", kOutputVersion},
                                {"outputFormat", output_format()}});
          } else {
            session.print("imgbuild " IMGBUILD_VERSION);
            session.print("lock version " + std::to_string(kLockVersion));
            session.print("output format " + output_format());
          }
          return ExitCode::ok;
        };
      });
}

}  // namespace img
