// SPDX-License-Identifier: Apache-2.0
// An existing image as the bottom of ours (kind oci): its layers enter the store verified, byte for
// byte.
#pragma once

#include "builder/assemble/files_tree.h"
#include "builder/assemble/image_document.h"
#include "builder/fetch/store.h"

#include <optional>

namespace img {

/// Copies what is missing of the base's layers into the store; digests, sizes and DiffIDs are
/// verified once and remembered. The layout must hold the digest that the recipe names
/// (IntegrityError otherwise).
BaseImage import_base_image(const OciSpec& spec, const Platform& platform, Store& store);

/// The account files of an imported base; nullopt when it has none. Read from its layers once and
/// remembered.
std::optional<Accounts> accounts_of_base(const BaseImage& base, Store& store);

}  // namespace img
