// SPDX-License-Identifier: Apache-2.0
// The Python program that the image's interpreter compiles sources with.
#pragma once

#include <string_view>

namespace img {

/// Text of compile_worker.py; its head describes the frames on standard input and output.
extern const std::string_view kCompileWorker;

}  // namespace img
