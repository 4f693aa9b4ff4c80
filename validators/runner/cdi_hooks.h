// SPDX-License-Identifier: Apache-2.0
// Hooks of device specifications. None is ever run: a hook is a program with root's rights outside
// of the container. What NVIDIA's do for every container is done here instead; the others are told.
#pragma once

#include "validators/runner/cdi_spec.h"
#include "validators/runner/runtime_config.h"

namespace img {

/// Adds to `edits` what the hook would have done, or the note that it was not.
void honour_hook(const CdiHook& hook, ContainerEdits& edits);

}  // namespace img
