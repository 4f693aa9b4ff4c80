// SPDX-License-Identifier: Apache-2.0
// Reads what a forward-compatibility libcuda says of itself: NVIDIA's ELF note.
#pragma once

#include <string>

namespace probe {

/// The text of the section ".note.cuda.fwd_compatibility" of an ELF file of 64 bits; empty when
/// there is none or the file is not of that form.
std::string compat_note_of(const std::string& path);

}  // namespace probe
