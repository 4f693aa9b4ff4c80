// SPDX-License-Identifier: Apache-2.0
// What an image lacks is added, and what it has in the wrong place is refused.
#include "validators/runner/skeleton.h"

#include "builder/base/error.h"
#include "tests/support/raw_image.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make tars of

class SkeletonTest : public ::testing::Test {
 protected:
  SkeletonTest() : dir_(fs::temp_directory_path(), "skeleton-") { create_folders(skeleton()); }
  fs::path skeleton() const { return dir_.path() / "skeleton"; }

  LayerStack stack(const std::string& entries) {
    const std::string tar = entries + tar_end();
    const fs::path tree = dir_.path() / ("tree" + std::to_string(layers_.size()));
    create_folders(tree);
    const SafeFolder target(tree);
    ViewSource source{as_bytes(tar)};
    layers_.push_back({tree, unpack_layer(source, {.target = target,
                                                   .name = "layer",
                                                   .diff_id = DiffId(Digest::of(tar)),
                                                   .packed_size = tar.size()})});
    return LayerStack(layers_);
  }
  std::string error_of_working_dir(const std::string& configured, const LayerStack& stack) {
    try {
      return "no error: " + working_dir_of(configured, stack);
    } catch (const InputError& error) {
      return error.render();
    }
  }
  mode_t mode_of(const std::string& name) const {
    struct stat info {};
    return lstat((skeleton() / name).c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  TempDir dir_;
  std::vector<UnpackedLayer> layers_;
};

TEST_F(SkeletonTest, HoldsOnlyWhatTheImageLacks) {
  make_skeleton(skeleton(), stack(tar_folder("proc") + tar_folder("tmp")), "/", Owners::ours);
  EXPECT_EQ(sorted_names(skeleton()),
            (std::vector<std::string>{".imgcheck", ".imgcheck-enter", "dev", "sys"}));
  EXPECT_EQ(mode_of(".imgcheck-enter"), 0755u);
}

TEST_F(SkeletonTest, AnEmptyImageGetsATmpForEverybody) {
  make_skeleton(skeleton(), stack(""), "/", Owners::ours);
  EXPECT_EQ(mode_of("tmp"), 01777u);
}

TEST_F(SkeletonTest, LinksAndFilesAtMountPointsAreRefused) {
  for (const std::string name : {"proc", "sys", "dev", "tmp", ".imgcheck"}) {
    for (const bool link : {true, false}) {
      layers_.clear();
      const LayerStack s = stack(link ? tar_link(name, "/etc") : tar_file(name, ""));
      TempDir folder(dir_.path(), "s");
      try {
        make_skeleton(folder.path(), s, "/", Owners::ours);
        ADD_FAILURE() << name;
      } catch (const InputError& error) {
        EXPECT_EQ(error.render(), "error: the image has " +
                                      std::string(link ? "a link to '/etc'" : "no folder") +
                                      " as '/" + name + "', where the runner mounts a folder");
      }
      remove_tree(dir_.path() / "tree0");
    }
  }
}

TEST_F(SkeletonTest, AWorkingDirectoryThatIsNotThereIsMadeAsTheImageHasItsParents) {
  make_skeleton(skeleton(), stack(tar_folder("home", "0000711")), "/home/me/work", Owners::ours);
  EXPECT_EQ(mode_of("home"), 0711u);
  EXPECT_EQ(mode_of("home/me/work"), 0755u);
}

TEST_F(SkeletonTest, GivesBackAttributesThatALayerOnlyImplies) {
  stack(tar_folder("tmp", "0001777") + tar_folder("tmp/a", "0000700"));
  make_skeleton(skeleton(), stack(tar_file("tmp/a/f", "")), "/", Owners::ours);
  EXPECT_EQ(mode_of("tmp"), 01777u);
  EXPECT_EQ(mode_of("tmp/a"), 0700u);
}

TEST_F(SkeletonTest, WorkingDirectoriesAreResolvedInsideTheImage) {
  const LayerStack s = stack(tar_folder("srv") + tar_link("work", "/srv"));
  EXPECT_EQ(working_dir_of("", s), "/");
  EXPECT_EQ(working_dir_of("/work", s), "/srv");
  EXPECT_EQ(working_dir_of("work/x", s), "/srv/x");
  EXPECT_EQ(working_dir_of("/process", s), "/process");
}

TEST_F(SkeletonTest, WorkingDirectoriesOfTheKernelAreRefused) {
  const LayerStack s = stack(tar_link("link", "/proc/self/fd/8") +
                             tar_link("rel", "../../proc/self") + tar_link("way", "rel") +
                             tar_folder("proc") + tar_link("proc/out", "/srv") + tar_folder("srv"));
  for (const std::string dir :
       {"/proc/self/fd/8", "/proc", "proc/self", "//proc/self", "/proc/../proc/1/cwd",
        "/a/../proc/self", "/sys", "/sys/fs/cgroup", "/dev/fd/7", "/dev", "/link", "/rel/fd/9",
        "/way", "/srv/../link/..", "/proc/out"}) {
    EXPECT_EQ(error_of_working_dir(dir, s).substr(0, 72),
              "error: the image's working directory is in a file system of the kernel\n ")
        << dir;
  }
  EXPECT_EQ(error_of_working_dir("/link", s),
            "error: the image's working directory is in a file system of the kernel\n"
            "  WorkingDir: /link   (the image's config)\n"
            "  that is:    /proc/self/fd/8\n"
            "hint: name a folder of the image");
}

}  // namespace
}  // namespace img
