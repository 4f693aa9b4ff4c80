// SPDX-License-Identifier: Apache-2.0
// Addresses by name: who may say what, in which order, and what pip and apt answer.
#include "builder/fetch/sources.h"

#include "builder/fetch/machine_sources.h"
#include "tests/unit/fetch/fetch_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;
using test::put_file;
using test::Scratch;
using test::with;
using testing::ElementsAre;
using testing::IsEmpty;

/// Nothing of this machine's environment.
struct SourcesTest : testing::Test {
  Scratch scratch;
  std::map<std::string, std::string> before;
  void SetUp() override {
    set("XDG_CONFIG_HOME", scratch.path.string());
    set("IMGBUILD_SOURCES", "");
  }
  void TearDown() override {
    for (const auto& [name, value] : before) setenv(name.c_str(), value.c_str(), 1);
  }
  void set(const char* name, const std::string& value) {
    const char* old = getenv(name);
    before.emplace(name, old != nullptr ? old : "");
    setenv(name, value.c_str(), 1);
  }
};

TEST_F(SourcesTest, FlagsWinOverTheEnvironmentOverTheFile) {
  put_file(scratch / "imgbuild/sources.yaml",
           "pypi: https://file.test/simple\n"
           "debian: [http://file.test/debian/, \"file:///srv/debian\"]\n"
           "extra: https://file.test/extra\n");
  set("IMGBUILD_SOURCES", " debian=http://env.test/debian  pypi=http://env.test/simple/ ");
  const Sources sources = load_sources(
      {.flags = {"pypi=https://a.test/simple/", "pypi=https://b.test/simple", "folder=x/../y"}});
  EXPECT_THAT(sources.of("pypi"), ElementsAre("https://a.test/simple", "https://b.test/simple"));
  EXPECT_THAT(sources.of("debian"), ElementsAre("http://env.test/debian"));
  EXPECT_THAT(sources.of("extra"), ElementsAre("https://file.test/extra"));
  EXPECT_THAT(sources.folders(), ElementsAre((fs::current_path() / "y").string()));
  EXPECT_FALSE(sources.offline);
}

TEST_F(SourcesTest, TheFileMayListSeveral) {
  put_file(scratch / "imgbuild/sources.yaml",
           "debian: [http://file.test/debian/, \"file:///srv/debian\"]\nfolder: /srv/files\n");
  const Sources sources = load_sources({});
  EXPECT_THAT(sources.of("debian"), ElementsAre("http://file.test/debian", "file:///srv/debian"));
  EXPECT_THAT(sources.folders(), ElementsAre("/srv/files"));
}

TEST_F(SourcesTest, UnknownNamesSayHowToNameThem) {
  EXPECT_EQ(error_of<UnavailableError>([] { load_sources({}).of("corp"); }),
            "error: no address is known for source 'corp'\nhint: name it: --source corp=URL");
  EXPECT_EQ(error_of<UnavailableError>([] { load_sources({.offline = true}).of("pypi"); }),
            "error: no address is known for source 'pypi'\nhint: name it: --source pypi=URL");
}

TEST_F(SourcesTest, WrongFlagsAreUsageErrorsThatKeepSecrets) {
  const std::string hint = "\nhint: write e.g. pypi=URL or folder=DIR";
  const std::pair<const char*, const char*> cases[] = {
      {"https://u:secret@a.test/simple", "'https://a.test/simple' is no NAME=URL"},
      {"PyPI=https://a.test", "'PyPI' is no name of a source"},
      {"pypi=", "source 'pypi' has an empty address"},
      {"pypi=ftp://u:secret@a.test/x", "'ftp://a.test/x' is no http, https or file address"},
      {"pypi=a.test/simple", "'a.test/simple' is no http, https or file address"},
  };
  for (const auto& [flag, problem] : cases) {
    EXPECT_EQ(error_of<UsageError>([flag = flag] { load_sources({.flags = {flag}}); }),
              std::string("error: --source: ") + problem + hint);
  }
  set("IMGBUILD_SOURCES", "x");
  EXPECT_EQ(error_of<UsageError>([] { load_sources({}); }),
            "error: IMGBUILD_SOURCES: 'x' is no NAME=URL" + hint);
}

TEST_F(SourcesTest, AWrongFileIsAManifestErrorThatKeepsSecrets) {
  put_file(scratch / "imgbuild/sources.yaml", "pypi: ftp://u:secret@a.test/x\n");
  EXPECT_EQ(with(error_of<ManifestError>([] { load_sources({}); }), scratch.path.string(), "DIR"),
            "error: DIR/imgbuild/sources.yaml:1:7: 'ftp://a.test/x' is no http, https or file "
            "address");
}

TEST_F(SourcesTest, PipsIndexComesFromItsEnvironmentFirst) {
  set("PIP_INDEX_URL", "");
  set("UV_DEFAULT_INDEX", "https://uv.test/simple");
  EXPECT_THAT(load_sources({}).of("pypi"), ElementsAre("https://uv.test/simple"));
  set("PIP_INDEX_URL", "https://pip.test/simple/");
  EXPECT_THAT(load_sources({}).of("pypi"), ElementsAre("https://pip.test/simple"));
}

TEST_F(SourcesTest, PipIsAskedWithTheChosenInterpreter) {
  for (const char* name : {"PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}) set(name, "");
  const fs::path python = scratch / "python";
  put_file(python,
           "#!/bin/sh\n[ \"$2\" = pip ] && exit 0\n"
           "[ \"$1\" = -c ] && echo https://built-in.test/simple\n");
  fs::permissions(python, fs::perms::owner_all);
  set("IMGBUILD_PYTHON", python.string());
  EXPECT_THAT(load_sources({}).of("pypi"), ElementsAre("https://built-in.test/simple"));
  put_file(python, "#!/bin/sh\necho \"global.index-url='https://config.test/simple/'\"\n");
  EXPECT_THAT(load_sources({}).of("pypi"), ElementsAre("https://config.test/simple"));
}

TEST(PipConfig, InstallsIndexWins) {
  EXPECT_EQ(index_of_pip_config("global.cert='/x'\nglobal.index-url='https://a.test/s'\n"),
            "https://a.test/s");
  EXPECT_EQ(index_of_pip_config(
                "install.index-url='https://b.test/s'\nglobal.index-url='https://a.test/s'\n"),
            "https://b.test/s");
  EXPECT_EQ(index_of_pip_config(""), std::nullopt);
  EXPECT_EQ(index_of_pip_config("global.extra-index-url='https://a.test/s'\n"), std::nullopt);
  EXPECT_EQ(index_of_pip_config("global.index-url='\n"), std::nullopt);
}

TEST(IndexTargets, AreSortedByArchive) {
  const AptRoots roots = roots_of_index_targets(
      "http://b.test/debian/\tbookworm\tmain\tDebian\n"
      "http://a.test/debian/\tbookworm-updates\tmain\tDebian\n"
      "http://b.test/debian/\tbookworm-updates\tmain\tDebian\n"
      "http://s.test/security/\tbookworm-security\tmain\tDebian\n"
      "http://other.test/\tbookworm\tmain\tSomebody\n"
      "http://never-updated.test/debian\tbookworm\tmain\t\n"
      "http://third.test/\tnodistro\tmain\t\n"
      "http://fourth.test/\tbookworm\tstable\t\n"
      "cdrom:[Debian]/\tbookworm\tmain\tDebian\n"
      "file:///srv/debian\tbookworm\tmain\tDebian\n",
      "bookworm");
  EXPECT_THAT(roots.debian, ElementsAre("http://b.test/debian", "http://a.test/debian",
                                        "http://never-updated.test/debian", "file:///srv/debian"));
  EXPECT_THAT(roots.security, ElementsAre("http://s.test/security"));
}

TEST(IndexTargets, MirrorListsAreReadInOrder) {
  const Scratch scratch;
  put_file(scratch / "list",
           "# mirrors\nhttp://b.test/debian\tpriority:1\n\nhttps://a.test/debian/\n");
  const AptRoots roots = roots_of_index_targets(
      "mirror+file:" + (scratch / "list").string() + "\tbookworm\tmain\tDebian\n", "bookworm");
  EXPECT_THAT(roots.debian, ElementsAre("http://b.test/debian", "https://a.test/debian"));
}

TEST(AptFolder, BothFormsAreRead) {
  const Scratch scratch;
  put_file(scratch / "sources.list",
           "# deb http://commented.test/debian bookworm main\n"
           "deb [arch=amd64 signed-by=/x] http://one.test/debian bookworm main # note\n"
           "deb-src http://source.test/debian bookworm main\n"
           "deb http://other.test/tool stable main\n"
           "deb http://third.test/tool nodistro main\n");
  put_file(scratch / "sources.list.d/b.sources",
           "Types: deb deb-src\nURIs: http://two.test/debian\n http://three.test/debian\n"
           "Suites: bookworm bookworm-updates\nComponents: main\n\n# note\n\n"
           "Types: deb\nURIs: http://sec.test/debian-security\nSuites: "
           "bookworm-security\nComponents: main\n\n"
           "Types: deb\nURIs: http://off.test/debian\nSuites: bookworm\nComponents: main\nEnabled: "
           "no\n");
  put_file(scratch / "sources.list.d/a.disabled", "deb http://off.test/debian bookworm main\n");
  const AptRoots roots = roots_of_apt_folder(scratch.path, "bookworm");
  EXPECT_THAT(roots.debian, ElementsAre("http://one.test/debian", "http://two.test/debian",
                                        "http://three.test/debian"));
  EXPECT_THAT(roots.security, ElementsAre("http://sec.test/debian-security"));
  EXPECT_THAT(roots_of_apt_folder(scratch / "none", "bookworm").debian, IsEmpty());
}

}  // namespace
}  // namespace img
