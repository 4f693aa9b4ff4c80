// SPDX-License-Identifier: Apache-2.0
// The merged view of random layers against what GNU tar and umoci leave in a folder.
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "tests/support/random.h"
#include "tests/unit/image/image_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

using ::testing::Each;
using ::testing::EndsWith;
using testing::TarBlock;

/// Layers over few names, so that they often meet. Entries never lie below what a lower layer has
/// as a link: engines differ there.
class RandomLayers {
 public:
  explicit RandomLayers(std::uint64_t seed) : random_(seed) {}

  std::vector<std::vector<TarBlock>> make() {
    std::vector<std::vector<TarBlock>> layers;
    for (int i = 0; i < 5; ++i) layers.push_back(layer());
    return layers;
  }

 private:
  /// Folders have capital names, everything else small ones, so that no layer puts an entry below
  /// what is no folder.
  std::string random_folder() {
    std::string path;
    for (std::uint64_t depth = random_.below(3); depth > 0; --depth) {
      path += std::string(1, static_cast<char>('A' + random_.below(3))) + "/";
    }
    return path;
  }
  std::string random_name() { return std::string(1, static_cast<char>('a' + random_.below(5))); }

  std::vector<TarBlock> layer() {
    std::vector<TarBlock> blocks;
    std::set<std::string> taken, whole;  // whole: removed paths, whose parents must not vanish
    std::vector<std::string> files;
    for (int i = 0; i < 12; ++i) {
      const std::string folder = random_folder();
      const std::uint64_t kind = random_.below(8);
      const bool is_folder = kind == 0 || kind == 1;
      std::string name =
          is_folder ? std::string(1, static_cast<char>('A' + random_.below(3))) : random_name();
      if (kind == 2)
        name = ".wh." + (random_.below(3) == 0
                             ? std::string(1, static_cast<char>('A' + random_.below(3)))
                             : name);
      if (kind == 3 && random_.below(3) == 0) name = ".wh..wh..opq";
      const std::string path = folder + name;
      if (path == ".wh..wh..opq" || !taken.insert(path).second) continue;
      if (name.starts_with(".wh.")) {
        blocks.push_back(testing::file_block(path, ""));
      } else if (is_folder) {
        blocks.push_back({.name = path,
                          .type = '5',
                          .mode_field = random_.below(2) == 0 ? "0000755" : "0001777"});
      } else if (kind == 4) {
        blocks.push_back(testing::link_block(path, random_name()));
      } else if (kind == 5 && !files.empty()) {
        blocks.push_back(testing::hard_link_block(path, files[random_.below(files.size())]));
      } else {
        blocks.push_back(testing::file_block(
            path, std::string(random_.below(40), static_cast<char>('0' + random_.below(10)))));
        files.push_back(path);
      }
    }
    return blocks;
  }

  testing::Random random_;
};

/// One line for each path of a folder: kind, mode, content or target, and which names are one file.
std::vector<std::string> lines_of_folder(const fs::path& root) {
  std::map<std::string, std::string> lines;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(root)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end(),
            [](const fs::path& a, const fs::path& b) { return a.string() < b.string(); });
  std::vector<std::string> result;
  for (const fs::path& path : paths) {
    struct stat info;
    if (::lstat(path.c_str(), &info) != 0) throw std::runtime_error("lstat");
    std::string line = path.string().substr(root.string().size()) + " ";
    if (S_ISLNK(info.st_mode)) {
      line += "link " + fs::read_symlink(path).string();
    } else if (S_ISDIR(info.st_mode)) {
      line += "folder";
    } else {
      const auto [first, added] = first_names.emplace(std::pair(info.st_dev, info.st_ino),
                                                      path.string().substr(root.string().size()));
      line += "file " + std::to_string(info.st_size) + " " +
              (added ? read_file(path) : "= " + first->second);
    }
    result.push_back(line);
  }
  return result;
}

/// The same of the merged view. Contents come from the layers by their keys.
std::vector<std::string> lines_of_facts(const ImageFacts& facts,
                                        const std::map<std::uint64_t, std::string>& contents) {
  std::vector<std::string> result;
  std::map<std::string, std::string> first_names;  // first name of the facts → first by order
  for (const auto& [path, fact] : facts.files) {
    if (fact.kind != FileKind::file) continue;
    first_names.try_emplace(fact.hard_link_of.empty() ? path : fact.hard_link_of, path);
  }
  for (const auto& [path, fact] : facts.files) {
    if (fact.kind == FileKind::symlink) {
      result.push_back(path + " link " + fact.target);
    } else if (fact.kind == FileKind::directory) {
      result.push_back(path + " folder");
    } else {
      const std::string& first =
          first_names.at(fact.hard_link_of.empty() ? path : fact.hard_link_of);
      result.push_back(path + " file " + std::to_string(fact.size) + " " +
                       (first == path ? contents.at(fact.content_key) : "= " + first));
    }
  }
  return result;
}

/// Applies one layer as the specification says, with GNU tar: what whiteouts name goes first.
void apply_with_tar(const std::vector<TarBlock>& layer, const fs::path& root,
                    const fs::path& scratch) {
  std::vector<TarBlock> rest;
  for (const TarBlock& block : layer) {
    const fs::path path = root / block.name;
    const std::string name = path.filename().string();
    if (name == ".wh..wh..opq") {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(path.parent_path(), error))
        fs::remove_all(entry.path());
    } else if (name.starts_with(".wh.")) {
      fs::remove_all(path.parent_path() / name.substr(4));
    } else {
      rest.push_back(block);
    }
  }
  // tar does not replace a folder by a file on its own, nor a file by a folder.
  for (const TarBlock& block : rest) {
    const fs::path path = root / block.name;
    const fs::file_status status = fs::symlink_status(path);
    if (status.type() != fs::file_type::not_found &&
        (block.type == '5') != (status.type() == fs::file_type::directory)) {
      fs::remove_all(path);
    }
  }
  const fs::path tar = scratch / "layer.tar";
  write_file(tar, testing::tar_of(rest));
  const ProcessResult result =
      run_process({.argv = {find_program("tar")->string(), "--extract", "--file=" + tar.string(),
                            "--directory=" + root.string()},
                   .env = {{"LC_ALL", "C"}}});
  ASSERT_EQ(result.exit_code, 0) << result.stderr_text;
}

std::map<std::uint64_t, std::string> contents_of(const std::vector<std::vector<TarBlock>>& layers) {
  std::map<std::uint64_t, std::string> contents = {{0, ""}};
  testing::ImageWorld world;
  std::vector<TarBlock> all;
  std::set<std::string> bodies;
  for (const auto& layer : layers) {
    for (const TarBlock& block : layer) bodies.insert(block.body);
  }
  for (const std::string& body : bodies)
    all.push_back(testing::file_block(std::to_string(all.size()), body));
  world.add(all);
  const ImageFacts facts = world.inspect();
  for (const TarBlock& block : all)
    contents[facts.files.at("/" + block.name).content_key] = block.body;
  return contents;
}

TEST(LayersAgainstTar, TheMergedViewIsWhatTarLeaves) {
  if (!find_program("tar")) GTEST_SKIP() << "tar is not installed";
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const std::vector<std::vector<TarBlock>> layers = RandomLayers(seed).make();
    testing::ImageWorld world;
    const fs::path root = world.folder() / "root";
    fs::create_directories(root);
    for (const auto& layer : layers) {
      world.add(layer);
      apply_with_tar(layer, root, world.folder());
    }
    const ImageFacts facts = world.inspect();
    for (const LayerFact& layer : facts.layers)
      EXPECT_THAT(layer.problems, Each(EndsWith("' has a whiteout in its own layer")));
    EXPECT_EQ(lines_of_facts(facts, contents_of(layers)), lines_of_folder(root)) << "seed " << seed;
  }
}

/// umoci reads gzip only; so do the layers here.
TEST(LayersAgainstTar, TheMergedViewIsWhatUmociLeaves) {
  const auto umoci = find_program("umoci");
  const auto gzip = find_program("gzip");
  if (!umoci || !gzip) GTEST_SKIP() << "umoci is not installed";
  for (std::uint64_t seed = 101; seed <= 112; ++seed) {
    const std::vector<std::vector<TarBlock>> layers = RandomLayers(seed).make();
    testing::ImageWorld world;
    for (const auto& layer : layers) {
      const std::string tar = testing::tar_of(layer);
      const ProcessResult packed =
          run_process({.argv = {gzip->string(), "-nc"}, .stdin_text = tar});
      ASSERT_EQ(packed.exit_code, 0);
      world.add_packed(packed.stdout_text, tar, Compression::gzip);
    }
    world.write();
    std::vector<std::string> argv = {umoci->string(), "unpack", "--image",
                                     world.layout().string() + ":1"};
    if (::geteuid() != 0) argv.push_back("--rootless");
    argv.push_back((world.folder() / "bundle").string());
    const ProcessResult result =
        run_process({.argv = argv, .env = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/"}}});
    ASSERT_EQ(result.exit_code, 0) << result.stderr_text;
    EXPECT_EQ(lines_of_facts(world.inspect(), contents_of(layers)),
              lines_of_folder(world.folder() / "bundle/rootfs"))
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace img
