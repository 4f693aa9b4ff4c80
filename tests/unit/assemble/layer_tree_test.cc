// SPDX-License-Identifier: Apache-2.0
// Layers merged as a runtime shows them.
#include "builder/assemble/layer_tree.h"

#include "builder/base/error.h"
#include "builder/layer/layer_writer.h"
#include "tests/support/tar_blocks.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using img::testing::tar_block;
using img::testing::TarBlock;

class MergeLayers : public ::testing::Test {
 protected:
  /// A plain tar as a blob of the store.
  Descriptor layer(const std::vector<TarBlock>& blocks) {
    std::string tar;
    for (const TarBlock& block : blocks) tar += tar_block(block);
    tar.append(1024, '\0');
    return put(tar, MediaType::layer(Compression::none));
  }
  Descriptor put(const std::string& bytes, MediaType type) {
    const auto writer = store_.writer();
    writer->write(as_bytes(bytes));
    writer->commit(Digest::of(bytes));
    return {.media_type = std::move(type), .digest = Digest::of(bytes), .size = bytes.size()};
  }
  /// "path" or "path=content" of all that is left.
  std::vector<std::string> merged(const std::vector<Descriptor>& layers) {
    const MergedTree result = merge_layers(layers, store_);
    std::vector<std::string> lines;
    for (const auto& [path, entry] : result.tree.entries()) {
      const bool file = entry.type == EntryType::file;
      lines.push_back(path.str() + (file ? "=" + read_content(entry.content) : ""));
    }
    return lines;
  }

  TempDir folder_{fs::temp_directory_path(), "merge-layers-test-"};
  Store store_{folder_.path() / "store"};
};

using Lines = std::vector<std::string>;

TEST_F(MergeLayers, AnUpperFileReplacesALowerOne) {
  const auto lower = layer({{.name = "etc/", .type = '5'},
                            {.name = "etc/a", .body = "lower"},
                            {.name = "etc/b", .body = "kept"}});
  const auto upper = layer({{.name = "etc/a", .body = "upper"}});
  EXPECT_EQ(merged({lower, upper}), (Lines{"etc", "etc/a=upper", "etc/b=kept"}));
  EXPECT_EQ(merged({upper, lower}), (Lines{"etc", "etc/a=lower", "etc/b=kept"}));
}

TEST_F(MergeLayers, AWhiteoutRemovesAFileOrAWholeFolder) {
  const auto lower = layer({{.name = "a/", .type = '5'},
                            {.name = "a/x", .body = "1"},
                            {.name = "a/sub/", .type = '5'},
                            {.name = "a/sub/y", .body = "2"},
                            {.name = "a.txt", .body = "3"},
                            {.name = "b", .body = "4"}});
  EXPECT_EQ(merged({lower, layer({{.name = ".wh.b"}})}),
            (Lines{"a", "a.txt=3", "a/sub", "a/sub/y=2", "a/x=1"}));
  EXPECT_EQ(merged({lower, layer({{.name = ".wh.a"}})}), (Lines{"a.txt=3", "b=4"}));
  EXPECT_EQ(merged({lower, layer({{.name = "a/.wh.sub"}})}),
            (Lines{"a", "a.txt=3", "a/x=1", "b=4"}));
}

TEST_F(MergeLayers, WhiteoutsDoNotTouchTheirOwnLayerInWhateverOrder) {
  const auto lower = layer({{.name = "a/", .type = '5'}, {.name = "a/old", .body = "1"}});
  EXPECT_EQ(merged({lower, layer({{.name = "a/", .type = '5'},
                                  {.name = "a/new", .body = "2"},
                                  {.name = "a/.wh..wh..opq"}})}),
            (Lines{"a", "a/new=2"}));
  EXPECT_EQ(merged({lower, layer({{.name = "a/", .type = '5'},
                                  {.name = "a/.wh..wh..opq"},
                                  {.name = "a/new", .body = "2"}})}),
            (Lines{"a", "a/new=2"}));
  EXPECT_EQ(merged({lower, layer({{.name = "a/old", .body = "2"}, {.name = "a/.wh.old"}})}),
            (Lines{"a", "a/old=2"}));
}

TEST_F(MergeLayers, AFileInPlaceOfAFolderHidesWhatWasBelowIt) {
  const auto lower = layer({{.name = "a/", .type = '5'}, {.name = "a/x", .body = "1"}});
  EXPECT_EQ(merged({lower, layer({{.name = "a", .body = "file"}})}), (Lines{"a=file"}));
  EXPECT_EQ(merged({layer({{.name = "a", .body = "file"}}), lower}), (Lines{"a", "a/x=1"}));
}

TEST_F(MergeLayers, ReadsEveryCompressionOfFinishedLayers) {
  std::vector<Descriptor> layers;
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string name(to_string(compression));
    Tree tree;
    tree.put(EntryPath::parse(name), Entry::file(literal("by " + name), 0640, "test"));
    tree.seal("test");
    StringSink packed;
    const Layer layer = write_layer(tree, packed, {.compression = compression});
    layers.push_back(put(packed.text(), layer.descriptor.media_type));
  }
  EXPECT_EQ(merged(layers), (Lines{"gzip=by gzip", "zstd=by zstd"}));
}

TEST_F(MergeLayers, SaysWhichLayerCannotBeRead) {
  const Descriptor foreign = put("?", MediaType("application/x-unknown"));
  try {
    merge_layers({foreign}, store_);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(error.render(),
              "error: 'application/x-unknown' is no layer type that can be read\n"
              "  while: reading layer " +
                  foreign.digest.str());
  }
}

}  // namespace
}  // namespace img
