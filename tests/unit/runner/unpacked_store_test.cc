// SPDX-License-Identifier: Apache-2.0
// Each layer is unpacked once, whole or not at all.
#include "validators/runner/unpacked_store.h"

#include "builder/base/error.h"
#include "builder/base/thread_pool.h"
#include "tests/support/raw_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make tars of

/// Owns its bytes.
class TextSource final : public Source {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)), view_(as_bytes(text_)) {}
  std::size_t read(ByteSpan buffer) override { return view_.read(buffer); }

 private:
  std::string text_;
  ViewSource view_;
};

class UnpackedStoreTest : public ::testing::Test {
 protected:
  UnpackedStoreTest() : dir_(fs::temp_directory_path(), "unpacked-") {}

  LayerSource source(const std::string& tar) {
    return {.name = "sha256:layer",
            .diff_id = DiffId(Digest::of(tar)),
            .packed_size = tar.size(),
            .open = [this, tar]() -> std::unique_ptr<Source> {
              ++opened_;
              return std::make_unique<TextSource>(tar);
            }};
  }
  fs::path unpacked() const { return dir_.path() / "unpacked"; }
  fs::path folder_of(const std::string& tar) const {
    return unpacked() / (std::string(Digest::of(tar).hex()) + "-flat");
  }
  UnpackedStore store() const { return UnpackedStore(dir_.path(), Owners::ours); }
  /// Names in the folder but the locks.
  std::vector<std::string> contents() const {
    std::vector<std::string> names = sorted_names(unpacked());
    std::erase_if(names, [](const std::string& n) { return n == "locks" || n == "users.lock"; });
    return names;
  }

  TempDir dir_;
  std::atomic<int> opened_ = 0;
  const std::string tar_ = tar_folder("a") + tar_file("a/f", "hello") +
                           tar_block({.name = "p", .type = '6'}) + tar_file("b/implied", "") +
                           tar_end();
};

TEST_F(UnpackedStoreTest, UnpacksALayerOnceAndRemembersItsFacts) {
  UnpackedStore first = store();
  const UnpackedLayer made = first.get(source(tar_));
  UnpackedStore second = store();
  const UnpackedLayer found = second.get(source(tar_));
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(made.tree, folder_of(tar_) / "tree");
  EXPECT_EQ(found.tree, made.tree);
  EXPECT_EQ(read_file(found.tree / "a/f"), "hello");
  EXPECT_EQ(found.facts.implied, std::set<std::string>{"b"});
  EXPECT_EQ(found.facts.not_made, std::vector<std::string>{"'p' is a fifo"});
  EXPECT_EQ(found.facts.not_made_count, 1u);
  EXPECT_EQ(found.facts.bytes, 5u);
  EXPECT_EQ(found.facts.entries, 4u);
  EXPECT_FALSE(found.facts.hides_everything_below);
}

TEST_F(UnpackedStoreTest, LayersWithOwnersAndWithoutAreTwo) {
  store().get(source(tar_));
  if (geteuid() != 0) GTEST_SKIP() << "only root can keep owners";
  UnpackedStore kept(dir_.path(), Owners::kept);
  EXPECT_EQ(kept.get(source(tar_)).tree, unpacked() / std::string(Digest::of(tar_).hex()) / "tree");
  EXPECT_EQ(opened_, 2);
}

TEST_F(UnpackedStoreTest, AFailureLeavesNothing) {
  UnpackedStore unpacked = store();
  const std::string bad =
      tar_file("a", std::string(3 << 20, 'x')) + tar_file("../b", "") + tar_end();
  EXPECT_THROW(unpacked.get(source(bad)), InputError);
  EXPECT_TRUE(contents().empty());
  LayerSource lying = source(tar_);
  lying.diff_id = DiffId(Digest::of("other"));
  EXPECT_THROW(unpacked.get(lying), IntegrityError);
  EXPECT_TRUE(contents().empty());
}

TEST_F(UnpackedStoreTest, AnotherDigestAlgorithmIsRefusedBeforeItIsAName) {
  LayerSource layer = source(tar_);
  layer.diff_id = DiffId(Digest::parse("sha512:" + std::string(128, 'a')));
  UnpackedStore unpacked = store();
  EXPECT_THROW(unpacked.get(layer), InputError);
  EXPECT_EQ(opened_, 0);
}

TEST_F(UnpackedStoreTest, DamagedAndForeignRecordsAreMadeAnew) {
  UnpackedStore unpacked = store();
  unpacked.get(source(tar_));
  const fs::path record = folder_of(tar_) / "layer.json";
  const std::string good = read_file(record);
  for (const std::string& bad :
       {std::string(), std::string("{"), good.substr(0, 40),
        std::string(good).replace(good.find("\"version\": 1"), 12, "\"version\": 2")}) {
    write_file(record, bad);
    opened_ = 0;
    EXPECT_EQ(unpacked.get(source(tar_)).facts.bytes, 5u);
    EXPECT_EQ(opened_, 1);
  }
}

TEST_F(UnpackedStoreTest, ALayerOfAnEarlierBootCountsOnlyWhenItWasSynced) {
  UnpackedStore unpacked = store();
  unpacked.get(source(tar_));
  const fs::path record = folder_of(tar_) / "layer.json";
  const auto date_back = [&] {
    Json json = parse_json(read_file(record), "record");
    json["boot"] = "another";
    write_file(record, pretty_json(json));
  };
  date_back();
  opened_ = 0;
  unpacked.get(source(tar_));
  EXPECT_EQ(opened_, 1) << "it may have lost bytes";
  // Old enough to be on the disk: synced, and from then on good for ever.
  const timespec past[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, record.c_str(), past, 0), 0);
  unpacked.get(source(tar_));
  EXPECT_TRUE(fs::exists(folder_of(tar_) / "synced"));
  date_back();
  unpacked.get(source(tar_));
  EXPECT_EQ(opened_, 1);
}

TEST_F(UnpackedStoreTest, ManyThreadsGetOneLayer) {
  UnpackedStore unpacked = store();
  std::vector<std::function<void()>> jobs(8, [&] { unpacked.get(source(tar_)); });
  run_parallel(jobs, 8);
  EXPECT_EQ(opened_, 1);
}

/// Two processes at once, many times: one unpacks, the other waits and finds it.
TEST_F(UnpackedStoreTest, ManyProcessesGetOneLayer) {
  std::vector<pid_t> children;
  const fs::path log = dir_.path() / "opened";
  for (int i = 0; i < 6; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      try {
        UnpackedStore own = store();
        own.get(source(tar_));
        if (opened_ > 0) write_file(log.string() + std::to_string(i), "");
        _exit(read_file(folder_of(tar_) / "tree/a/f") == "hello" ? 0 : 1);
      } catch (...) {
        _exit(2);
      }
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto names = sorted_names(dir_.path());
  EXPECT_EQ(std::count_if(names.begin(), names.end(),
                          [](const auto& n) { return n.starts_with("opened"); }),
            1);
}

/// Killed at whatever moment, nothing wrong is under a layer's name, and the next one succeeds.
TEST_F(UnpackedStoreTest, AKillAtAnyMomentLeavesNothingWrong) {
  std::string tar;
  for (int i = 0; i < 300; ++i) tar += tar_file("f" + std::to_string(i), std::string(20'000, 'x'));
  tar += tar_end();
  int killed = 0;
  for (useconds_t delay = 0; delay < 60'000; delay += 1'500) {
    remove_tree(unpacked() / (std::string(Digest::of(tar).hex()) + "-flat"));
    const pid_t pid = fork();
    if (pid == 0) {
      try {
        store().get(source(tar));
      } catch (...) {
      }
      _exit(0);
    }
    usleep(delay);
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    if (fs::exists(folder_of(tar))) {
      EXPECT_EQ(sorted_names(folder_of(tar) / "tree").size(), 300u);
      EXPECT_TRUE(fs::exists(folder_of(tar) / "layer.json"));
    }
  }
  EXPECT_GT(killed, 0);
  UnpackedStore unpacked_store = store();
  EXPECT_EQ(sorted_names(unpacked_store.get(source(tar)).tree).size(), 300u);
  EXPECT_EQ(contents(), std::vector<std::string>{folder_of(tar).filename().string()});
}

TEST_F(UnpackedStoreTest, LeftoversOfTheDeadAreRemovedAndOthersAreNot) {
  { const UnpackedStore made = store(); }
  const std::string dead = std::string(64, 'a') + "-flat", busy = std::string(64, 'b') + "-flat";
  create_folders(unpacked() / (dead + ".tmp/tree"));
  create_folders(unpacked() / (busy + ".tmp/tree"));
  create_folders(unpacked() / "mine.tmp");
  const FileLock lock(unpacked() / "locks" / (busy + ".lock"), FileLock::Mode::exclusive);
  const UnpackedStore next = store();
  EXPECT_EQ(contents(), (std::vector<std::string>{busy + ".tmp", "mine.tmp"}));
}

TEST_F(UnpackedStoreTest, ListsAndClears) {
  EXPECT_TRUE(list_unpacked(dir_.path()).empty());
  EXPECT_TRUE(clear_unpacked(dir_.path()).empty());
  { store().get(source(tar_)); }
  const auto list = list_unpacked(dir_.path());
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].name, folder_of(tar_).filename().string());
  EXPECT_EQ(list[0].bytes, 5u);
  EXPECT_EQ(clear_unpacked(dir_.path()).size(), 1u);
  EXPECT_EQ(sorted_names(unpacked()), std::vector<std::string>{"users.lock"});
  EXPECT_EQ(store().get(source(tar_)).facts.bytes, 5u);
}

TEST_F(UnpackedStoreTest, WhatIsInUseIsNotCleared) {
  UnpackedStore user = store();
  user.get(source(tar_));
  try {
    clear_unpacked(dir_.path());
    FAIL();
  } catch (const UnavailableError& error) {
    EXPECT_EQ(error.render(), "error: unpacked layers in '" + unpacked().string() +
                                  "' are in use\nhint: try again when no other 'imgcheck' runs");
  }
  EXPECT_TRUE(fs::exists(folder_of(tar_)));
}

TEST_F(UnpackedStoreTest, AStoreThatCannotBeMadeIsUnavailable) {
  write_file(dir_.path() / "file", "");
  try {
    UnpackedStore broken(dir_.path() / "file", Owners::ours);
    FAIL();
  } catch (const UnavailableError& error) {
    const std::string folder = (dir_.path() / "file/unpacked").string();
    EXPECT_EQ(error.text().message.substr(0, folder.size() + 26),
              "cannot unpack layers in '" + folder + "'");
    EXPECT_EQ(error.text().hint, "name a cache folder that you may write to: --cache-dir");
  }
}

}  // namespace
}  // namespace img
