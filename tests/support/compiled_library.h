// SPDX-License-Identifier: Apache-2.0
// Real ELF files, made with the compiler of this machine.
#pragma once

#include "builder/base/file.h"
#include "builder/base/process.h"

#include <stdexcept>
#include <string>
#include <vector>

namespace img::testing {

struct LibrarySource {
  std::string text = "";           ///< of the program
  std::string language = "c";      ///< "c", "c++", "assembler"
  std::vector<std::string> flags;  ///< after the source, e.g. "-Wl,-soname,libx.so.1"
  bool is_program = false;
};

/// Compiles and links `source` into the new file `target` (its folder must exist). Nothing of the
/// C library is linked unless the flags say so, so a library takes a few hundred bytes.
inline void compile_library(const LibrarySource& source, const fs::path& target) {
  const fs::path file = target.string() + ".source";
  write_file(file, source.text);
  const auto compiler = find_program(source.language == "c++" ? "g++" : "gcc");
  if (!compiler) throw std::runtime_error("no compiler");
  std::vector<std::string> argv = {
      compiler->string(), "-x", source.language, file.string(), "-x", "none", "-o",
      target.string()};
  if (!source.is_program) argv.insert(argv.end(), {"-shared", "-fPIC"});
  argv.insert(argv.end(), source.flags.begin(), source.flags.end());
  const ProcessResult result =
      run_process({.argv = argv, .env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}}});
  fs::remove(file);
  if (result.exit_code != 0) throw std::runtime_error("compiler: " + result.stderr_text);
}

}  // namespace img::testing
