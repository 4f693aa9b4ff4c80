// SPDX-License-Identifier: Apache-2.0
// The rules of ld.so one by one, over facts made by hand.
#include "validators/image/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <elf.h>

namespace img {
namespace {

using ::testing::ElementsAre;

struct Library {
  std::string soname = "";
  std::vector<std::string> needed = {};
  std::string rpath = "", runpath = "";
  std::string interpreter = "";
  bool no_default_lib = false;
  bool is_64 = true;
  std::vector<std::string> version_definitions = {};
};

class LoaderTest : public ::testing::Test {
 protected:
  /// A Debian image whose libc is glibc 2.36, unless a test removes it.
  LoaderTest() {
    add("/lib/x86_64-linux-gnu/libc.so.6",
        {.soname = "libc.so.6", .version_definitions = {"GLIBC_2.2.5", "GLIBC_2.36"}});
  }

  void add_folders_of(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      facts_.files[path.substr(0, slash)].kind = FileKind::directory;
    }
  }
  void add(const std::string& path, const Library& library) {
    add_folders_of(path);
    facts_.files[path].kind = FileKind::file;
    ElfFacts elf;
    elf.machine = library.is_64 ? EM_X86_64 : EM_386;
    elf.is_64 = library.is_64;
    elf.has_dynamic = true;
    elf.soname = library.soname;
    elf.needed = library.needed;
    elf.rpath = library.rpath;
    elf.runpath = library.runpath;
    elf.interpreter = library.interpreter;
    elf.no_default_lib = library.no_default_lib;
    elf.version_definitions = library.version_definitions;
    facts_.elf[path] = elf;
  }
  void link(const std::string& path, const std::string& target) {
    add_folders_of(path);
    facts_.files[path].kind = FileKind::symlink;
    facts_.files[path].target = target;
  }

  /// "name → path (how)" of everything that loading `path` resolves, itself left out.
  std::vector<std::string> loaded(const std::string& path, const std::string& library_path = "") {
    LoaderSimulation process(facts_, library_path);
    process.load(path);
    std::vector<std::string> lines;
    for (std::size_t i = 1; i < process.resolutions().size(); ++i) {
      const ResolvedLibrary& library = process.resolutions()[i];
      lines.push_back(library.name + " → " + library.path + " (" + library.how + ")");
    }
    return lines;
  }

  ImageFacts facts_{.image = {.manifest_descriptor = {MediaType::manifest(), Digest::of(""), 0},
                              .manifest = {.config = {MediaType::config(), Digest::of(""), 0}}}};
};

TEST_F(LoaderTest, RpathComesBeforeLdLibraryPath) {
  add("/a/libx.so", {.needed = {"liby.so"}, .rpath = "$ORIGIN/sub"});
  add("/a/sub/liby.so", {});
  add("/env/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so", "/env"),
              ElementsAre("liby.so → /a/sub/liby.so (RPATH of '/a/libx.so')"));
}

TEST_F(LoaderTest, RunpathComesAfterLdLibraryPath) {
  add("/a/libx.so", {.needed = {"liby.so", "libz.so"}, .runpath = "/none:${ORIGIN}/sub"});
  add("/a/sub/liby.so", {});
  add("/a/sub/libz.so", {});
  add("/env/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so", "/empty:/env"),
              ElementsAre("liby.so → /env/liby.so (LD_LIBRARY_PATH)",
                          "libz.so → /a/sub/libz.so (RUNPATH of '/a/libx.so')"));
}

TEST_F(LoaderTest, RpathOfLoadersCountsUpTheChain) {
  add("/a/libx.so", {.needed = {"liby.so"}, .rpath = "/r"});
  add("/r/liby.so", {.needed = {"libz.so"}});
  add("/r/libz.so", {});
  EXPECT_THAT(loaded("/a/libx.so"), ElementsAre("liby.so → /r/liby.so (RPATH of '/a/libx.so')",
                                                "libz.so → /r/libz.so (RPATH of '/a/libx.so')"));
}

TEST_F(LoaderTest, RunpathIsForTheAskerOnlyAndSwitchesRpathsOff) {
  add("/a/libx.so", {.needed = {"liby.so"}, .runpath = "/r"});
  add("/r/liby.so", {.needed = {"libz.so"}});
  add("/r/libz.so", {});
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so → /r/liby.so (RUNPATH of '/a/libx.so')", "libz.so →  ()"));
  // An object with RUNPATH looks at no RPATH at all, not even that of its loader.
  add("/b/libx.so", {.needed = {"liby2.so"}, .rpath = "/r2"});
  add("/r2/liby2.so", {.needed = {"libz2.so"}, .rpath = "/r2", .runpath = "/none"});
  add("/r2/libz2.so", {});
  EXPECT_THAT(loaded("/b/libx.so"),
              ElementsAre("liby2.so → /r2/liby2.so (RPATH of '/b/libx.so')", "libz2.so →  ()"));
}

TEST_F(LoaderTest, RpathOfTheProgramServesTheWholeProcess) {
  add("/bin/app",
      {.needed = {"liby.so"}, .rpath = "/r", .interpreter = "/lib64/ld-linux-x86-64.so.2"});
  add("/r/liby.so", {});
  add("/r/libplug.so", {});
  LoaderSimulation process(facts_, "");
  process.load("/bin/app");
  process.load("/p/none.so");
  add("/p/libx.so", {});
  EXPECT_EQ(process.open("libplug.so", "/p/libx.so").how, "RPATH of '/bin/app'");
}

TEST_F(LoaderTest, SonamesThatAreLoadedAreNotLookedFor) {
  add("/a/libx.so", {.needed = {"liby.so"}, .runpath = "/r"});
  add("/r/liby.so", {.soname = "liby.so.9", .needed = {"liby.so.9", "libx.so"}});
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so → /r/liby.so (RUNPATH of '/a/libx.so')",
                          "liby.so.9 → /r/liby.so (already loaded)", "libx.so →  ()"));
}

TEST_F(LoaderTest, TheSameFileUnderAnotherNameIsOneObject) {
  add("/r/liby.so.1", {.needed = {"libc.so.6"}});
  link("/r/liby.so", "liby.so.1");
  add("/a/libx.so", {.needed = {"liby.so", "liby.so.1"}, .runpath = "/r"});
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so → /r/liby.so.1 (RUNPATH of '/a/libx.so')",
                          "liby.so.1 → /r/liby.so.1 (RUNPATH of '/a/libx.so')",
                          "libc.so.6 → /lib/x86_64-linux-gnu/libc.so.6 (default path)"));
}

TEST_F(LoaderTest, OriginIsTheFolderOfThePathAsItWasFound) {
  add("/real/libx.so", {.needed = {"liby.so"}, .runpath = "$ORIGIN"});
  add("/real/liby.so", {});
  link("/link/libx.so", "../real/libx.so");
  add("/link/liby.so", {});
  EXPECT_THAT(loaded("/link/libx.so"),
              ElementsAre("liby.so → /link/liby.so (RUNPATH of '/link/libx.so')"));
}

TEST_F(LoaderTest, OtherWordSizesArePassedOver) {
  add("/a/libx.so", {.needed = {"liby.so"}, .runpath = "/r32:/r64"});
  add("/r32/liby.so", {.is_64 = false});
  add("/r64/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so → /r64/liby.so (RUNPATH of '/a/libx.so')"));
}

TEST_F(LoaderTest, WhatIsNoElfFileEndsTheSearch) {
  add("/a/libx.so", {.needed = {"liby.so"}, .runpath = "/r:/r64"});
  add("/r/liby.so", {});
  facts_.elf.erase("/r/liby.so");
  add("/r64/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so →  (RUNPATH of '/a/libx.so': '/r/liby.so' is no ELF file)"));
}

TEST_F(LoaderTest, FoldersForNewerProcessorsComeFirst) {
  add("/a/libx.so", {.needed = {"liby.so", "libz.so"}, .runpath = "/r"});
  for (const char* path :
       {"/r/liby.so", "/r/haswell/liby.so", "/r/glibc-hwcaps/x86-64-v2/liby.so",
        "/r/glibc-hwcaps/x86-64-v4/liby.so", "/r/libz.so", "/r/haswell/libz.so"}) {
    add(path, {});
  }
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so → /r/glibc-hwcaps/x86-64-v2/liby.so (RUNPATH of '/a/libx.so')",
                          "libz.so → /r/haswell/libz.so (RUNPATH of '/a/libx.so')"));
  // glibc 2.37 has forgotten the older names.
  facts_.elf["/lib/x86_64-linux-gnu/libc.so.6"].version_definitions = {"GLIBC_2.38"};
  EXPECT_EQ(loaded("/a/libx.so")[1], "libz.so → /r/libz.so (RUNPATH of '/a/libx.so')");
}

TEST_F(LoaderTest, DefaultFoldersAreThoseOfTheDistribution) {
  add("/a/libx.so", {.needed = {"liby.so"}});
  add("/usr/lib64/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so"), ElementsAre("liby.so →  ()"));
  facts_.files.erase("/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_THAT(loaded("/a/libx.so"), ElementsAre("liby.so → /usr/lib64/liby.so (default path)"));
}

TEST_F(LoaderTest, NoDefaultLibSwitchesDefaultFoldersOff) {
  add("/a/libx.so", {.needed = {"liby.so"}, .no_default_lib = true});
  add("/usr/lib/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so"), ElementsAre("liby.so →  ()"));
}

TEST_F(LoaderTest, NamesWithASlashArePaths) {
  facts_.image.config.working_dir = "/job";
  add("/a/libx.so", {.needed = {"$ORIGIN/sub/liby.so", "rel/libz.so"}});
  add("/a/sub/liby.so", {});
  add("/job/rel/libz.so", {});
  EXPECT_THAT(loaded("/a/libx.so"), ElementsAre("$ORIGIN/sub/liby.so → /a/sub/liby.so (path)",
                                                "rel/libz.so → /job/rel/libz.so (path)"));
}

TEST_F(LoaderTest, EmptyPartsOfLdLibraryPathAreTheWorkingFolder) {
  facts_.image.config.working_dir = "/job";
  add("/a/libx.so", {.needed = {"liby.so"}});
  add("/job/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so", "/none:"),
              ElementsAre("liby.so → /job/liby.so (LD_LIBRARY_PATH)"));
  EXPECT_THAT(loaded("/a/libx.so", ""), ElementsAre("liby.so →  ()"));
}

TEST_F(LoaderTest, LibIsTheFolderOfTheDistribution) {
  add("/a/libx.so", {.needed = {"liby.so"}, .runpath = "/opt/$LIB"});
  add("/opt/lib/x86_64-linux-gnu/liby.so", {});
  EXPECT_THAT(loaded("/a/libx.so"),
              ElementsAre("liby.so → /opt/lib/x86_64-linux-gnu/liby.so (RUNPATH of '/a/libx.so')"));
}

TEST_F(LoaderTest, OpenLoadsItsCallerFirst) {
  add("/a/libx.so", {.needed = {"libc.so.6"}, .runpath = "$ORIGIN"});
  add("/a/libplug.so", {.needed = {"libmissing.so"}});
  LoaderSimulation process(facts_, "");
  const ResolvedLibrary plug = process.open("libplug.so", "/a/libx.so");
  EXPECT_EQ(plug.path, "/a/libplug.so");
  EXPECT_EQ(plug.asker, "/a/libx.so");
  EXPECT_EQ(process.open("libplug.so", "/a/libx.so").how, "already loaded");
  EXPECT_EQ(process.open("libnone.so", "/a/libx.so").path, "");
  std::vector<std::string> names;
  for (const ResolvedLibrary& library : process.resolutions()) names.push_back(library.name);
  EXPECT_THAT(names, ElementsAre("/a/libx.so", "libc.so.6", "libplug.so", "libmissing.so",
                                 "libplug.so", "libnone.so"));
}

TEST_F(LoaderTest, CirclesOfNeedsEnd) {
  add("/a/libx.so", {.soname = "libx.so", .needed = {"liby.so"}, .runpath = "$ORIGIN"});
  add("/a/liby.so", {.soname = "liby.so", .needed = {"libx.so"}, .runpath = "$ORIGIN"});
  EXPECT_THAT(loaded("/a/libx.so"), ElementsAre("liby.so → /a/liby.so (RUNPATH of '/a/libx.so')",
                                                "libx.so → /a/libx.so (already loaded)"));
}

}  // namespace
}  // namespace img
