// SPDX-License-Identifier: Apache-2.0
// Layers that try to write elsewhere: nothing outside of the folder ever changes.
#include "builder/base/error.h"
#include "builder/base/thread_pool.h"
#include "tests/support/raw_image.h"
#include "validators/runner/unpack_layer.h"

#include <gtest/gtest.h>

#include <atomic>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make tars of

/// A folder beside the tree with a file, a folder and everything about them written down.
class Canary {
 public:
  explicit Canary(fs::path folder) : folder_(std::move(folder)) {
    create_folders(folder_ / "sub");
    write_file(folder_ / "file", "alive");
    before_ = describe();
  }
  const fs::path& folder() const { return folder_; }
  void expect_untouched() const { EXPECT_EQ(describe(), before_); }

 private:
  std::string describe() const {
    std::string text;
    for (const fs::path& path : {folder_, folder_ / "file", folder_ / "sub"}) {
      struct stat info {};
      EXPECT_EQ(lstat(path.c_str(), &info), 0);
      text += std::to_string(info.st_mode) + " " + std::to_string(info.st_uid) + " " +
              std::to_string(info.st_nlink) + " " + std::to_string(info.st_size) + " " +
              std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) +
              " " + std::to_string(info.st_ctim.tv_sec) + "." +
              std::to_string(info.st_ctim.tv_nsec) + "\n";
    }
    for (const std::string& name : sorted_names(folder_)) text += name + " ";
    return text + read_file(folder_ / "file");
  }
  fs::path folder_;
  std::string before_;
};

struct Outcome {
  std::string error;  ///< empty: unpacked
};

class HostileLayerTest : public ::testing::TestWithParam<SafeFolder::Walk> {
 protected:
  HostileLayerTest()
      : dir_(fs::temp_directory_path(), "hostile-"), canary_(dir_.path() / "outside") {
    create_folders(tree());
  }
  fs::path tree() const { return dir_.path() / "tree"; }

  std::string unpack(const std::string& tar) {
    const SafeFolder target(tree(), GetParam());
    ViewSource source{as_bytes(tar)};
    std::string error;
    try {
      unpack_layer(source, {.target = target,
                            .name = "layer",
                            .diff_id = DiffId(Digest::of(tar)),
                            .packed_size = tar.size()});
    } catch (const InputError& problem) {
      error = problem.what();
    }
    canary_.expect_untouched();
    remove_tree(tree());
    canary_.expect_untouched();
    create_folders(tree());
    return error;
  }

  TempDir dir_;
  Canary canary_;
};

TEST_P(HostileLayerTest, NamesThatLeadOutAreRefused) {
  const std::string outside = canary_.folder().string();
  for (const std::string name :
       {"../outside/file", "a/../../outside/file", "../outside_sibling", "..", "a/..",
        "./../outside/x", "a//b", "a/./b", "/../outside/file"}) {
    EXPECT_EQ(unpack(tar_file(name, "evil") + tar_end()).substr(0, 7), "entry '") << name;
  }
  // An absolute name means a place in the image.
  EXPECT_EQ(unpack(tar_file(outside.substr(0, 90) + "/x", "evil") + tar_end()), "");
}

TEST_P(HostileLayerTest, OverlongAndMalformedNamesAreRefused) {
  const auto pax = [](const std::string& name) {
    return pax_block(pax_record("path", name)) + tar_file("x", "") + tar_end();
  };
  for (const std::string& name :
       {std::string(300, 'n'), std::string(5000, 'd'), std::string("a\0b", 3), std::string("a\xff"),
        std::string("a/") + std::string(4096, 'x'), std::string(65536, '/')}) {
    EXPECT_NE(unpack(pax(name)), "") << name.size();
  }
  EXPECT_EQ(unpack(pax("new\nline")), "");
}

TEST_P(HostileLayerTest, ThePlaceOfTheRootStaysAFolder) {
  for (const char type : {'0', '1', '2', '3', '4', '6'}) {
    for (const char* name : {".", "./", "/"}) {
      EXPECT_NE(unpack(tar_block({.name = name, .type = type, .link = "/etc"}) + tar_end()), "")
          << type << " " << name;
    }
  }
  EXPECT_EQ(unpack(tar_block({.name = "./", .type = '5'}) + tar_end()), "");
}

/// Every kind of entry below every kind of planted link.
TEST_P(HostileLayerTest, NothingIsWrittenThroughALinkOfTheLayer) {
  const std::string absolute = canary_.folder().string();
  const std::string chain = tar_link("one", "two") + tar_link("two", "../outside");
  struct Plant {
    std::string tar, name;
  };
  const std::vector<Plant> plants = {{tar_link("l", absolute), "l"},
                                     {tar_link("l", "../outside"), "l"},
                                     {tar_link("l", "./../outside/."), "l"},
                                     {tar_link("l", "/proc/self/cwd"), "l"},
                                     {tar_link("l", "/proc/self/root" + absolute), "l"},
                                     {chain, "one"},
                                     {tar_folder("d") + tar_link("d/l", "../../outside"), "d/l"}};
  for (const Plant& plant : plants) {
    const std::string below = plant.name + "/file", new_below = plant.name + "/new";
    const std::vector<std::string> attacks = {
        tar_file(below, "evil"),
        tar_file(new_below, "evil"),
        tar_folder(new_below),
        tar_folder(plant.name + "/sub"),
        tar_link(new_below, "x"),
        tar_file("x", "") + tar_hard_link(new_below, "x"),
        tar_block({.name = new_below, .type = '3'}),
        tar_block({.name = new_below, .type = '6'}),
        tar_file(plant.name + "/.wh.file", ""),
        tar_file(plant.name + "/.wh..wh..opq", ""),
        tar_hard_link("stolen", below),
        tar_file(plant.name, "evil"),  // in the link's own place
        tar_folder(plant.name),        // whose mode would be set through it
        tar_hard_link("again", plant.name),
        tar_file(plant.name + "/", ""),
    };
    for (const std::string& attack : attacks) {
      EXPECT_NE(unpack(plant.tar + attack + tar_end()), "") << plant.name;
    }
  }
}

TEST_P(HostileLayerTest, HardLinksLeadToEarlierFilesOfTheLayerOnly) {
  const std::string absolute = canary_.folder().string() + "/file";
  for (const std::string& target :
       {absolute, std::string("../outside/file"), std::string("absent"), std::string("later"),
        std::string("folder"), std::string("link"), std::string("self"), std::string("/"),
        std::string("")}) {
    EXPECT_NE(unpack(tar_folder("folder") + tar_link("link", absolute) +
                     tar_hard_link("self", target) + tar_file("later", "") + tar_end()),
              "")
        << target;
  }
  EXPECT_NE(unpack(tar_file("a", "") +
                   tar_block({.name = "b", .type = '1', .body = "data", .link = "a"}) + tar_end()),
            "");
}

TEST_P(HostileLayerTest, NoPathComesTwiceWhateverItIs) {
  const auto entry = [](char type) {
    return tar_block({.name = type == '5' ? "x/" : "x",
                      .type = type,
                      .link = type == '2'   ? "../outside/file"
                              : type == '1' ? "first"
                                            : ""});
  };
  for (const char first : {'0', '1', '2', '3', '5', '6'}) {
    for (const char second : {'0', '1', '2', '3', '5', '6'}) {
      EXPECT_NE(unpack(tar_file("first", "") + entry(first) + entry(second) + tar_end()), "")
          << first << second;
    }
  }
}

TEST_P(HostileLayerTest, SizesThatContradictEachOtherAreRefused) {
  const std::string inner = tar_file("smuggled", "evil");
  EXPECT_NE(unpack(pax_block(pax_record("size", std::to_string(inner.size()))) +
                   tar_block({.name = "outer", .size_field = "00000000000"}) + inner + tar_end()),
            "");
  EXPECT_NE(unpack(pax_block("999999 size=1\n") + tar_file("a", "") + tar_end()), "");
  EXPECT_NE(unpack(pax_block(pax_record("size", "-1")) + tar_file("a", "") + tar_end()), "");
  EXPECT_NE(
      unpack(pax_block(pax_record("size", "99999999999999999999")) + tar_file("a", "") + tar_end()),
      "");
  EXPECT_NE(unpack(pax_block(pax_record("path", "b"), 'g') + tar_file("a", "") + tar_end()), "");
  EXPECT_NE(unpack(tar_block({.name = "a", .size_field = std::string(12, '\xff')}) + tar_end()),
            "");
  EXPECT_NE(unpack(tar_block({.name = "a", .size_field = "77777777777"}) + tar_end()), "");
}

TEST_P(HostileLayerTest, WhiteoutsNameWhatIsInTheirFolder) {
  for (const char* name :
       {".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh...", ".wh..wh.x"}) {
    EXPECT_NE(unpack(tar_folder("d") + tar_file(name, "") + tar_end()), "") << name;
  }
  EXPECT_NE(unpack(tar_block({.name = ".wh..wh..opq/", .type = '5'}) + tar_end()), "");
  EXPECT_NE(unpack(tar_link(".wh..wh..opq", "../outside") + tar_end()), "");
  EXPECT_NE(unpack(tar_link(".wh.x", "../outside") + tar_end()), "");
  EXPECT_NE(unpack(tar_file(".wh.x/below", "") + tar_end()), "");
}

TEST_P(HostileLayerTest, ADeviceThatWouldBeAWhiteoutIsNotMade) {
  EXPECT_EQ(unpack(tar_block({.name = "etc", .type = '3'}) + tar_end()), "");
}

TEST_P(HostileLayerTest, LinkTextsAreNeitherEmptyNorEndless) {
  EXPECT_NE(unpack(tar_link("l", "") + tar_end()), "");
  EXPECT_EQ(unpack(pax_block(pax_record("linkpath", std::string(5000, 'x'))) + tar_link("l", "x") +
                   tar_end()),
            "entry 'l': has a link target of more than 4,095 bytes");
}

TEST_P(HostileLayerTest, WhatFollowsTheEndIsRefused) {
  EXPECT_NE(unpack(tar_file("a", "") + tar_end() + tar_file("../outside/file", "evil") + tar_end()),
            "");
  EXPECT_NE(unpack(tar_file("a", "")), "");
}

TEST_P(HostileLayerTest, DeepFoldersAreUnpackedAndRemoved) {
  std::string path = "d";
  std::string tar;
  for (int i = 0; i < 300; ++i) {
    tar += pax_block(pax_record("path", path + "/")) + tar_folder("x");
    path += "/d";
  }
  EXPECT_EQ(unpack(tar + tar_end()), "");
}

/// Somebody with access to the folder swaps folders for links to the outside while it is filled.
TEST_P(HostileLayerTest, ASwapOfFoldersMeanwhileLeadsNowhere) {
  std::string tar = tar_folder("good");
  for (int i = 0; i < 400; ++i) {
    tar +=
        tar_folder("good/" + std::to_string(i)) + tar_file("good/" + std::to_string(i) + "/f", "x");
  }
  tar += tar_end();
  std::atomic<bool> done{false};
  auto renamer = start_thread([&](const std::stop_token&) {
    const std::string evil = dir_.path() / "evil", good = tree() / "good";
    if (symlink("../outside", evil.c_str()) != 0) return;
    while (!done) renameat2(AT_FDCWD, evil.c_str(), AT_FDCWD, good.c_str(), RENAME_EXCHANGE);
  });
  for (int i = 0; i < 20; ++i) {
    try {
      const SafeFolder target(tree(), GetParam());
      ViewSource source{as_bytes(tar)};
      unpack_layer(source, {.target = target,
                            .name = "layer",
                            .diff_id = DiffId(Digest::of(tar)),
                            .packed_size = tar.size()});
    } catch (const SystemError&) {
      // What it meets is not what it made.
    }
    try {
      for (const std::string& name : sorted_names(tree())) remove_tree(tree() / name);
    } catch (const SystemError&) {
      // The same for who removes it.
    }
  }
  done = true;
  renamer.join();
  canary_.expect_untouched();
}

INSTANTIATE_TEST_SUITE_P(Walks, HostileLayerTest,
                         ::testing::Values(SafeFolder::Walk::kernel, SafeFolder::Walk::by_name),
                         [](const auto& walk) {
                           return walk.param == SafeFolder::Walk::kernel ? "kernel" : "by_name";
                         });

}  // namespace
}  // namespace img
