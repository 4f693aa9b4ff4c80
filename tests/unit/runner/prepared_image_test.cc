// SPDX-License-Identifier: Apache-2.0
// What is asked of a runtime for a call, and what is made of its answer; with a fake runtime.
#include "builder/base/error.h"
#include "tests/support/raw_image.h"
#include "validators/runner/runner.h"

#include <gtest/gtest.h>

#include <fstream>

#include <sys/stat.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make images of

class FakeRuntime final : public Runtime {
 public:
  std::string name() const override { return "fake 1"; }
  RuntimeTraits traits() const override { return {.rootless = true, .cgroups = false}; }
  ContainerEnd run(const ContainerStart& start) override {
    starts.push_back(start);
    configs.push_back(parse_json(read_file(start.folder / "config.json"), "config.json"));
    lowers.clear();
    for (const std::string& layer : start.layers) {
      lowers.push_back(fs::canonical(start.folder / layer));
    }
    if (starts.size() == 1) return first;
    return answer;
  }
  std::vector<ContainerStart> starts;
  std::vector<Json> configs;
  std::vector<fs::path> lowers;
  ContainerEnd first{.kind = ContainerEnd::Kind::exited};
  ContainerEnd answer{.kind = ContainerEnd::Kind::exited};
};

class PreparedImageTest : public ::testing::Test {
 protected:
  PreparedImageTest() : dir_(fs::temp_directory_path(), "prepared-"), image_(dir_.path()) {
    create_folders(dir_.path() / "bundle");
    write_file(dir_.path() / "bundle/probe", "#!", 0755);
    options_ = {.store = dir_.path() / "store", .bundle = dir_.path() / "bundle", .threads = 2};
  }
  PreparedImage prepare() {
    layout_ = image_.open();
    return PreparedImage::prepare(*layout_, select_image(*layout_), runtime_, options_);
  }
  template <typename E>
  std::string error_of_prepare() {
    try {
      prepare();
    } catch (const E& error) {
      return error.render();
    }
    return "no such error";
  }
  ProbeRun run(const std::string& text) {
    image_.layer(tar_file("a", "") + tar_end());
    PreparedImage image = prepare();
    runtime_.answer.stdout_text = text;
    return image.run({.label = "l", .probe = "probe"});
  }

  TempDir dir_;
  RawImage image_;
  FakeRuntime runtime_;
  RunnerOptions options_;
  std::unique_ptr<LayoutReader> layout_;
};

TEST_F(PreparedImageTest, StacksLayersTopmostFirstBelowOurOwn) {
  const std::string low = tar_file("low", "") + tar_end(), high = tar_file("high", "") + tar_end();
  image_.layer(low).layer(high);
  const PreparedImage image = prepare();
  const fs::path unpacked = fs::canonical(dir_.path() / "store/unpacked");
  ASSERT_EQ(runtime_.lowers.size(), 3u);
  EXPECT_EQ(runtime_.lowers[0].filename(), "skeleton");
  EXPECT_EQ(runtime_.lowers[1], unpacked / (std::string(Digest::of(high).hex()) + "-flat/tree"));
  EXPECT_EQ(runtime_.lowers[2], unpacked / (std::string(Digest::of(low).hex()) + "-flat/tree"));
}

TEST_F(PreparedImageTest, ALayerThatComesAgainIsStackedOnceAtItsTopmostPlace) {
  const std::string twice = tar_file("twice", "") + tar_end(),
                    other = tar_file("other", "") + tar_end();
  image_.layer(twice).layer(other).layer(twice);
  const PreparedImage image = prepare();
  ASSERT_EQ(runtime_.lowers.size(), 3u);
  EXPECT_EQ(runtime_.lowers[1].parent_path().filename().string(),
            std::string(Digest::of(twice).hex()) + "-flat");
}

TEST_F(PreparedImageTest, AnImageWithoutLayersStillHasTwo) {
  const PreparedImage image = prepare();
  EXPECT_EQ(runtime_.lowers.size(), 2u);
}

TEST_F(PreparedImageTest, PassesTheCallOn) {
  image_.layer(tar_folder("w") + tar_end());
  image_.config.env = {"PATH=/bin", "GONE=1", "KEPT=1"};
  image_.config.working_dir = "/w";
  PreparedImage image = prepare();
  image.run({.label = "l",
             .probe = "probe",
             .arguments = {"one", "two words"},
             .env = {{"MORE", "2"}},
             .unset = {"GONE"},
             .uid = 1234,
             .writable_tmp = false,
             .timeout = std::chrono::seconds(7),
             .memory_bytes = 1 << 30});
  ASSERT_EQ(runtime_.configs.size(), 2u);
  const Json process = runtime_.configs[1]["process"];
  EXPECT_EQ(process["args"],
            Json({"/.imgcheck-enter", "1234", "1234", "/.imgcheck/probe", "one", "two words"}));
  EXPECT_EQ(process["env"], Json({"KEPT=1", "MORE=2", "PATH=/bin"}));
  EXPECT_EQ(process["cwd"], "/w");
  EXPECT_EQ(runtime_.starts[1].limits.timeout, std::chrono::seconds(7));
  EXPECT_EQ(runtime_.starts[1].limits.memory_bytes, 1u << 30);
  EXPECT_NE(runtime_.starts[0].id, runtime_.starts[1].id);
}

TEST_F(PreparedImageTest, LeavesNothingButUnpackedLayers) {
  image_.layer(tar_file("a", "") + tar_end());
  {
    PreparedImage image = prepare();
    image.run({.label = "l", .probe = "probe"});
    EXPECT_FALSE(fs::exists(runtime_.starts[1].folder));
  }
  EXPECT_EQ(sorted_names(dir_.path() / "store/containers"), std::vector<std::string>{"lock"});
  EXPECT_EQ(list_unpacked(dir_.path() / "store").size(), 1u);
}

TEST_F(PreparedImageTest, AContainerThatCannotBeStartedIsToldWhenPreparing) {
  image_.layer(tar_file("a", "") + tar_end());
  runtime_.first = {
      .kind = ContainerEnd::Kind::not_started, .reason = "no overlay", .hint = "use another"};
  EXPECT_EQ(
      error_of_prepare<UnavailableError>(),
      "error: cannot start a container of the image\n  reason: no overlay\nhint: use another");
  EXPECT_EQ(sorted_names(dir_.path() / "store/containers"), std::vector<std::string>{"lock"});
}

TEST_F(PreparedImageTest, WrongBytesAreAnIntegrityErrorEvenWhenTheyAreNoLayer) {
  const std::string good = tar_file("a", "") + tar_end();
  std::string bad = good;
  bad[0] = 'b';  // breaks the header's checksum
  image_.layer(bad, Digest::of(good), DiffId(Digest::of(good)));
  EXPECT_EQ(error_of_prepare<IntegrityError>(),
            "error: blob '" + Digest::of(good).str() +
                "' has other bytes\n  expected: " + Digest::of(good).str() +
                "   (its descriptor)\n  got:      " + Digest::of(bad).str() +
                "   (sha256 of its bytes)\n  while: reading '" + Digest::of(good).str() +
                "'\n  while: unpacking layer '" + Digest::of(good).str() + "'");
  EXPECT_TRUE(list_unpacked(dir_.path() / "store").empty());
}

TEST_F(PreparedImageTest, WrongBytesAreAnIntegrityErrorAlsoFarBeforeTheirEnd) {
  const std::string good = tar_file("a", std::string(20 << 20, 'x')) + tar_end();
  std::string bad = good;
  bad[0] = 'b';
  image_.layer(bad, Digest::of(good), DiffId(Digest::of(good)));
  EXPECT_EQ(error_of_prepare<IntegrityError>().substr(0, 90),
            "error: blob '" + Digest::of(good).str() + "' has ");
}

TEST_F(PreparedImageTest, AHostileWorkingDirectoryIsRefused) {
  image_.layer(tar_link("w", "/proc/self/fd") + tar_end());
  image_.config.working_dir = "/w/7";
  EXPECT_EQ(error_of_prepare<InputError>(),
            "error: the image's working directory is in a file system of the kernel\n"
            "  WorkingDir: /w/7   (the image's config)\n  that is:    /proc/self/fd/7\n"
            "hint: name a folder of the image");
  EXPECT_TRUE(runtime_.starts.empty());
}

TEST_F(PreparedImageTest, AProbeThatTheBundleLacksIsNotStarted) {
  image_.layer(tar_file("a", "") + tar_end());
  PreparedImage image = prepare();
  const ProbeRun run = image.run({.label = "l", .probe = "absent"});
  EXPECT_EQ(run.end, RunEnd::not_started);
  EXPECT_EQ(run.reason, "the bundle has no program 'absent'");
  EXPECT_EQ(runtime_.starts.size(), 1u);
  EXPECT_THROW(image.run({.label = "l", .probe = "../probe"}), InternalError);
}

TEST_F(PreparedImageTest, ReadsEventsAndTheEnd) {
  runtime_.answer.kind = ContainerEnd::Kind::signalled;
  runtime_.answer.exit_code = 139;
  runtime_.answer.seconds = 2;
  const ProbeRun run = this->run("{\"event\":\"a\"}\nnoise\n{\"event\":\"end\"}\n");
  EXPECT_EQ(run.end, RunEnd::signalled);
  EXPECT_EQ(run.exit_code, 139);
  EXPECT_EQ(run.events.size(), 2u);
  EXPECT_EQ(run.broken_lines, 1u);
  EXPECT_TRUE(run.complete);
  EXPECT_EQ(run.label, "l");
  EXPECT_EQ(run.seconds, 2);
}

TEST_F(PreparedImageTest, TheTimeToTheFirstInstructionIsBelievedOnlyWhenItCanBe) {
  image_.layer(tar_file("a", "") + tar_end());
  PreparedImage image = prepare();
  runtime_.answer.started_ns = 5'000'000'000;
  runtime_.answer.seconds = 3;
  const auto seconds = [&](const std::string& text) {
    runtime_.answer.stdout_text = text;
    return image.run({.label = "l", .probe = "probe"}).start_seconds;
  };
  EXPECT_DOUBLE_EQ(seconds("{\"event\":\"start\",\"monotonic_ns\":5250000000}\n"), 0.25);
  EXPECT_EQ(seconds("{\"event\":\"start\",\"monotonic_ns\":1}\n"), 0);
  EXPECT_EQ(seconds("{\"event\":\"start\",\"monotonic_ns\":9000000001}\n"), 0);
  EXPECT_EQ(seconds("{\"event\":\"start\",\"monotonic_ns\":\"5250000000\"}\n"), 0);
  EXPECT_EQ(seconds("{\"event\":\"start\",\"monotonic_ns\":-9223372036854775808}\n"), 0);
  EXPECT_EQ(seconds("{\"event\":\"other\"}\n{\"event\":\"start\",\"monotonic_ns\":5250000000}\n"),
            0);
  EXPECT_EQ(seconds(""), 0);
}

TEST_F(PreparedImageTest, OnlyTheEndOfStandardErrorIsKeptAndItIsPrintable) {
  image_.layer(tar_file("a", "") + tar_end());
  PreparedImage image = prepare();
  runtime_.answer.stderr_text = std::string(9000, 'x') + "\n\x1b[2J\xff last\n";
  const std::string tail = image.run({.label = "l", .probe = "probe"}).stderr_tail;
  EXPECT_EQ(tail.substr(tail.size() - 19), "x\n\\x1b[2J\\xff last\n");
  EXPECT_LE(tail.size(), 4096u + 6u);
}

TEST_F(PreparedImageTest, NotesSayWhatIsMissingAndWhatIsWeak) {
  image_.layer(tar_block({.name = "disk", .type = '4'}) + tar_end());
  EXPECT_EQ(
      prepare().notes(),
      (std::vector<std::string>{
          "'disk' is a block device, which is not made for a container",
          "memory and processes are limited for each process and user only, because there are no "
          "control groups for containers here",
          "containers have one user id, to which all files of the image belong"}));
}

TEST_F(PreparedImageTest, DroppingThePageCacheMeetsLinksAndLockedFiles) {
  image_.layer(tar_link("out", "/") + tar_link("loop", ".") + tar_file("f", "x", "0000000") +
               tar_folder("d", "0000000") + tar_end());
  prepare().drop_page_cache();
}

}  // namespace
}  // namespace img
