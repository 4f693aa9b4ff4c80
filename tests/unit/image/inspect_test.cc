// SPDX-License-Identifier: Apache-2.0
// One pass over whole images: right ones in every format, and what is said of wrong ones.
#include "builder/base/error.h"
#include "tests/support/compiled_library.h"
#include "tests/support/random_tree.h"
#include "tests/unit/image/image_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;
using testing::file_block;
using testing::folder_block;
using testing::ImageWorld;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const LayerFact& only_layer(const ImageFacts& facts) { return facts.layers.at(0); }

TEST(InspectImage, ReadsEveryFormatAlike) {
  ImageWorld world;
  world.config.history = {
      {.created_by = "base"}, {.created_by = "env", .empty_layer = true}, {.created_by = "app"}};
  // A docker archive has plain layers only.
  for (const auto& block : {file_block("etc/passwd", "root:x:0:0\n"), file_block("app", "run")}) {
    const std::string tar = testing::tar_of({block});
    world.add_packed(tar, tar, Compression::none);
  }
  for (const LayoutFormat format :
       {LayoutFormat::directory, LayoutFormat::oci_archive, LayoutFormat::docker_archive}) {
    world.write(format);
    const ImageFacts facts = world.inspect(2);
    EXPECT_EQ(facts.format, format);
    EXPECT_THAT(facts.files, SizeIs(3));
    ASSERT_THAT(facts.layers, SizeIs(2));
    for (std::size_t i = 0; i < 2; ++i) {
      const LayerFact& layer = facts.layers[i];
      EXPECT_THAT(layer.problems, IsEmpty());
      EXPECT_EQ(layer.actual_digest, layer.descriptor.digest.str());
      EXPECT_EQ(layer.actual_diff_id, layer.diff_id);
      EXPECT_EQ(layer.packed_size, layer.descriptor.size);
      EXPECT_EQ(layer.files, 1u);
    }
    EXPECT_EQ(facts.layers[0].created_by, "base");
    EXPECT_EQ(facts.layers[1].created_by, "app");
    EXPECT_EQ(facts.layers[0].unpacked_size, 2048u);
  }
}

TEST(InspectImage, ReadsLargeAndSmallElfFiles) {
  ImageWorld world;
  const fs::path file = world.folder() / "libx.so";
  testing::compile_library(
      {.text = "int cuInit(int x) { return x; }", .flags = {"-nostdlib", "-Wl,-soname,libx.so"}},
      file);
  const std::string small = read_file(file);
  std::string large = small + std::string(3 << 20, 'p');
  world.add({file_block("small.so", small), file_block("large.so", large),
             file_block("large.txt", std::string(3 << 20, 't')), file_block("again.so", small)});
  const ImageFacts facts = world.inspect();
  ASSERT_THAT(facts.elf, SizeIs(3));
  for (const char* path : {"/small.so", "/large.so", "/again.so"}) {
    EXPECT_EQ(facts.elf.at(path).soname, "libx.so");
    EXPECT_THAT(facts.elf.at(path).exports, SizeIs(1));
  }
  EXPECT_EQ(facts.files.at("/small.so").content_key, facts.files.at("/again.so").content_key);
  EXPECT_NE(facts.files.at("/small.so").content_key, facts.files.at("/large.so").content_key);
  EXPECT_THAT(facts.elf_problems, IsEmpty());
}

TEST(InspectImage, SameFactsWithAnyNumberOfThreads) {
  ImageWorld world;
  for (int i = 0; i < 9; ++i) {
    const std::string folder = "d" + std::to_string(i % 3) + "/";
    world.add({file_block(folder + "same", std::to_string(i)),
               file_block(folder + std::to_string(i), "x")});
  }
  const ImageFacts one = world.inspect(1);
  const ImageFacts many = world.inspect(8);
  ASSERT_EQ(one.files.size(), many.files.size());
  for (const auto& [path, fact] : one.files) {
    EXPECT_EQ(many.files.at(path).layer, fact.layer) << path;
    EXPECT_EQ(many.files.at(path).content_key, fact.content_key) << path;
  }
  EXPECT_EQ(one.hidden.size(), many.hidden.size());
}

TEST(InspectImage, LeavesNothingInItsScratchFolder) {
  ImageWorld world;
  world.add({file_block("large.so",
                        "\x7f"
                        "ELF" +
                            std::string(3 << 20, 'p'))});
  world.write();
  const TempDir scratch(fs::temp_directory_path(), "inspect-scratch-");
  const ImageFacts facts = inspect_image(world.layout(), {.scratch = scratch.path()});
  EXPECT_THAT(facts.elf_problems, SizeIs(1));
  EXPECT_THAT(sorted_names(scratch.path()), IsEmpty());
}

TEST(InspectImage, TellsAFlippedByteAndReadsOn) {
  ImageWorld world;
  world.add({file_block("a", std::string(100'000, 'x') + "end")});
  world.add({file_block("b", "other layer")});
  world.write();
  const fs::path blob = world.blob(world.layer(0).digest);
  std::string bytes = read_file(blob);
  bytes[bytes.size() - 1] ^= 1;  // the last bytes are the checksum of the frame, or data
  fs::remove(blob);
  write_file(blob, bytes);
  const ImageFacts facts = world.inspect();
  const LayerFact& layer = only_layer(facts);
  EXPECT_EQ(layer.actual_digest, Digest::of(bytes).str());
  EXPECT_THAT(
      layer.problems,
      ::testing::Contains("blob '" + layer.descriptor.digest.str() +
                          "' has other bytes\n  expected: " + layer.descriptor.digest.str() +
                          "   (its descriptor)\n  got:      " + layer.actual_digest +
                          "   (sha256 of its bytes)"));
  EXPECT_TRUE(facts.files.contains("/b"));
}

TEST(InspectImage, TellsAWrongDiffId) {
  ImageWorld world;
  const std::string tar = testing::tar_of({file_block("a", "x")});
  world.add_packed(testing::zstd_bytes(tar), "another tar");
  const LayerFact layer = only_layer(world.inspect());
  EXPECT_EQ(layer.actual_diff_id, Digest::of(tar).str());
  EXPECT_THAT(layer.problems,
              ElementsAre("the layer has another DiffID than the config says\n  expected: " +
                          Digest::of("another tar").str() + "   (config)\n  got:      " +
                          Digest::of(tar).str() + "   (sha256 of the plain tar)"));
}

TEST(InspectImage, TellsAMissingBlobAndASizeThatIsWrong) {
  ImageWorld world;
  world.add({file_block("a", "x")});
  world.add({file_block("b", "x")});
  world.write();
  fs::remove(world.blob(world.layer(0).digest));
  const fs::path blob = world.blob(world.layer(1).digest);
  const std::string whole = read_file(blob);
  fs::remove(blob);
  write_file(blob, whole.substr(0, whole.size() - 4));
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(facts.layers[0].problems,
              ElementsAre("the image lacks blob '" + world.layer(0).digest.str() + "'"));
  EXPECT_EQ(facts.layers[0].actual_digest, "");
  ASSERT_THAT(facts.layers[1].problems, SizeIs(3));
  EXPECT_EQ(facts.layers[1].problems[0],
            "blob '" + world.layer(1).digest.str() +
                "' has another size\n  expected: " + std::to_string(whole.size()) +
                " bytes   (its descriptor)\n  got:      " + std::to_string(whole.size() - 4) +
                " bytes   (the image)");
  EXPECT_EQ(facts.layers[1].problems[1],
            "zstd data is truncated\n  while: reading '" + world.layer(1).digest.str() + "'");
  EXPECT_THAT(facts.layers[1].problems[2], ::testing::HasSubstr("has other bytes"));
}

TEST(InspectImage, WhatWasReadBeforeABrokenEntryCounts) {
  ImageWorld world;
  world.add({file_block("before", "1"), file_block("../escape", "2"), file_block("after", "3")});
  world.add({file_block("twice", "1"), file_block("twice", "2")});
  const ImageFacts facts = world.inspect();
  EXPECT_TRUE(facts.files.contains("/before"));
  EXPECT_FALSE(facts.files.contains("/after"));
  ASSERT_THAT(facts.layers[0].problems, SizeIs(1));
  EXPECT_THAT(facts.layers[0].problems[0], ::testing::HasSubstr("entry '../escape'"));
  EXPECT_THAT(facts.layers[1].problems,
              ElementsAre("entry 'twice': comes twice\n  while: reading '" +
                          world.layer(1).digest.str() + "'"));
  // The bytes are right all the same.
  for (const LayerFact& layer : facts.layers) {
    EXPECT_EQ(layer.actual_digest, layer.descriptor.digest.str());
    EXPECT_EQ(layer.actual_diff_id, layer.diff_id);
  }
}

TEST(InspectImage, TellsBytesThatAreNoLayer) {
  ImageWorld world;
  world.add_packed("these are no zstd bytes", "");
  const ImageFacts facts = world.inspect();
  ASSERT_THAT(only_layer(facts).problems, SizeIs(1));
  EXPECT_THAT(only_layer(facts).problems[0], ::testing::StartsWith("zstd data is broken"));
  EXPECT_EQ(only_layer(facts).actual_digest, only_layer(facts).descriptor.digest.str());
  EXPECT_EQ(only_layer(facts).actual_diff_id, "");
}

TEST(InspectImage, ThrowsWithoutAnImage) {
  const TempDir empty(fs::temp_directory_path(), "inspect-empty-");
  EXPECT_THROW(inspect_image(empty.path(), {}), UsageError);
  ImageWorld world;
  world.add({file_block("a", "x")});
  world.write();
  EXPECT_THROW(inspect_image(world.layout(), {.tag = "other"}), UsageError);
}

/// Damaged layers, the same on every machine: facts, never an exception or a crash.
TEST(InspectImage, DamagedLayersAreFacts) {
  testing::Random random(4711);
  const std::string plain =
      testing::tar_of({folder_block("d"), file_block("d/a", testing::random_bytes(random, 5000)),
                       testing::link_block("l", "d"), testing::hard_link_block("h", "d/a"),
                       file_block("d/.wh.x", ""), file_block("e/.wh..wh..opq", ""),
                       file_block("root/.netrc", "machine a password b\n")});
  ImageWorld world;
  for (int i = 0; i < 300; ++i) {
    std::string tar = plain;
    for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      tar[random.below(tar.size())] = static_cast<char>(random.next());
    }
    world.add_tar(tar);
  }
  for (int i = 0; i < 100; ++i) {
    std::string packed = testing::zstd_bytes(plain);
    packed[random.below(packed.size())] ^= static_cast<char>(1 + random.below(255));
    world.add_packed(packed, plain);
  }
  const ImageFacts facts = world.inspect(2);
  const auto broken = std::count_if(facts.layers.begin(), facts.layers.end(),
                                    [](const LayerFact& layer) { return !layer.problems.empty(); });
  EXPECT_GT(broken, 50);
}

}  // namespace
}  // namespace img
