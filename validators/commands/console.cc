// SPDX-License-Identifier: Apache-2.0
// Opens what commands share and writes their answers.

#include "validators/commands/console.h"

#include "builder/base/error.h"
#include "builder/commands/output.h"
#include "builder/fetch/store.h"

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace img {
namespace {

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

/// Flag, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE, then what standard output is.
bool wants_color(const std::string& flag) {
  if (flag != "auto") return flag == "always";
  if (is_set("NO_COLOR")) return false;
  if (is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE")) return true;
  const char* const terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

int terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0) {
    return size.ws_col;
  }
  return RenderOptions{}.width;
}

}  // namespace

Progress& Console::progress() {
  if (!progress_) {
    const auto mode = parse_progress_mode(flags_.progress);
    progress_ = std::make_unique<Progress>(flags_.quiet ? ProgressMode::quiet : mode.value());
  }
  return *progress_;
}

fs::path Console::store() const { return Store::default_root(flags_.cache_dir); }

RenderOptions Console::render_options() const {
  return {.color = wants_color(flags_.color), .width = terminal_width()};
}

void Console::write(std::string_view text) { write_to_stdout(text); }

void Console::print(const std::string& line) { write(line + "\n"); }

void Console::print_json(Json value) {
  value["schemaVersion"] = 1;
  write(pretty_json(value));
}

}  // namespace img
