// SPDX-License-Identifier: Apache-2.0
// Writing images: what appears under the final name, what is replaced, what is refused.
#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/layer/layer_reader.h"
#include "builder/layout/image_layout.h"
#include "tests/support/small_image.h"

#include <gtest/gtest.h>

#include <functional>

#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

using img::testing::small_image;

class WriteLayout : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return dir_.path() / name; }
  LayoutImage image(Compression compression = Compression::gzip,
                    const std::string& text = "hello") {
    create_folders(path("blobs-of-store"));
    return small_image(path("blobs-of-store"), compression, text);
  }
  std::vector<std::string> beside() const { return sorted_names(dir_.path()); }

  TempDir dir_{fs::temp_directory_path(), "write-layout-test-"};
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

ino_t inode(const fs::path& path) {
  struct stat info {};
  stat(path.c_str(), &info);
  return info.st_ino;
}

std::string sha256_of(const fs::path& file) { return Digest::of(read_file(file)).str(); }

TEST_F(WriteLayout, folder_has_exactly_the_documents_and_blobs) {
  const LayoutImage image = this->image();
  write_layout(image, path("out"), LayoutFormat::directory);
  EXPECT_EQ(sorted_names(path("out")),
            (std::vector<std::string>{"blobs", "index.json", "oci-layout"}));
  EXPECT_EQ(read_file(path("out/oci-layout")), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(read_file(path("out/index.json")), image.index_json);
  const auto names = sorted_names(path("out/blobs/sha256"));
  EXPECT_EQ(names.size(), 4u);
  for (const std::string& name : names) {
    EXPECT_EQ(sha256_of(path("out/blobs/sha256") / name), "sha256:" + name);
  }
  EXPECT_EQ(beside(), (std::vector<std::string>{"blobs-of-store", "out"}));
}

TEST_F(WriteLayout, blobs_are_hard_links_of_the_store) {
  const LayoutImage image = this->image();
  write_layout(image, path("out"), LayoutFormat::directory);
  EXPECT_EQ(inode(image.blobs[0].file),
            inode(path("out/blobs/sha256") / std::string(image.layers[0].hex())));
}

TEST_F(WriteLayout, removes_workspaces_whose_owner_is_dead) {
  // A killed process: its folder is there, and the kernel has released its lock.
  create_folders(path(".imgbuild-layout-dead/new/blobs"));
  write_file(path(".imgbuild-layout-dead/lock"), "4711\n");
  create_folders(path(".imgbuild-layout-killed-before-its-lock"));
  for (const LayoutFormat format : {LayoutFormat::directory, LayoutFormat::oci_archive}) {
    create_folders(path(".imgbuild-layout-dead"));
    write_layout(image(), path(format == LayoutFormat::directory ? "out" : "out.tar"), format);
    EXPECT_FALSE(fs::exists(path(".imgbuild-layout-dead")));
  }
  EXPECT_EQ(beside(), (std::vector<std::string>{"blobs-of-store", "out", "out.tar"}));
}

TEST_F(WriteLayout, keeps_workspaces_of_other_builds_that_run) {
  create_folders(path(".imgbuild-layout-alive/new"));
  const FileLock lock(path(".imgbuild-layout-alive/lock"), FileLock::Mode::exclusive);
  write_layout(image(), path("out"), LayoutFormat::directory);
  EXPECT_EQ(beside(),
            (std::vector<std::string>{".imgbuild-layout-alive", "blobs-of-store", "out"}));
  EXPECT_TRUE(fs::exists(path(".imgbuild-layout-alive/new")));
}

TEST_F(WriteLayout, says_when_a_blob_has_got_another_name) {
  LayoutImage image = this->image();
  std::vector<nlink_t> links;
  image.blobs[0].on_linked = [&] {
    struct stat info {};
    stat(image.blobs[0].file.c_str(), &info);
    links.push_back(info.st_nlink);
  };
  write_layout(image, path("out"), LayoutFormat::directory);
  EXPECT_EQ(links, (std::vector<nlink_t>{2}));
}

TEST_F(WriteLayout, modes_do_not_follow_the_umask) {
  const mode_t before = umask(077);
  write_layout(image(), path("out"), LayoutFormat::directory);
  umask(before);
  for (const auto& [name, mode] : std::map<std::string, mode_t>{
           {"out", 0755}, {"out/blobs/sha256", 0755}, {"out/index.json", 0644}}) {
    struct stat info {};
    ASSERT_EQ(stat(path(name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, mode) << name;
  }
}

TEST_F(WriteLayout, equal_layers_are_one_blob) {
  create_folders(path("store"));
  img::testing::SmallImage small(path("store"), Compression::gzip);
  small.add_layer("a", "same");
  small.add_layer("a", "same");
  write_layout(small.finish("1"), path("out"), LayoutFormat::directory);
  EXPECT_EQ(sorted_names(path("out/blobs/sha256")).size(), 3u);
  write_layout(small.finish("1"), path("out.tar"), LayoutFormat::docker_archive);
}

TEST_F(WriteLayout, replaces_a_layout_and_an_empty_folder) {
  create_folders(path("out"));
  write_layout(image(), path("out"), LayoutFormat::directory);
  const LayoutImage next = image(Compression::gzip, "changed");
  write_layout(next, path("out/"), LayoutFormat::directory);
  EXPECT_EQ(read_file(path("out/index.json")), next.index_json);
  EXPECT_EQ(sorted_names(path("out/blobs/sha256")).size(), 4u);
  EXPECT_EQ(beside(), (std::vector<std::string>{"blobs-of-store", "out"}));
}

TEST_F(WriteLayout, makes_missing_folders_above) {
  write_layout(image(), path("a/b/out"), LayoutFormat::directory);
  write_layout(image(), path("c/d/out.tar"), LayoutFormat::oci_archive);
  EXPECT_TRUE(fs::exists(path("a/b/out/index.json")));
  EXPECT_TRUE(fs::exists(path("c/d/out.tar")));
}

TEST_F(WriteLayout, keeps_a_folder_that_is_no_layout) {
  create_folders(path("home"));
  write_file(path("home/thesis.tex"), "x");
  const UsageError error =
      error_of<UsageError>([&] { write_layout(image(), path("home"), LayoutFormat::directory); });
  EXPECT_EQ(error.text().message,
            "folder '" + path("home").string() +
                "' is kept: it holds 'thesis.tex', which is no part of an OCI "
                "layout");
  EXPECT_EQ(error.text().hint, "choose another output, or remove the folder");
  EXPECT_EQ(read_file(path("home/thesis.tex")), "x");
}

TEST_F(WriteLayout, keeps_a_folder_that_only_looks_like_one) {
  create_folders(path("home/blobs"));
  EXPECT_EQ(
      error_of<UsageError>([&] { write_layout(image(), path("home"), LayoutFormat::directory); })
          .text()
          .message,
      "folder '" + path("home").string() + "' is kept: it is no OCI layout");
}

TEST_F(WriteLayout, keeps_a_file_where_a_folder_should_go_and_the_reverse) {
  write_file(path("file"), "x");
  create_folders(path("folder"));
  EXPECT_EQ(
      error_of<UsageError>([&] { write_layout(image(), path("file"), LayoutFormat::directory); })
          .text()
          .message,
      "'" + path("file").string() + "' is kept: it is no folder");
  EXPECT_EQ(error_of<UsageError>(
                [&] { write_layout(image(), path("folder"), LayoutFormat::oci_archive); })
                .text()
                .message,
            "'" + path("folder").string() + "' is a folder, not an archive");
}

TEST_F(WriteLayout, a_failure_leaves_the_old_layout_and_nothing_else) {
  const LayoutImage first = image();
  write_layout(first, path("out"), LayoutFormat::directory);
  LayoutImage broken = image(Compression::gzip, "changed");
  broken.blobs[1].file = path("gone");
  EXPECT_THROW(write_layout(broken, path("out"), LayoutFormat::directory), SystemError);
  EXPECT_THROW(write_layout(broken, path("out.tar"), LayoutFormat::oci_archive), SystemError);
  EXPECT_EQ(read_file(path("out/index.json")), first.index_json);
  EXPECT_EQ(beside(), (std::vector<std::string>{"blobs-of-store", "out"}));
}

TEST_F(WriteLayout, refuses_a_blob_whose_size_changed) {
  LayoutImage broken = image();
  broken.blobs[0].size += 1;
  for (LayoutFormat format : {LayoutFormat::directory, LayoutFormat::oci_archive}) {
    EXPECT_EQ(
        error_of<IntegrityError>([&] { write_layout(broken, path("out"), format); }).text().message,
        "blob '" + broken.blobs[0].digest.str() + "' has another size than it had");
  }
}

TEST_F(WriteLayout, follows_a_link_to_the_layout) {
  write_layout(image(), path("real"), LayoutFormat::directory);
  fs::create_directory_symlink(path("real"), path("link"));
  const LayoutImage next = image(Compression::gzip, "changed");
  write_layout(next, path("link"), LayoutFormat::directory);
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("real/index.json")), next.index_json);
}

TEST_F(WriteLayout, archives_do_not_depend_on_time_or_umask) {
  const LayoutImage image = this->image();
  for (LayoutFormat format : {LayoutFormat::oci_archive, LayoutFormat::docker_archive}) {
    write_layout(image, path("a.tar"), format);
    const mode_t before = umask(0);
    write_layout(image, path("b.tar"), format);
    umask(before);
    EXPECT_EQ(sha256_of(path("a.tar")), sha256_of(path("b.tar")));
  }
}

TEST_F(WriteLayout, docker_archive_lists_config_tag_and_layers) {
  const LayoutImage image = this->image();
  write_layout(image, path("d.tar"), LayoutFormat::docker_archive);
  std::map<std::string, std::string> files;
  FileSource source(InputFile::open(path("d.tar")));
  read_tar(source, "d.tar", [&](const TarEntry& entry, Source& body) {
    files[entry.path.str()] = read_all(body, 1 << 20, "body");
  });
  const auto blob = [](const Digest& digest) {
    return "blobs/sha256/" + std::string(digest.hex());
  };
  EXPECT_EQ(files["manifest.json"], R"([{"Config":")" + blob(image.config) + R"(","Layers":[")" +
                                        blob(image.layers[0]) + R"(",")" + blob(image.layers[1]) +
                                        R"("],"RepoTags":["small:1.0"]}])");
  EXPECT_TRUE(files.contains(blob(image.layers[1])));
  EXPECT_FALSE(files.contains("index.json"));
}

TEST_F(WriteLayout, docker_archive_refuses_zstd) {
  const LayoutImage image = this->image(Compression::zstd);
  const UsageError error = error_of<UsageError>(
      [&] { write_layout(image, path("d.tar"), LayoutFormat::docker_archive); });
  EXPECT_EQ(error.text().message, "a docker archive cannot carry zstd layers");
  EXPECT_EQ(error.text().hint, "build with --compression gzip");
  EXPECT_FALSE(fs::exists(path("d.tar")));
}

}  // namespace
}  // namespace img
