// SPDX-License-Identifier: Apache-2.0
// The output format names everything that decides bytes.
#include "builder/layer/layer_format.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(LayerFormat, NamesVersionsAndParameters) {
  EXPECT_EQ(output_format(), "1;zstd=1.5.4:3:21:8388608;deflate=zlib-1.2.13:6;mtime=1577836800");
}

TEST(LayerFormat, LinkedCodecsWriteTheFrozenBytes) { EXPECT_NO_THROW(require_frozen_codecs()); }

}  // namespace
}  // namespace img
