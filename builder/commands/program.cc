// SPDX-License-Identifier: Apache-2.0
// The handlers for everything that can reach main.

#include "builder/commands/program.h"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>

namespace img {
namespace {

constexpr const char* kOutOfMemory =
    "error: out of memory\nhint: free memory or raise its limit (ulimit -v), or use fewer threads: "
    "-j 1\n";

int failed(const Error& error) {
  print_error(error);
  return static_cast<int>(error.exit_code());
}

}  // namespace

void print_error(const Error& error) { std::fprintf(stderr, "%s\n", error.render().c_str()); }

int run_program(const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& error) {
    return failed(error);
  } catch (const std::bad_alloc&) {
    std::fputs(kOutOfMemory, stderr);
    return static_cast<int>(ExitCode::unavailable);
  } catch (const std::filesystem::filesystem_error& error) {
    return failed(SystemError(error.code().value(), "cannot use '" + error.path1().string() + "'"));
  } catch (const std::system_error& error) {
    return failed(SystemError(error.code().value(), "the system refuses a resource"));
  } catch (const std::exception& error) {
    return failed(InternalError(std::string("unexpected: ") + error.what()));
  }
}

}  // namespace img
