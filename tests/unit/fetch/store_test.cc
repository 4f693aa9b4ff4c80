// SPDX-License-Identifier: Apache-2.0
// The store keeps its promises: complete, verified, noticed when changed, shared, collected.
#include "builder/fetch/store.h"

#include "tests/unit/fetch/fetch_world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

using test::blob_text;
using test::error_of;
using test::put_blob;
using test::put_file;
using test::ReadOnlyFolder;
using test::Scratch;
using test::with;

struct StoreTest : testing::Test {
  Scratch scratch;
  fs::path root = scratch / "cache";

  std::vector<std::string> names(const std::string& folder) { return sorted_names(root / folder); }
  /// A blob whose stamp vouches for bytes that are not what its name says: whoever believes the
  /// stamp finds it good, whoever hashes it finds it bad.
  Digest put_wrong_blob(Store& store) {
    const Digest digest = Digest::of("right");
    const auto writer = store.writer();
    writer->write(as_bytes("wrong"));
    writer->commit(digest);
    return digest;
  }
};

struct timespec mtime_of(const fs::path& path) {
  struct stat info {};
  lstat(path.c_str(), &info);
  return info.st_mtim;
}

/// Writes over the start of a file, whatever its mode.
void overwrite(const fs::path& path, const std::string& text) {
  ::chmod(path.c_str(), 0644);
  const Fd fd = Fd::open(path, O_WRONLY);
  ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::chmod(path.c_str(), 0444);
}

void set_mtime(const fs::path& path, struct timespec time) {
  const struct timespec times[2] = {{0, UTIME_OMIT}, time};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

TEST_F(StoreTest, ABlobIsVisibleWholeReadOnlyAndStamped) {
  Store store(root);
  const Digest digest = put_blob(store, "hello");
  EXPECT_TRUE(store.contains(digest));
  EXPECT_EQ(store.size(digest), 5u);
  EXPECT_EQ(blob_text(store, digest), "hello");
  struct stat info {};
  ASSERT_EQ(stat(store.blob_path(digest).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0444u);
  EXPECT_LT(info.st_mtim.tv_sec, info.st_ctim.tv_sec);  // so that any later write moves it
  EXPECT_EQ(names("verified"), std::vector<std::string>{std::string(digest.hex())});
  EXPECT_FALSE(store.contains(Digest::of("other")));
}

TEST_F(StoreTest, AWriterWithoutCommitLeavesNothing) {
  Store store(root);
  { store.writer()->write(as_bytes("half")); }
  EXPECT_TRUE(store.list().empty());
  EXPECT_TRUE(names("blobs/sha256").empty());
}

TEST_F(StoreTest, ABlobThatIsThereIsKept) {
  Store store(root);
  const Digest digest = put_blob(store, "hello");
  struct stat before {};
  struct stat after {};
  stat(store.blob_path(digest).c_str(), &before);
  put_blob(store, "hello");
  put_file(scratch / "again", "hello");
  store.adopt(scratch / "again", digest);
  stat(store.blob_path(digest).c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_FALSE(fs::exists(scratch / "again"));
}

TEST_F(StoreTest, AdoptsAFileByRenaming) {
  Store store(root);
  put_file(scratch / "file", "hello");
  const Digest digest = Digest::of("hello");
  store.adopt(scratch / "file", digest);
  EXPECT_FALSE(fs::exists(scratch / "file"));
  EXPECT_EQ(blob_text(store, digest), "hello");
}

// ---- knowing that a blob is good

TEST_F(StoreTest, AnUnchangedBlobIsNotHashedAgain) {
  Digest digest = Digest::of("");
  {
    Store store(root);
    digest = put_wrong_blob(store);
  }
  EXPECT_TRUE(Store(root).contains(digest));
}

TEST_F(StoreTest, AnEditIsNoticedHoweverSoonAndSetAside) {
  Store store(root);
  const Digest digest = put_blob(store, "hello");
  overwrite(store.blob_path(digest), "HELLO");  // same size, same tick of the clock
  EXPECT_FALSE(store.contains(digest));
  EXPECT_EQ(read_file(store.blob_path(digest).string() + ".bad"), "HELLO");
  EXPECT_FALSE(fs::exists(store.blob_path(digest)));
  put_blob(store, "hello");
  EXPECT_EQ(blob_text(store, digest), "hello");
}

TEST_F(StoreTest, AnEditWithItsDateSetBackIsNoticed) {
  Store store(root);
  const Digest digest = put_blob(store, "hello");
  const struct timespec before = mtime_of(store.blob_path(digest));
  overwrite(store.blob_path(digest), "HELLO");
  set_mtime(store.blob_path(digest), before);
  EXPECT_FALSE(store.contains(digest));
}

TEST_F(StoreTest, OpeningAChangedBlobSaysWhatChanged) {
  Store store(root);
  const Digest digest = put_blob(store, "hello");
  overwrite(store.blob_path(digest), "HELLO");
  EXPECT_EQ(with(error_of<IntegrityError>([&] { store.open(digest); }), root.string(), "ROOT"),
            "error: a blob of the cache 'ROOT' has changed since it was verified\n"
            "  expected: " +
                digest.str() +
                "\n"
                "  got:      " +
                Digest::of("HELLO").str() +
                "\n"
                "hint: run the command again: the blob is set aside and will be replaced");
  EXPECT_EQ(with(error_of<UnavailableError>([&] { store.open(digest); }), root.string(), "ROOT"),
            "error: blob '" + digest.str() + "' is not in the cache 'ROOT'");
}

TEST_F(StoreTest, ABlobWithoutAUsableStampIsHashedOnce) {
  Store store(root);
  const Digest good = put_blob(store, "hello");
  const Digest wrong = put_wrong_blob(store);
  for (const char* stamp : {"", "v1 1 2", "v0 1 2 3 4 5 6 7\n", "v1 1 2 3 4 5 6 x\n"}) {
    put_file(root / "verified" / good.hex(), stamp);
    EXPECT_TRUE(Store(root).contains(good)) << stamp;
    EXPECT_NE(read_file(root / "verified" / good.hex()), stamp);
  }
  fs::remove(root / "verified" / wrong.hex());
  EXPECT_FALSE(Store(root).contains(wrong));
}

TEST_F(StoreTest, WhateverElseStandsInABlobsPlaceIsSetAside) {
  Store store(root);
  const Digest digest = Digest::of("hello");
  const fs::path path = store.blob_path(digest);
  put_file(scratch / "elsewhere", "hello");
  const std::function<void()> intruders[] = {
      [&] { fs::create_symlink(scratch / "elsewhere", path); },
      [&] { ASSERT_EQ(mkfifo(path.c_str(), 0644), 0); },
      [&] { fs::create_directories(path / "sub"); },
      [&] { put_file(path, ""); },
      [&] { put_file(path, "hell"); },
      [&] { put_file(path, "hello!"); },
  };
  for (const auto& intrude : intruders) {
    intrude();
    EXPECT_FALSE(store.contains(digest));
    EXPECT_FALSE(fs::exists(fs::symlink_status(path)));
    EXPECT_TRUE(fs::exists(fs::symlink_status(path.string() + ".bad")));
  }
  EXPECT_EQ(read_file(scratch / "elsewhere"), "hello");
  put_blob(store, "hello");
  EXPECT_TRUE(store.contains(digest));
}

TEST_F(StoreTest, HardLinksMadeAndRemovedDoNotCostAHash) {
  Store store(root);
  const Digest wrong = put_wrong_blob(store);
  fs::create_hard_link(store.blob_path(wrong), scratch / "layout");
  EXPECT_TRUE(store.contains(wrong));
  EXPECT_TRUE(Store(root).contains(wrong));  // the new stamp was written
  fs::remove(scratch / "layout");
  EXPECT_TRUE(Store(root).contains(wrong));
}

TEST_F(StoreTest, AnEditThroughAHardLinkIsNoticed) {
  Store store(root);
  const Digest digest = put_blob(store, "hello");
  store.link_to(digest, scratch / "layout");
  const struct timespec before = mtime_of(scratch / "layout");
  overwrite(scratch / "layout", "HELLO");
  set_mtime(scratch / "layout", before);
  EXPECT_FALSE(store.contains(digest));
}

TEST_F(StoreTest, VerifyHashesEverythingAndKeepsWhenItWasUsed) {
  Store store(root);
  const Digest good = put_blob(store, "hello");
  const Digest wrong = put_wrong_blob(store);
  set_mtime(root / "verified" / good.hex(), {1000, 0});
  std::vector<std::uint64_t> sizes;
  const auto result =
      store.verify([&](const Digest&, std::uint64_t size) { sizes.push_back(size); });
  EXPECT_EQ(result.blobs, 2u);
  EXPECT_EQ(result.bytes, 10u);
  EXPECT_EQ(result.bad, std::vector<Digest>{wrong});
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{5, 5}));
  ASSERT_EQ(store.list().size(), 1u);
  EXPECT_EQ(store.list()[0].last_used, 1000);
}

// ---- a store that may only be read

TEST_F(StoreTest, AReadOnlyStoreServesItsBlobsAndRefusesNewOnes) {
  Digest digest = Digest::of("hello");
  {
    Store store(root);
    put_blob(store, "hello");
    fs::remove(root / "verified" / digest.hex());
  }
  const ReadOnlyFolder read_only(root);
  Store store(root);
  EXPECT_TRUE(store.read_only());
  EXPECT_TRUE(store.contains(digest));  // hashed, and remembered in memory
  EXPECT_EQ(blob_text(store, digest), "hello");
  store.put_fact("kind", "key", 7);
  EXPECT_EQ(store.find_fact("kind", "key"), Json(7));
  const std::string refusal =
      "error: cannot write to the cache 'ROOT': Read-only file system\n"
      "hint: name another folder: --cache-dir DIR";
  const auto error = [&](const std::function<void()>& body) {
    return with(error_of<SystemError>(body), root.string(), "ROOT");
  };
  EXPECT_EQ(error([&] { store.writer(); }), refusal);
  EXPECT_EQ(error([&] { store.lock("key"); }), refusal);
  EXPECT_EQ(error([&] { store.temp_dir("x"); }), refusal);
  EXPECT_EQ(error([&] { store.adopt("/x", digest); }), refusal);
  EXPECT_EQ(error([&] { store.gc(0, 0, false); }), refusal);
}

TEST_F(StoreTest, AFolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  put_file(scratch / "file", "");
  EXPECT_EQ(with(error_of<SystemError>([&] { Store store(scratch / "file/cache"); }),
                 scratch.path.string(), "DIR"),
            "error: cannot open the cache 'DIR/file/cache': Not a directory\n"
            "hint: name another folder: --cache-dir DIR");
}

// ---- crashes and neighbours

TEST_F(StoreTest, LeftoversOfTheDeadAreRemovedAndThoseOfTheLivingAreNot) {
  Store living(root);
  const auto writer = living.writer();
  writer->write(as_bytes("hello"));
  const auto folder = living.temp_dir("work");
  put_file(root / "tmp/12345-dead/blob-0", "left");
  Store other(root);
  EXPECT_FALSE(fs::exists(root / "tmp/12345-dead"));
  EXPECT_TRUE(fs::exists(folder->path()));
  writer->commit(Digest::of("hello"));
  EXPECT_TRUE(other.contains(Digest::of("hello")));
}

TEST_F(StoreTest, AKilledWriterLeavesAStoreThatNeedsNoRepair) {
  const pid_t child = fork();
  if (child == 0) {
    Store store(root);
    put_blob(store, "done");
    const auto writer = store.writer();
    writer->write(as_bytes(test::noise(3 << 20)));
    writer->finish();
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(names("tmp").size(), 1u);
  Store store(root);
  EXPECT_TRUE(names("tmp").empty());
  const auto result = store.verify();
  EXPECT_EQ(result.blobs, 1u);
  EXPECT_TRUE(result.bad.empty());
}

TEST_F(StoreTest, ManyThreadsPutTheSameBlobs) {
  Store store(root);
  Store second(root);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Store& own = i % 2 == 0 ? store : second;
      for (int n = 0; n < 8; ++n) {
        const Digest digest = put_blob(own, "blob " + std::to_string(n));
        EXPECT_TRUE(own.contains(digest));
        EXPECT_EQ(blob_text(own, digest), "blob " + std::to_string(n));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.verify().blobs, 8u);
  EXPECT_TRUE(store.verify().bad.empty());
}

TEST_F(StoreTest, ALockIsWaitedForAndItsHolderNamed) {
  Store store(root);
  Store second(root);
  auto held = std::make_unique<FileLock>(store.lock("abc"));
  EXPECT_FALSE(second.try_lock("abc"));
  EXPECT_TRUE(second.try_lock("abd"));
  std::atomic<int> holder{0};
  std::thread waiter([&] {
    second.lock("abc", [&](int pid) {
      holder = pid;
      held.reset();
    });
  });
  waiter.join();
  EXPECT_EQ(holder, getpid());
}

TEST_F(StoreTest, KeysAreNames) {
  Store store(root);
  for (const char* key : {"", "../x", ".x", "a/b", "A", "a:b"}) {
    EXPECT_THROW(store.lock(key), InternalError) << key;
    EXPECT_THROW(store.find_fact("kind", key), InternalError) << key;
  }
}

TEST_F(StoreTest, ADiskThatIsFullNeverLeavesAWrongBlob) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small tmpfs needs root";
  const fs::path small = scratch / "small";
  fs::create_directory(small);
  if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
  }
  {
    Store store(small / "cache");
    const Digest digest = put_blob(store, "hello");
    const std::string text = test::noise(2 << 20);
    const std::string error = error_of<SystemError>([&] { put_blob(store, text); });
    EXPECT_NE(error.find("No space left on device"), std::string::npos) << error;
    EXPECT_FALSE(store.contains(Digest::of(text)));
    EXPECT_TRUE(store.contains(digest));
    EXPECT_TRUE(store.verify().bad.empty());
    // No room for a stamp either: the blob is good all the same.
    put_file(small / "filler", test::noise(1 << 20));
    fs::remove(small / "cache/verified" / digest.hex());
    EXPECT_TRUE(Store(small / "cache").contains(digest));
  }
  umount2(small.c_str(), MNT_DETACH);
}

// ---- facts

TEST_F(StoreTest, FactsComeBackUnlessTheyWereTouched) {
  Store store(root);
  const Json value = {{"size", 7}, {"name", "x"}};
  store.put_fact("wheel-v1", "abc", value);
  EXPECT_EQ(Store(root).find_fact("wheel-v1", "abc"), value);
  EXPECT_EQ(store.find_fact("wheel-v1", "abd"), std::nullopt);
  const fs::path path = root / "facts/wheel-v1/abc.json";
  const std::string text = read_file(path);
  for (const std::string& touched :
       {with(text, "7", "8"), text.substr(0, text.size() / 2), std::string(), std::string("[]")}) {
    put_file(path, touched);
    EXPECT_EQ(store.find_fact("wheel-v1", "abc"), std::nullopt) << touched;
  }
}

// ---- gc

struct GcTest : StoreTest {
  Store store{root};
  Digest old = put(1000, std::string(10, 'a'));
  Digest middle = put(2000, std::string(20, 'b'));
  Digest young = put(std::time(nullptr), std::string(30, 'c'));

  Digest put(std::int64_t used, const std::string& text) {
    const Digest digest = put_blob(store, text);
    set_mtime(root / "verified" / digest.hex(), {used, 0});
    return digest;
  }
  std::vector<bool> present() {
    return {store.contains(old), store.contains(middle), store.contains(young)};
  }
};

TEST_F(GcTest, RemovesWhatWasNotUsedForLong) {
  store.put_fact("wheel-v1", std::string(old.hex()), 1);
  const auto result = store.gc(3600, std::nullopt, false);
  EXPECT_EQ(result.blobs, 2u);
  EXPECT_EQ(result.bytes, 30u);
  EXPECT_EQ(present(), (std::vector<bool>{false, false, true}));
  EXPECT_EQ(store.find_fact("wheel-v1", std::string(old.hex())), std::nullopt);
  EXPECT_EQ(names("verified").size(), 1u);
}

TEST_F(GcTest, RemovesTheLeastRecentlyUsedUntilTheRestFits) {
  EXPECT_EQ(store.gc(std::nullopt, 55, false).blobs, 1u);
  EXPECT_EQ(present(), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(store.gc(std::nullopt, 50, false).blobs, 0u);
  EXPECT_EQ(store.gc(std::nullopt, 0, false).blobs, 2u);
  EXPECT_EQ(present(), (std::vector<bool>{false, false, false}));
}

TEST_F(GcTest, UsingABlobKeepsIt) {
  store.open_file(old);
  EXPECT_EQ(store.gc(3600, std::nullopt, false).bytes, 20u);
  EXPECT_EQ(present(), (std::vector<bool>{true, false, true}));
}

TEST_F(GcTest, ADryRunOnlyCounts) {
  const Store other(root);
  put_file(root / "partial/x.part", "");
  const auto result = store.gc(3600, std::nullopt, true);
  EXPECT_EQ(result.blobs, 2u);
  EXPECT_EQ(result.leftovers, 1u);
  EXPECT_EQ(present(), (std::vector<bool>{true, true, true}));
}

TEST_F(GcTest, RemovesLeftovers) {
  put_file(root / "blobs/sha256" / (std::string(64, '0') + ".bad"), "");
  put_file(root / "partial" / (std::string(64, '0') + ".part"), "");
  put_file(root / "verified" / std::string(64, '0'), "");
  put_file(root / "tmp/1-dead/x", "");
  { const FileLock used = store.lock("abc"); }
  EXPECT_EQ(store.gc(std::nullopt, std::nullopt, false).leftovers, 4u);
  EXPECT_EQ(names("blobs/sha256").size(), 3u);
  EXPECT_TRUE(names("partial").empty());
  EXPECT_EQ(names("tmp").size(), 1u);  // this store's own
  EXPECT_TRUE(names("locks").empty());
}

TEST_F(GcTest, CountsUvsCacheLikeOneMoreBlob) {
  EXPECT_EQ(store.uv_cache_use().last_used, 0);
  put_file(root / "uv/simple-v16/pypi/torch.rkyv", std::string(40, 'u'));
  put_file(root / "uv/wheels-v5/x", std::string(2, 'u'));
  EXPECT_EQ(store.uv_cache_use().bytes, 42u);
  EXPECT_GT(store.uv_cache_use().last_used, 2000);
  EXPECT_FALSE(store.gc(std::nullopt, 72, false).uv_cache);  // what is older goes first
  EXPECT_EQ(present(), (std::vector<bool>{false, false, true}));
  const auto counted = store.gc(std::nullopt, 0, true);
  EXPECT_TRUE(counted.uv_cache);
  EXPECT_EQ(counted.bytes, 72u);
  EXPECT_TRUE(fs::exists(root / "uv"));
  EXPECT_EQ(store.gc(std::nullopt, 0, false).bytes, 72u);
  EXPECT_FALSE(fs::exists(root / "uv"));
  EXPECT_EQ(store.uv_cache_use().last_used, 0);
}

TEST_F(GcTest, RemovesUvsCacheThatWasNotUsedForLong) {
  put_file(root / "uv/x", "u");
  for (const fs::path& path : {root / "uv/x", root / "uv"}) set_mtime(path, {1500, 0});
  EXPECT_TRUE(store.gc(3600, std::nullopt, false).uv_cache);
  EXPECT_FALSE(fs::exists(root / "uv"));
}

TEST_F(GcTest, IsRefusedWhileAnotherUsesTheStore) {
  {
    const Store other(root);
    EXPECT_EQ(
        with(error_of<UnavailableError>([&] { store.gc(0, 0, false); }), root.string(), "ROOT"),
        "error: the cache 'ROOT' is in use by another process\n"
        "hint: run it again when no build uses the cache");
  }
  EXPECT_EQ(store.gc(std::nullopt, 0, false).blobs, 3u);
}

// ---- where it is

TEST(DefaultRoot, IsTheFlagElseTheEnvironment) {
  const char* const home = getenv("HOME");
  const std::string home_before = home != nullptr ? home : "/";
  setenv("HOME", "/home/x", 1);
  unsetenv("XDG_CACHE_HOME");
  unsetenv("IMGBUILD_CACHE_DIR");
  EXPECT_EQ(Store::default_root(""), "/home/x/.cache/imgbuild");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(Store::default_root(""), "/home/x/.cache/imgbuild");
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(Store::default_root(""), "/xdg/imgbuild");
  setenv("IMGBUILD_CACHE_DIR", "/own", 1);
  EXPECT_EQ(Store::default_root(""), "/own");
  EXPECT_EQ(Store::default_root("/flag"), "/flag");
  EXPECT_EQ(Store::default_root("flag"), fs::current_path() / "flag");
  for (const char* name : {"HOME", "XDG_CACHE_HOME", "IMGBUILD_CACHE_DIR"}) unsetenv(name);
  EXPECT_EQ(error_of<UnavailableError>([] { Store::default_root(""); }),
            "error: no folder is known for the cache: HOME is not set\n"
            "hint: name one: --cache-dir DIR, or set IMGBUILD_CACHE_DIR");
  setenv("HOME", home_before.c_str(), 1);
}

}  // namespace
}  // namespace img
