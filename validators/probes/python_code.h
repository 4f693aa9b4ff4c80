// SPDX-License-Identifier: Apache-2.0
// The Python that probes run with the image's own interpreter; it writes events to descriptor 3.
#pragma once

namespace probe {

/// Imports torch, forces cuDNN's parts to load, names the mapped files.
extern const char* const kLoadCode;
/// Imports torch with an eye on what is opened, mapped and missing.
extern const char* const kDetailCode;
/// argv: names of distributions (none: all). Prints one line a module: "distribution\tmodule".
extern const char* const kModulesCode;
/// argv: torch or nothing. What programs do that trips over a user without a name.
extern const char* const kNoUserCode;
/// Compiles a small function and compares its values.
extern const char* const kCompileCode;

}  // namespace probe
