// SPDX-License-Identifier: Apache-2.0
// Golden layers: the committed digests of small trees. UPDATE_GOLDEN=1 rewrites them; a change
// needs a new kOutputVersion.
#include "builder/base/text.h"
#include "builder/layer/layer_format.h"
#include "builder/layer/layer_reader.h"
#include "builder/layer/layer_writer.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace img {
namespace {

class GoldenLayer : public ::testing::Test {
 protected:
  void expect_golden(const std::string& name, const Tree& tree) {
    std::string text = "format  " + output_format() + "\n";
    StringSink tar;
    write_tar(tree, tar);
    text += "tar     " + Digest::of(tar.text()).str() + "\n";
    for (const Compression compression : {Compression::gzip, Compression::zstd}) {
      StringSink out;
      const Layer layer = write_layer(tree, out, {.compression = compression, .workers = 2});
      EXPECT_EQ(layer.diff_id.digest(), Digest::of(tar.text()));
      text += std::string(to_string(compression)) + "    " + layer.descriptor.digest.str() + "\n";
    }
    compare(fs::path(IMG_GOLDEN_DIR) / "layer" / (name + ".sha256"), text, tar.text());
  }

  TempDir folder_{fs::temp_directory_path(), "golden-layer-test-"};

 private:
  static void compare(const fs::path& file, const std::string& text, const std::string& tar) {
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
      create_folders(file.parent_path());
      write_file(file, text);
      GTEST_SKIP() << "UPDATE_GOLDEN: rewritten, not compared";
    }
    EXPECT_EQ(read_file(file), text) << "the tar holds:\n" << listing(tar);
  }

  /// What to look at when only a digest differs.
  static std::string listing(const std::string& tar) {
    ViewSource source(as_bytes(tar));
    std::string text;
    read_tar(source, "golden", [&](const TarEntry& entry, Source& body) {
      text += std::string(to_string(entry.entry.type)) + " " + entry.path.str() + " " +
              to_hex(sha256(read_all(body, 64 << 20, "body"))) + "\n";
    });
    return text;
  }
};

TEST_F(GoldenLayer, Empty) { expect_golden("empty", Tree()); }

TEST_F(GoldenLayer, EveryType) {
  Tree tree;
  const auto add = [&tree](std::string_view path, Entry entry) {
    tree.add(EntryPath::parse(path), std::move(entry));
  };
  add("etc/passwd", Entry::file(literal("root:x:0:0::/root:/bin/sh\n"), 0644, ""));
  add("etc/shadow", Entry{.type = EntryType::file, .mode = 0640, .gid = 42});
  add("usr/bin/ping", Entry{.type = EntryType::file,
                            .mode = 0755,
                            .content = literal("#!ping"),
                            .xattrs = {{"security.capability", std::string("\1\0\0\2", 4)}}});
  add("usr/bin/ping4", Entry{.type = EntryType::hardlink, .mode = 0755, .link = "usr/bin/ping"});
  add("bin", Entry::symlink("usr/bin", ""));
  add("dev/null",
      Entry{
          .type = EntryType::character_device, .mode = 0666, .device_major = 1, .device_minor = 3});
  add("dev/loop0", Entry{.type = EntryType::block_device, .mode = 0660, .device_major = 7});
  add("run/pipe", Entry{.type = EntryType::fifo, .mode = 0600});
  add("tmp", Entry::directory(01777, ""));
  add("home/big", Entry{.type = EntryType::file, .uid = 3'000'000'000, .gid = 3'000'000'000});
  add("opt/" + std::string(120, 'n') + "/" + std::string(100, 'm'),
      Entry::file(literal("x"), 0644, ""));
  add("opt/" + std::string(200, 'n') + "/" + std::string(200, 'm'),
      Entry::file(literal("x"), 0644, ""));
  add("opt/\xc3\xa4", Entry::symlink(std::string(150, 'l'), ""));
  tree.add_whiteout(EntryPath::parse("usr/share/doc"));
  tree.seal("");
  expect_golden("every-type", tree);
}

TEST_F(GoldenLayer, ManyFiles) {
  expect_golden("many-files", testing::random_tree(2025, 600, folder_.path()).tree);
}

TEST_F(GoldenLayer, SeveralZstdJobs) {
  testing::Random random(11);
  Tree tree;
  const std::string large = testing::random_bytes(random, 20'000'000, 30);
  tree.add(EntryPath::parse("large.so"),
           Entry::file(testing::deflated(folder_.path() / "large", large, {.level = 1}), 0755, ""));
  tree.add(EntryPath::parse("note.txt"), Entry::file(literal("after the large one"), 0644, ""));
  tree.seal("");
  expect_golden("several-zstd-jobs", tree);
}

}  // namespace
}  // namespace img
