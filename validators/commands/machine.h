// SPDX-License-Identifier: Apache-2.0
// What a report says about the machine it was made on.
#pragma once

#include "validators/report/report.h"

namespace img {

/// Kernel, processor and memory; no name, address or user of the machine.
ReportMachine this_machine();

}  // namespace img
