// SPDX-License-Identifier: Apache-2.0
// The output format version: everything that decides the bytes of a layer, in one place.
#pragma once

#include <cstdint>
#include <string>

namespace img {

/// Raised whenever the same lock gives other bytes; each step is a line under "Changes output
/// bytes" in CHANGELOG.md, and the goldens change in the same commit.
///   1  first
inline constexpr int kOutputVersion = 1;

/// mtime of every entry that we write: 2020-01-01T00:00:00Z. Wheel dates are noise, git keeps none,
/// and folder dates would destroy sharing between images.
inline constexpr std::int64_t kEntryMtime = 1577836800;

inline constexpr int kZstdLevel = 3;
inline constexpr int kZstdWindowLog = 21;
inline constexpr int kZstdJobBytes = 8 << 20;
inline constexpr int kDeflateLevel = 6;

/// "1;zstd=1.5.4:3:21:8388608;deflate=zlib-1.2.13:6;mtime=1577836800": recorded in the lock and
/// part of every layer cache key. Built from the libraries that are really linked.
std::string output_format();

/// UnavailableError when the linked codecs do not produce the bytes that this output version
/// promises (a frozen sample is compressed and compared once per process).
void require_frozen_codecs();

}  // namespace img
