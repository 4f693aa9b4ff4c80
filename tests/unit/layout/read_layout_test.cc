// SPDX-License-Identifier: Apache-2.0
// Reading images in all three forms: verification, selection, and what is refused.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/layer/layer_writer.h"
#include "builder/layout/image_layout.h"
#include "tests/support/small_image.h"

#include <gtest/gtest.h>

#include <functional>

#include <sys/stat.h>

namespace img {
namespace {

using img::testing::small_image;
using img::testing::SmallImage;

class ReadLayout : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return dir_.path() / name; }

  fs::path written(LayoutFormat format, const LayoutImage& image,
                   const std::string& name = "image") {
    write_layout(image, path(name), format);
    return path(name);
  }
  LayoutImage image() { return small_image(dir_.path()); }

  void write_tar_of(const std::map<std::string, std::string>& files, const std::string& name) {
    Tree tree;
    for (const auto& [file, text] : files) {
      tree.put(EntryPath::parse(file), Entry::file(literal(text), 0644, "test"));
    }
    tree.seal("test");
    StringSink tar;
    write_tar(tree, tar);
    write_file(path(name), tar.text());
  }

  TempDir dir_{fs::temp_directory_path(), "read-layout-test-"};
};

template <typename Kind>
Kind error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Kind& error) {
    return error;
  }
  throw std::runtime_error("accepted");
}

void replace_blob(const fs::path& layout, const Digest& digest, const std::string& bytes) {
  const fs::path file = layout / "blobs/sha256" / std::string(digest.hex());
  fs::remove(file);
  write_file(file, bytes);
}

TEST_F(ReadLayout, all_forms_give_the_same_config_and_layers) {
  const LayoutImage image = this->image();
  const std::pair<LayoutFormat, std::string> forms[] = {{LayoutFormat::directory, "d"},
                                                        {LayoutFormat::oci_archive, "o"},
                                                        {LayoutFormat::docker_archive, "k"}};
  for (const auto& [format, name] : forms) {
    const auto layout = LayoutReader::open(written(format, image, name));
    EXPECT_EQ(layout->format(), format);
    const SelectedImage selected = select_image(*layout, "1.0");
    EXPECT_EQ(selected.manifest.config.digest, image.config);
    EXPECT_EQ(Digest::of(selected.config_bytes), image.config);
    EXPECT_EQ(Digest::of(selected.manifest_bytes), selected.manifest_descriptor.digest);
    ASSERT_EQ(selected.manifest.layers.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
      const Descriptor& layer = selected.manifest.layers[i];
      EXPECT_EQ(layer.digest, image.layers[i]);
      EXPECT_EQ(layer.media_type, MediaType::layer(Compression::gzip));
      EXPECT_TRUE(layout->contains(layer.digest));
      NullSink nowhere;
      EXPECT_EQ(copy(*layout->open_blob(layer), nowhere), layer.size);
    }
  }
}

TEST_F(ReadLayout, other_bytes_are_noticed_before_the_last_ones_are_given_out) {
  const LayoutImage image = this->image();
  const fs::path layout = written(LayoutFormat::directory, image);
  const SelectedImage selected = select_image(*LayoutReader::open(layout));
  const Descriptor layer = selected.manifest.layers[0];
  std::string bytes = read_file(layout / "blobs/sha256" / std::string(layer.digest.hex()));
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  replace_blob(layout, layer.digest, bytes);
  const auto source = LayoutReader::open(layout)->open_blob(layer);
  std::vector<std::uint8_t> buffer(bytes.size());
  const IntegrityError error = error_of<IntegrityError>([&] { read_full(*source, buffer); });
  EXPECT_EQ(error.text().message, "blob '" + layer.digest.str() + "' has other bytes");
  ASSERT_EQ(error.text().details.size(), 2u);
  EXPECT_EQ(error.text().details[1].value, Digest::of(bytes).str());
}

TEST_F(ReadLayout, another_size_is_noticed_first) {
  const fs::path layout = written(LayoutFormat::directory, image());
  const Descriptor layer = select_image(*LayoutReader::open(layout)).manifest.layers[0];
  replace_blob(layout, layer.digest, "short");
  EXPECT_EQ(error_of<IntegrityError>([&] { LayoutReader::open(layout)->open_blob(layer); })
                .text()
                .message,
            "blob '" + layer.digest.str() + "' has another size");
}

TEST_F(ReadLayout, a_missing_blob_is_named) {
  const fs::path layout = written(LayoutFormat::directory, image());
  const Descriptor layer = select_image(*LayoutReader::open(layout)).manifest.layers[0];
  fs::remove(layout / "blobs/sha256" / std::string(layer.digest.hex()));
  const auto reader = LayoutReader::open(layout);
  EXPECT_FALSE(reader->contains(layer.digest));
  EXPECT_EQ(error_of<IntegrityError>([&] { reader->open_blob(layer); }).text().message,
            "image '" + layout.string() + "' lacks blob '" + layer.digest.str() + "'");
}

TEST_F(ReadLayout, a_fifo_in_place_of_a_blob_does_not_block) {
  const fs::path layout = written(LayoutFormat::directory, image());
  const Digest digest = Digest::of("fifo");
  ASSERT_EQ(mkfifo((layout / "blobs/sha256" / std::string(digest.hex())).c_str(), 0600), 0);
  EXPECT_FALSE(LayoutReader::open(layout)->contains(digest));
}

TEST_F(ReadLayout, only_sha256_can_be_verified) {
  const auto layout = LayoutReader::open(written(LayoutFormat::directory, image()));
  const Digest digest = Digest::parse("blake3:abc");
  EXPECT_EQ(error_of<InputError>([&] {
              layout->open_blob({MediaType::config(), digest, 1});
            })
                .text()
                .message,
            "blob 'blake3:abc' cannot be verified: only sha256 is supported");
}

TEST_F(ReadLayout, huge_documents_are_refused_unread) {
  const auto layout = LayoutReader::open(written(LayoutFormat::directory, image()));
  EXPECT_EQ(error_of<InputError>([&] {
              layout->read_document({MediaType::config(), Digest::of("x"), 9 << 20});
            })
                .text()
                .message,
            "document '" + Digest::of("x").str() + "' is larger than allowed");
}

TEST_F(ReadLayout, says_what_a_path_is_not) {
  EXPECT_EQ(error_of<UsageError>([&] { LayoutReader::open(path("none")); }).text().message,
            "there is no image '" + path("none").string() + "'");
  EXPECT_EQ(error_of<UsageError>([&] { LayoutReader::open(dir_.path()); }).text().message,
            "folder '" + dir_.path().string() + "' is no OCI layout");
  write_tar_of({{"readme", "x"}}, "other.tar");
  EXPECT_EQ(error_of<UsageError>([&] { LayoutReader::open(path("other.tar")); }).text().message,
            "archive '" + path("other.tar").string() + "' is no image");
  write_file(path("image.tar.gz"), "\x1f\x8b\x08\x00 and so on");
  EXPECT_EQ(error_of<UsageError>([&] { LayoutReader::open(path("image.tar.gz")); }).text().message,
            "archive '" + path("image.tar.gz").string() + "' is compressed");
}

TEST_F(ReadLayout, another_layout_version_is_refused) {
  const fs::path layout = written(LayoutFormat::directory, image());
  write_file(layout / "oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_EQ(
      error_of<InputError>([&] { LayoutReader::open(layout); }).text().message,
      (layout / "oci-layout").string() + ": imageLayoutVersion: expected version 1, found '2.0.0'");
}

TEST_F(ReadLayout, old_docker_archives_have_plain_layers_by_other_names) {
  Tree tree;
  tree.put(EntryPath::parse("etc/motd"), Entry::file(literal("hi"), 0644, "test"));
  tree.seal("test");
  StringSink tar;
  write_tar(tree, tar);
  const std::string diff_id = Digest::of(tar.text()).str();
  const std::string config =
      R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" + diff_id +
      R"("]}})";
  write_tar_of(
      {{"abc/layer.tar", tar.text()},
       {"abc.json", config},
       {"manifest.json",
        R"([{"Config":"abc.json","RepoTags":["a/b:1","a/b:2"],"Layers":["abc/layer.tar"]}])"}},
      "old.tar");
  const auto layout = LayoutReader::open(path("old.tar"));
  const SelectedImage selected = select_image(*layout, "2");
  EXPECT_EQ(selected.manifest.layers[0].digest.str(), diff_id);
  EXPECT_EQ(selected.manifest.layers[0].media_type, MediaType::layer(Compression::none));
  EXPECT_EQ(read_all(*layout->open_blob(selected.manifest.layers[0]), 1 << 20, "layer"),
            tar.text());
  EXPECT_EQ(select_image(*layout, "a/b:1").manifest_descriptor.digest,
            selected.manifest_descriptor.digest);
}

TEST_F(ReadLayout, docker_archives_that_name_missing_files_are_refused) {
  write_tar_of({{"manifest.json", R"([{"Config":"../x","RepoTags":null,"Layers":[]}])"}},
               "bad.tar");
  EXPECT_EQ(error_of<InputError>([&] { LayoutReader::open(path("bad.tar")); }).text().message,
            path("bad.tar").string() + ":manifest.json: [0].Config: '../x' is not in the archive");
}

// ---- selection ----

class SelectImage : public ReadLayout {
 protected:
  /// A folder with these manifests in its index.
  fs::path layout_of(const std::vector<Descriptor>& entries, LayoutImage image) {
    image.index_json = canonical_json(to_json(ImageIndex{entries, {}}));
    return written(LayoutFormat::directory, image);
  }
};

TEST_F(SelectImage, needs_no_reference_when_there_is_one_image) {
  const LayoutImage image = this->image();
  const auto layout = LayoutReader::open(written(LayoutFormat::directory, image));
  EXPECT_EQ(select_image(*layout).manifest.config.digest, image.config);
  EXPECT_EQ(select_image(*layout, "", Platform{"linux", "amd64", ""}).config.env,
            std::vector<std::string>{"PATH=/usr/bin"});
}

TEST_F(SelectImage, names_the_candidates_when_none_fits) {
  const auto layout = LayoutReader::open(written(LayoutFormat::directory, image()));
  const UsageError error = error_of<UsageError>([&] {
    select_image(*layout, "2.0", Platform{"linux", "arm64", ""});
  });
  EXPECT_EQ(error.text().message, "no image '2.0' for linux/arm64 is there");
  ASSERT_EQ(error.text().details.size(), 1u);
  EXPECT_TRUE(error.text().details[0].value.starts_with("1.0 linux/amd64 sha256:"));
  EXPECT_EQ(error.text().hint, "name one of them by its tag, digest or platform");
}

TEST_F(SelectImage, descends_nested_indexes_and_skips_attestations) {
  SmallImage amd(dir_.path(), Compression::gzip);
  amd.add_layer("a", "1");
  LayoutImage image = amd.finish("unused");
  SmallImage arm(dir_.path(), Compression::gzip);
  arm.add_layer("a", "2");
  const LayoutImage arm_image = arm.finish("unused", {"linux", "arm64", ""});
  image.blobs.insert(image.blobs.end(), arm_image.blobs.begin(), arm_image.blobs.end());

  Descriptor first = amd.manifest(), second = arm.manifest(), proof = amd.manifest();
  first.platform = Platform{"linux", "amd64", ""};  // the other says it in its config only
  proof.platform = Platform{"unknown", "unknown", ""};
  const std::string nested = canonical_json(to_json(ImageIndex{{first, second, proof}, {}}));
  Descriptor top{MediaType::index(), Digest::of(nested), nested.size()};
  top.annotations["org.opencontainers.image.ref.name"] = "multi";
  image.blobs.push_back({.digest = top.digest, .size = top.size, .bytes = nested});

  const auto layout = LayoutReader::open(layout_of({top}, image));
  EXPECT_EQ(
      select_image(*layout, "multi", Platform{"linux", "arm64", ""}).manifest_descriptor.digest,
      arm.manifest().digest);
  EXPECT_EQ(select_image(*layout, top.digest.str(), Platform{"linux", "amd64", ""})
                .manifest_descriptor.digest,
            amd.manifest().digest);
  EXPECT_EQ(select_image(*layout, arm.manifest().digest.str()).config.platform.architecture,
            "arm64");
  EXPECT_EQ(error_of<UsageError>([&] { select_image(*layout, "multi"); }).text().message,
            "more than one image 'multi' could be meant");
}

TEST_F(SelectImage, one_image_under_two_tags_is_one) {
  SmallImage small(dir_.path(), Compression::gzip);
  const LayoutImage image = small.finish("x");
  Descriptor first = small.manifest(), second = small.manifest();
  first.annotations["org.opencontainers.image.ref.name"] = "1";
  second.annotations["org.opencontainers.image.ref.name"] = "2";
  const auto layout = LayoutReader::open(layout_of({first, second}, image));
  EXPECT_EQ(select_image(*layout).manifest_descriptor.digest, small.manifest().digest);
}

TEST_F(SelectImage, a_manifest_with_changed_bytes_is_no_image) {
  const LayoutImage image = this->image();
  const fs::path folder = written(LayoutFormat::directory, image);
  const Descriptor manifest = select_image(*LayoutReader::open(folder)).manifest_descriptor;
  std::string bytes = read_file(folder / "blobs/sha256" / std::string(manifest.digest.hex()));
  bytes.back() = ' ';
  replace_blob(folder, manifest.digest, bytes);
  EXPECT_EQ(
      error_of<IntegrityError>([&] { select_image(*LayoutReader::open(folder)); }).exit_code(),
      ExitCode::integrity);
}

}  // namespace
}  // namespace img
