// SPDX-License-Identifier: Apache-2.0
// Foreign packed streams → plain bytes, through libarchive's filters. Private to inputs.
#pragma once

#include "builder/base/stream.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace img {

enum class ForeignCodec { none, gzip, bzip2, xz, lzma, zstd };
std::string_view to_string(ForeignCodec codec);

/// Plain bytes of `packed`. The codec is recognised by its first bytes and must be `expected` when
/// that is given; exactly one layer of packing is taken off. A broken or truncated stream, or bytes
/// left over after it, is an InputError that names `name`, raised while reading.
std::unique_ptr<Source> open_foreign(Source& packed, const std::string& name,
                                     std::optional<ForeignCodec> expected = std::nullopt);

}  // namespace img
