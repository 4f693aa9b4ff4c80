// SPDX-License-Identifier: Apache-2.0
// Which layers a manifest and its lock give.

#include "builder/assemble/plan.h"

#include <gtest/gtest.h>

namespace img {
namespace {

LockedWheel wheel(const std::string& name, std::uint64_t size, const std::string& layer) {
  return {.name = name,
          .version = "1.0",
          .file = name + "-1.0-py3-none-any.whl",
          .size = size,
          .sha256 = Digest::of(name),
          .unpacked_size = size * 2,
          .index = "pypi",
          .uploaded = "",
          .layer = layer};
}

LockedDeb deb(const std::string& name, const std::string& layer) {
  return {.package = name,
          .version = "1",
          .architecture = "amd64",
          .path = "pool/" + name + ".deb",
          .archive = "debian",
          .suite = "bookworm",
          .size = 10,
          .sha256 = Digest::of(name),
          .layer = layer};
}

BuildManifest manifest() {
  BuildManifest m;
  m.file = "m.yaml";
  m.recipes.push_back({.name = "base", .spec = DebianSpec{.suite = "bookworm"}});
  m.recipes.push_back({.name = "python", .spec = WheelsSpec{.venv = "/opt/venv"}});
  m.recipes.push_back({.name = "pytorch", .spec = WheelsSpec{}});
  m.recipes.push_back({.name = "app", .spec = FilesSpec{}});
  return m;
}

std::vector<std::string> titles(const std::vector<PlannedLayer>& plan) {
  std::vector<std::string> result;
  for (const PlannedLayer& layer : plan) result.push_back(layer.recipe->name + ": " + layer.title);
  return result;
}

TEST(Plan, GivesBigWheelsBlobsOfTheirOwnAndTheRestOneTogether) {
  const BuildManifest m = manifest();
  LockFile lock;
  lock.wheels = {wheel("aaa", 5, "pytorch"), wheel("cublas", kOwnBlobBytes, "pytorch"),
                 wheel("pip", 7, "python"), wheel("torch", kOwnBlobBytes + 1, "pytorch"),
                 wheel("zzz", 6, "pytorch")};
  lock.debs = {deb("libc6", "base")};
  const auto plan = make_plan(m, lock);
  EXPECT_EQ(titles(plan),
            (std::vector<std::string>{"base: 1 Debian package", "python: venv, pip 1.0",
                                      "pytorch: cublas 1.0", "pytorch: torch 1.0",
                                      "pytorch: 2 wheels", "app: files"}));
  EXPECT_TRUE(plan[1].makes_venv);
  EXPECT_FALSE(plan[2].has_directories);
  EXPECT_TRUE(plan[4].has_directories);
  EXPECT_EQ(plan[4].input_bytes, 11u);
}

TEST(Plan, LeavesOutARecipeThatBringsNothing) {
  const BuildManifest m = manifest();
  LockFile lock;
  lock.wheels = {wheel("pip", 7, "python")};
  const auto plan = make_plan(m, lock);
  ASSERT_EQ(plan.size(), 3u);
  EXPECT_EQ(plan[2].recipe->name, "app");
}

TEST(Plan, RefusesALockThatNamesAnotherRecipe) {
  const BuildManifest m = manifest();
  LockFile lock;
  lock.wheels = {wheel("torch", 7, "gone")};
  try {
    make_plan(m, lock);
    FAIL();
  } catch (const ManifestError& error) {
    EXPECT_EQ(error.render(),
              "error: the lock puts 'torch' into recipe 'gone', which the manifest does not have\n"
              "hint: run 'imgbuild lock m.yaml'");
  }
}

}  // namespace
}  // namespace img
