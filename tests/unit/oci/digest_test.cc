// SPDX-License-Identifier: Apache-2.0
// Digests: the grammar, its refusals, and what a valid one says.
#include "builder/oci/digest.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

#include <vector>

namespace img {
namespace {

const std::string kHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, of_nothing_is_the_known_sha256) {
  EXPECT_EQ(Digest::of(std::string_view()).str(), "sha256:" + kHex);
}

TEST(Digest, says_its_parts) {
  const Digest digest = Digest::parse("sha256:" + kHex);
  EXPECT_EQ(digest.algorithm(), "sha256");
  EXPECT_EQ(digest.hex(), kHex);
  EXPECT_TRUE(digest.is_sha256());
  EXPECT_EQ(digest.short_hex(), "e3b0c44298fc");
}

TEST(Digest, accepts_sha512_and_unknown_algorithms_of_the_grammar) {
  EXPECT_FALSE(Digest::parse("sha512:" + kHex + kHex).is_sha256());
  EXPECT_EQ(
      Digest::parse("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8").algorithm(),
      "multihash+base58");
  EXPECT_EQ(Digest::parse("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564").hex().size(),
            43u);
}

TEST(Digest, refuses_what_could_be_a_path_or_another_spelling) {
  std::string upper = kHex;
  upper[0] = 'E';
  const std::vector<std::string> wrong = {"",
                                          "sha256",
                                          "sha256:",
                                          kHex,
                                          "sha256:" + upper,
                                          "sha256:" + kHex.substr(1),
                                          "sha256:" + kHex + "0",
                                          "SHA256:" + kHex,
                                          "sha256:../../x",
                                          "sha256:" + kHex + "\n",
                                          "sha256: " + kHex,
                                          "sha512:" + kHex,
                                          "../x:abc",
                                          "a/b:abc",
                                          "x:a/b",
                                          "x:..",
                                          "+x:a",
                                          "x+:a",
                                          "x++y:a",
                                          ":" + kHex,
                                          "x:" + std::string(300, 'a'),
                                          "sha256:" + kHex.substr(0, 63) + std::string(1, '\0')};
  for (const std::string& text : wrong) EXPECT_FALSE(Digest::try_parse(text)) << text;
}

TEST(Digest, error_names_the_text_and_what_was_expected) {
  try {
    Digest::parse("sha256:../../etc");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(error.text().message, "'sha256:../../etc' is no digest");
    ASSERT_EQ(error.text().details.size(), 1u);
    EXPECT_EQ(error.text().details[0].label, "expected");
    EXPECT_EQ(error.text().details[0].value, "sha256:<64 lower-case hex digits>");
    EXPECT_EQ(error.exit_code(), ExitCode::usage);
  }
}

TEST(Digest, compares_by_text) {
  EXPECT_EQ(Digest::of("a"), Digest::of("a"));
  EXPECT_NE(Digest::of("a"), Digest::of("b"));
}

}  // namespace
}  // namespace img
