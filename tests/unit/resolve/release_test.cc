// SPDX-License-Identifier: Apache-2.0
// Which InRelease files are believed: real signatures by gpg, one thing wrong with each.
#include "builder/resolve/release.h"

#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace img {
namespace {

using test::data_folder;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kDay = 1705141588;  // Date of the files: 2024-01-13T10:26:28Z

std::string fingerprint(const std::string& name) {
  std::ifstream file(data_folder() / "fingerprints.txt");
  std::string key, value;
  while (file >> key >> value) {
    if (key == name) return value;
  }
  return "no such key";
}

class Release : public testing::Test {
 protected:
  ReleaseRequest request_{.suite = "bookworm",
                          .fingerprints = {fingerprint("signer")},
                          .keyring = data_folder() / "keyring.gpg",
                          .now = kDay + 3600,
                          .previous_date = {}};
  TempDir work_{fs::temp_directory_path(), "release-test-"};

  LockedRelease verify(const std::string& file) {
    return verify_release(data_folder() / "in_release" / file, request_, work_.path());
  }
  std::string integrity_error(const std::string& file) {
    return error_of<IntegrityError>([&] { verify(file); });
  }
};

TEST_F(Release, ReadsWhatAPinnedKeySigned) {
  const LockedRelease release = verify("good");
  EXPECT_EQ(release.suite, "bookworm");
  EXPECT_EQ(release.codename, "bookworm");
  EXPECT_EQ(release.origin, "Debian");
  EXPECT_EQ(release.label, "Debian");
  EXPECT_EQ(release.date, "2024-01-13T10:26:28Z");
  EXPECT_EQ(release.valid_until, "");
  EXPECT_THAT(release.signed_by, ElementsAre(fingerprint("signer")));
  EXPECT_EQ(release.sha256, Digest::of(read_file(data_folder() / "in_release/good")));
}

TEST_F(Release, RecordsOnlyThePinnedOfSeveralSigners) {
  EXPECT_THAT(verify("two_signers").signed_by, ElementsAre(fingerprint("signer")));
  request_.fingerprints = {fingerprint("signer"), fingerprint("other")};
  EXPECT_EQ(verify("two_signers").signed_by.size(), 2u);
}

TEST_F(Release, AKnownKeyThatIsNotPinnedDoesNotCount) {
  EXPECT_EQ(
      integrity_error("other_key"),
      "error: InRelease of suite 'bookworm' is not signed by a pinned key\n"
      "  expected: " +
          fingerprint("signer") +
          "   (the recipe's keyring)\n"
          "  got:      " +
          fingerprint("other") + "   (" + (data_folder() / "keyring.gpg").string() +
          ")\nhint: if the archive's keys changed, put the new fingerprint into the recipe after "
          "checking it");
}

TEST_F(Release, ExpiredAndRevokedKeysDoNotCountEvenWhenPinned) {
  request_.fingerprints = {fingerprint("expired"), fingerprint("revoked")};
  for (const char* file : {"expired_key", "revoked_key"}) {
    EXPECT_THAT(integrity_error(file), HasSubstr("no good signature")) << file;
  }
}

TEST_F(Release, RefusesAnythingButOneIntactBlock) {
  const std::map<std::string, std::string> problems = {
      {"changed_text", "has a bad signature"},
      {"text_before", "is not exactly one clearsigned block"},
      {"text_after", "is not exactly one clearsigned block"},
      {"two_blocks", "is not exactly one clearsigned block"},
      {"unsigned", "is not exactly one clearsigned block"},
      {"crlf", "has carriage returns"},
      {"two_stanzas", "has more than one stanza"},
      {"no_date", "has no readable Date: 'yesterday'"},
      {"other_suite", "is that of suite 'stable-of-old', codename 'trixie'"},
  };
  for (const auto& [file, problem] : problems) {
    EXPECT_EQ(integrity_error(file), "error: InRelease of suite 'bookworm' " + problem) << file;
  }
}

TEST_F(Release, AcceptsTheSuiteByItsSuiteFieldToo) {
  request_.suite = "stable-of-old";
  EXPECT_EQ(verify("good").codename, "bookworm");
}

TEST_F(Release, RefusesWhatIsPastItsValidUntil) {
  EXPECT_EQ(verify("valid_for_a_week").valid_until, "2024-01-20T10:26:28Z");
  request_.now = kDay + 8 * 86400;
  EXPECT_EQ(error_of<UnavailableError>([&] { verify("valid_for_a_week"); }),
            "error: InRelease of suite 'bookworm' is no longer valid\n"
            "  valid until: 2024-01-20T10:26:28Z\n"
            "  now:         2024-01-21T10:26:28Z\n"
            "hint: use a mirror that is up to date (--source debian=URL)");
}

TEST_F(Release, RefusesADateInTheFuture) {
  request_.now = kDay - 86400;
  EXPECT_EQ(error_of<UnavailableError>([&] { verify("good"); }),
            "error: InRelease of suite 'bookworm' is dated in the future\n"
            "  date: 2024-01-13T10:26:28Z\n"
            "  now:  2024-01-12T10:26:28Z   (this machine's clock)\n"
            "hint: check the clock of this machine");
}

TEST_F(Release, RefusesToGoBackBehindTheLastLock) {
  request_.previous_date = "2024-01-13T10:26:28Z";
  EXPECT_EQ(verify("good").date, request_.previous_date);
  request_.previous_date = "2024-01-14T00:00:00Z";
  EXPECT_EQ(error_of<UnavailableError>([&] { verify("good"); }),
            "error: InRelease of suite 'bookworm' is older than the one of the last lock\n"
            "  date: 2024-01-13T10:26:28Z   (the mirror)\n"
            "  last: 2024-01-14T00:00:00Z   (the lock)\n"
            "hint: use a mirror that is up to date (--source debian=URL)");
}

TEST(ReleaseDate, ReadsOnlyRfc822InUtc) {
  EXPECT_EQ(parse_release_date("Sat, 13 Jan 2024 10:26:28 UTC"), kDay);
  EXPECT_EQ(parse_release_date("Mon, 1 Jan 2024 00:00:00 UTC"), 1704067200);
  EXPECT_EQ(parse_release_date("Sat, 13 Jan 2024 10:26:28 CET"), std::nullopt);
  EXPECT_EQ(parse_release_date("Sat, 13 Foo 2024 10:26:28 UTC"), std::nullopt);
  EXPECT_EQ(parse_release_date("2024-01-13"), std::nullopt);
}

TEST(GoodSigners, AValidSignatureCountsOnlyAfterAGoodOne) {
  EXPECT_THAT(good_signers("[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG A\n[GNUPG:] NEWSIG\n"
                           "[GNUPG:] GOODSIG B name\n[GNUPG:] VALIDSIG sub 2024-01-01 B\n"
                           "[GNUPG:] NEWSIG\n[GNUPG:] VALIDSIG sub 2024-01-01 C\n",
                           "x"),
              ElementsAre("B"));
}

}  // namespace
}  // namespace img
