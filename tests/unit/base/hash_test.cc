// SPDX-License-Identifier: Apache-2.0
// SHA-256 against the test vectors of FIPS 180-4.
#include "builder/base/hash.h"

#include "builder/base/text.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(Sha256, MatchesPublishedVectors) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSame) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(as_bytes(std::string(1000, 'a')));
  hash.update({});
  EXPECT_EQ(to_hex(hash.finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(HashSink, PassesOnHashesAndCounts) {
  StringSink out;
  HashSink sink(out);
  sink.write(as_bytes("ab"));
  sink.write(as_bytes("c"));
  sink.finish();
  EXPECT_EQ(out.text(), "abc");
  EXPECT_EQ(sink.count(), 3u);
  EXPECT_EQ(sink.digest(), sha256("abc"));
}

}  // namespace
}  // namespace img
