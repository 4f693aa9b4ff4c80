// SPDX-License-Identifier: Apache-2.0
// HTTP transfers with libcurl.
#include "builder/base/http.h"

namespace img {}  // namespace img
