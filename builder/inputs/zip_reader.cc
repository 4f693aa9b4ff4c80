// SPDX-License-Identifier: Apache-2.0
// Finds and cross-checks the headers of a zip file.
#include "builder/inputs/zip_reader.h"

namespace img {}
