// SPDX-License-Identifier: Apache-2.0
// imgcheck-inside: the container and GPU tiers in the container where it finds itself.
#include "builder/base/error.h"
#include "validators/inside/checks_inside.h"
#include "validators/inside/options.h"

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace img {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

/// A report that is whole, or an error.
void write_report(const std::string& text, const std::string& path) {
  if (path.empty()) {
    print(text);
    if (std::fflush(stdout) != 0) throw UnavailableError("cannot write to standard output");
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw UnavailableError("cannot write '" + path + "'");
}

int run(const std::vector<std::string>& arguments) {
  const InsideOptions options = parse_inside_options(arguments);
  if (options.help) {
    print(inside_help());
    return 0;
  }
  if (options.version) {
    print("imgcheck-inside " IMGCHECK_VERSION "\n");
    return 0;
  }
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const Report report = check_inside(options, [&](const std::string& label) {
    if (terminal) std::fprintf(stderr, "probing %s\n", label.c_str());
  });
  const bool color = options.output.empty() && ::isatty(STDOUT_FILENO) == 1;
  write_report(render(report, options.format, {.color = color}), options.output);
  return static_cast<int>(exit_code_inside(report, options));
}

}  // namespace
}  // namespace img

int main(int argc, char** argv) {
  try {
    return img::run({argv + 1, argv + argc});
  } catch (const img::Error& error) {
    std::fprintf(stderr, "%s\n", error.render().c_str());
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: a bug in imgcheck-inside: %s\n", error.what());
    return static_cast<int>(img::ExitCode::internal);
  }
}
