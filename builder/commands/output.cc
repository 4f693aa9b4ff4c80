// SPDX-License-Identifier: Apache-2.0
// Writes to standard output and notices when nobody takes it.

#include "builder/commands/output.h"

#include "builder/base/error.h"

#include <cerrno>
#include <cstdio>

namespace img {

void write_to_stdout(std::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) {
    const int error = errno;
    throw SystemError(error, "cannot write to standard output");
  }
}

}  // namespace img
