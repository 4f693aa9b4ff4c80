// SPDX-License-Identifier: Apache-2.0
// Reads OCI archives and docker archives through an index of the tar.
#include "builder/layout/image_layout.h"

namespace img {}
