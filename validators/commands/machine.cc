// SPDX-License-Identifier: Apache-2.0
// Asks the kernel what machine this is.

#include "validators/commands/machine.h"

#include "builder/base/text.h"
#include "builder/base/thread_pool.h"

#include <fstream>
#include <string>

#include <sys/sysinfo.h>
#include <sys/utsname.h>

namespace img {
namespace {

/// "model name : AMD EPYC …" of the first processor.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) return std::string(trim(line.substr(colon + 1)));
  }
  return {};
}

}  // namespace

ReportMachine this_machine() {
  ReportMachine machine;
  utsname names{};
  if (::uname(&names) == 0) {
    machine.kernel = std::string(names.sysname) + " " + names.release;
    machine.architecture = names.machine;
  }
  machine.cpu = processor();
  machine.cores = static_cast<unsigned>(available_cores());
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) machine.memory = std::uint64_t{info.totalram} * info.mem_unit;
  return machine;
}

}  // namespace img
