// SPDX-License-Identifier: Apache-2.0
// Gives the edits of devices their places in an image whose root no runtime can write to.
#pragma once

#include "validators/runner/layer_stack.h"
#include "validators/runner/runtime_config.h"

namespace img {

/// Makes in `skeleton` (make_skeleton has been there) what the edits need and the image lacks:
/// files and folders to mount on, links, and for libraries in `linker_folders` the links by which a
/// loader finds them: their sonames beside them, as ldconfig does, and all names in
/// kDriverPlace, which goes to the end of LD_LIBRARY_PATH. Only these names: a folder of the image
/// there would change what the image's other libraries are.
/// Returns the edits with places as the image's own links lead to them. InputError when the image
/// has something else there, or they lead into /proc or /sys.
ContainerEdits place_edits(const fs::path& skeleton, const LayerStack& stack, Owners owners,
                           ContainerEdits edits);

}  // namespace img
