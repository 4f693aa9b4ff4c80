// SPDX-License-Identifier: Apache-2.0
// Solving debs by the real apt over a tiny signed archive of our own.
#include "builder/resolve/apt.h"

#include "builder/base/process.h"
#include "builder/resolve/apt_root.h"
#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace img {
namespace {

using test::data_folder;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string signer() {
  std::ifstream file(data_folder() / "fingerprints.txt");
  std::string name, value;
  file >> name >> value;
  return value;
}

class Apt : public testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("apt-get") || !find_program("gpgv")) GTEST_SKIP() << "needs apt and gpgv";
    setenv("IMGBUILD_KEYRING", (data_folder() / "keyring.gpg").c_str(), 1);
    for (const char* archive : {"debian", "debian-security"}) {
      sources_.by_name[archive] = {"file:" + (data_folder() / "archive" / archive).string()};
    }
    problem_.architecture = "amd64";
    problem_.now = 1705145188;  // an hour after the archive's date
  }

  void add(const std::string& name, std::vector<std::string> packages, bool essential = false) {
    DebianSpec spec;
    spec.suite = "bookworm";
    spec.pockets = {"security"};
    spec.packages = std::move(packages);
    spec.essential = essential;
    spec.keyring_fingerprints = {signer()};
    recipes_.push_back(
        {.name = name, .spec = spec, .position = {.file = "m.yaml", .line = 2, .column = 10}});
  }

  DebSolution solve() {
    problem_.recipes.clear();
    for (const Recipe& recipe : recipes_) problem_.recipes.push_back(&recipe);
    TempDir work(fs::temp_directory_path(), "apt-test-");
    Progress progress(ProgressMode::quiet);
    return solve_debs(problem_, sources_, work.path(), progress);
  }

  std::vector<std::string> debs() {
    std::vector<std::string> names;
    for (const LockedDeb& deb : solve().debs) {
      names.push_back(deb.layer + ": " + deb.package + " " + deb.version + " " + deb.suite);
    }
    return names;
  }

  DebProblem problem_;
  Sources sources_;
  std::vector<Recipe> recipes_;
};

TEST_F(Apt, TakesTheNewestOfAllSuitesWithDependenciesAndEssentials) {
  add("base", {"python3.11-minimal"}, true);
  EXPECT_THAT(debs(), ElementsAre("base: base-files 12.4 bookworm",
                                  "base: libc6 2.36-9+deb12u14 bookworm-security",
                                  "base: libgcc-s1 12.2.0-14 bookworm",
                                  "base: python3.11-minimal 3.11.2-6+deb12u6 bookworm-security",
                                  "base: zlib1g 1:1.2.13.dfsg-1 bookworm"));
  const DebSolution solution = solve();
  ASSERT_EQ(solution.releases.size(), 2u);
  EXPECT_EQ(solution.releases[0].suite, "bookworm");
  EXPECT_EQ(solution.releases[1].suite, "bookworm-security");
  EXPECT_EQ(solution.debs[1].archive, "debian-security");
  EXPECT_EQ(solution.debs[1].path, "pool/main/libc6_2.36-9+deb12u14_amd64.deb");
  EXPECT_EQ(solution.debs[1].size, 105u);
}

TEST_F(Apt, AnUpperRecipeBringsOnlyWhatIsNew) {
  add("base", {"libc6"});
  add("tools", {"tool", "libc6"});
  EXPECT_THAT(debs(),
              ElementsAre("base: libc6 2.36-9+deb12u14 bookworm-security",
                          "base: libgcc-s1 12.2.0-14 bookworm",
                          "tools: python3.11-minimal 3.11.2-6+deb12u6 bookworm-security",
                          "tools: tool 1.0 bookworm", "tools: zlib1g 1:1.2.13.dfsg-1 bookworm"));
}

TEST_F(Apt, AnUpperRecipeCannotMoveALowerVersion) {
  add("base", {"libc6"});
  add("tools", {"libc6=2.36-9+deb12u1"});
  EXPECT_EQ(
      error_of<ManifestError>([&] { solve(); }),
      "error: m.yaml:2:10: recipe 'tools' asks for 'libc6=2.36-9+deb12u1', but a recipe below it "
      "has version '2.36-9+deb12u14'\nhint: ask for that version in the lowest recipe");
}

TEST_F(Apt, KeepsPinnedVersionsAlsoOfDependencies) {
  add("base", {"mailer"});
  problem_.pins = {{"libc6", "2.36-9+deb12u1"}, {"mailer", "0.9"}, {"zlib1g", "1:1.2.13.dfsg-1"}};
  EXPECT_THAT(debs(),
              ElementsAre("base: libc6 2.36-9+deb12u1 bookworm",
                          "base: libgcc-s1 12.2.0-14 bookworm", "base: mailer 1.0 bookworm"));
}

TEST_F(Apt, AnExactVersionIsTaken) {
  add("base", {"libc6=2.36-9+deb12u1"});
  EXPECT_THAT(debs(), ElementsAre("base: libc6 2.36-9+deb12u1 bookworm",
                                  "base: libgcc-s1 12.2.0-14 bookworm"));
}

TEST_F(Apt, UnknownNamesAndVersionsHaveTheirPlaceAndAGuess) {
  add("base", {"zlib1"});
  EXPECT_EQ(error_of<ManifestError>([&] { solve(); }),
            "error: m.yaml:2:10: suite 'bookworm' has no package 'zlib1'\n"
            "hint: did you mean 'zlib1g'?");
  recipes_.clear();
  add("base", {"python3.1."});  // a pattern for apt, a name for us
  EXPECT_THAT(error_of<ManifestError>([&] { solve(); }), HasSubstr("has no package 'python3.1.'"));
  recipes_.clear();
  add("base", {"libc6=1"});
  EXPECT_EQ(error_of<ManifestError>([&] { solve(); }),
            "error: m.yaml:2:10: suite 'bookworm' has no version '1' of 'libc6'\n"
            "  there is: 2.36-9+deb12u1, 2.36-9+deb12u14");
}

TEST_F(Apt, ASetWithoutSolutionPassesOnWhatAptSays) {
  add("base", {"newer-zlib"});
  // The rest of the line is apt's own wording.
  EXPECT_THAT(error_of<ManifestError>([&] { solve(); }),
              StartsWith("error: m.yaml:2:10: no set of packages satisfies recipe 'base'\n"
                         "  apt: The following packages have unmet dependencies:\n"
                         "       newer-zlib : Depends: zlib1g (>= 1:2) "));
}

TEST_F(Apt, AnotherPinnedKeyIsAnIntegrityError) {
  add("base", {"libc6"});
  std::get<DebianSpec>(recipes_[0].spec).keyring_fingerprints = {std::string(40, 'A')};
  EXPECT_THAT(error_of<IntegrityError>([&] { solve(); }),
              HasSubstr("InRelease of suite 'bookworm' is not signed by a pinned key"));
}

TEST_F(Apt, AKeyringWithoutTheKeyIsAnIntegrityError) {
  add("base", {"libc6"});
  TempDir other(fs::temp_directory_path(), "apt-test-");
  write_file(other.path() / "empty.gpg", "");
  setenv("IMGBUILD_KEYRING", (other.path() / "empty.gpg").c_str(), 1);
  EXPECT_THAT(error_of<IntegrityError>([&] { solve(); }),
              HasSubstr("error: the Debian mirror's signatures are not good\n  apt: "));
}

TEST_F(Apt, ChangedIndexesAreNotTaken) {
  add("base", {"libc6"});
  TempDir copy(fs::temp_directory_path(), "apt-test-");
  fs::copy(data_folder() / "archive", copy.path() / "archive", fs::copy_options::recursive);
  const fs::path packages =
      copy.path() / "archive/debian/dists/bookworm/main/binary-amd64/Packages";
  std::string text = read_file(packages);
  text[text.find("12.4")] = '9';
  write_file(packages, text);
  sources_.by_name["debian"] = {"file:" + (copy.path() / "archive/debian").string()};
  EXPECT_THAT(error_of<UnavailableError>([&] { solve(); }),
              HasSubstr("cannot read the Debian mirror's indexes"));
}

TEST_F(Apt, TheNextMirrorIsTriedWhenOneDoesNotAnswer) {
  add("base", {"libgcc-s1"});
  sources_.by_name["debian"].insert(sources_.by_name["debian"].begin(), "file:/nonexistent/debian");
  EXPECT_THAT(debs(), ElementsAre("base: libgcc-s1 12.2.0-14 bookworm"));
}

TEST(ArchiveKeyring, AMissingOneSaysWhatToInstall) {
  setenv("IMGBUILD_KEYRING", "/nonexistent/keyring.gpg", 1);
  EXPECT_EQ(error_of<UnavailableError>([] { archive_keyring(); }),
            "error: cannot find keyring '/nonexistent/keyring.gpg'\n"
            "hint: install it: apt-get install debian-archive-keyring");
  unsetenv("IMGBUILD_KEYRING");
}

TEST(PrintUris, NeedSha256AndSize) {
  const auto uris =
      parse_print_uris("Reading...\n'http://m.test/a%2bb.deb' a_1%3a2_amd64.deb 12 SHA256:ab\n");
  ASSERT_EQ(uris.size(), 1u);
  EXPECT_EQ(uris[0].file, "a_1%3a2_amd64.deb");
  EXPECT_EQ(uris[0].size, 12u);
  EXPECT_EQ(uris[0].sha256, "ab");
  EXPECT_EQ(error_of<IntegrityError>([] { parse_print_uris("'u' f 12 MD5Sum:ab\n"); }),
            "error: apt names a file without its SHA256: ''u' f 12 MD5Sum:ab'");
  EXPECT_EQ(error_of<IntegrityError>([] { parse_print_uris("'u' f x SHA256:ab\n"); }),
            "error: apt names a file without its size: ''u' f x SHA256:ab'");
}

}  // namespace
}  // namespace img
