// SPDX-License-Identifier: Apache-2.0
// What every command of imgcheck shares: global flags, progress, and the answer on standard output.
#pragma once

#include "builder/base/file.h"
#include "builder/base/json.h"
#include "builder/base/progress.h"
#include "validators/report/report.h"

#include <memory>
#include <string>
#include <string_view>

namespace img {

/// Flags that every command accepts.
struct ConsoleFlags {
  bool json = false;
  bool quiet = false;
  std::string progress = "auto";
  std::string color = "auto";
  std::string cache_dir;
};

class Console {
 public:
  explicit Console(const ConsoleFlags& flags) : flags_(flags) {}

  const ConsoleFlags& flags() const { return flags_; }
  bool json() const { return flags_.json; }
  Progress& progress();
  /// Root of the store, shared with imgbuild.
  fs::path store() const;
  /// Colour and width of standard output.
  RenderOptions render_options() const;

  /// Text as it is.
  void write(std::string_view text);
  /// One line of the answer.
  void print(const std::string& line);
  /// The whole answer with --json; `value` gets "schemaVersion": 1.
  void print_json(Json value);

 private:
  const ConsoleFlags& flags_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace img
