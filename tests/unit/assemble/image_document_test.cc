// SPDX-License-Identifier: Apache-2.0
// What config, manifest and index say.

#include "builder/assemble/image_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;

BuildManifest manifest() {
  BuildManifest m;
  m.name = "pytorch-cuda";
  m.tag = "1";
  m.platform = {.os = "linux", .architecture = "amd64", .variant = ""};
  m.versions = {{"cuda", "12.8"}, {"python", "3.11"}};
  m.recipes.push_back(
      {.name = "base", .summary = "Debian", .env = {{"LANG", "C.UTF-8"}}, .spec = DebianSpec{}});
  m.recipes.push_back({.name = "python", .spec = WheelsSpec{.venv = "/opt/venv"}});
  m.config.cmd = {"python3"};
  m.config.volumes = {"/workspace", "/data"};
  return m;
}

std::vector<DescribedLayer> layers(const BuildManifest& m) {
  const auto layer = [](const std::string& text) {
    return Layer{.descriptor = {.media_type = MediaType::layer(Compression::zstd),
                                .digest = Digest::of(text),
                                .size = text.size()},
                 .diff_id = DiffId(Digest::of("plain " + text)),
                 .uncompressed_size = 100};
  };
  return {{layer("one"), &m.recipes[0], "90 Debian packages"},
          {layer("two"), &m.recipes[1], "venv, pip 26"}};
}

TEST(ImageDocument, WritesEnvironmentInAStableOrderWithTheFloorOfTheCudaMajor) {
  BuildManifest m = manifest();
  m.config.env = {{"LANG", "de_DE.UTF-8"}, {"Z", "1"}};
  LockFile lock;
  lock.created = "2026-11-01T00:00:00Z";
  const auto documents = make_documents(m, lock, layers(m), nullptr);
  EXPECT_THAT(
      documents.config.env,
      ElementsAre("PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                  "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                  "NVIDIA_REQUIRE_CUDA=cuda>=12.0", "LANG=de_DE.UTF-8", "Z=1"));
}

TEST(ImageDocument, LeavesNvidiaVariablesOutOfAnImageWithoutCuda) {
  BuildManifest m = manifest();
  m.versions.erase("cuda");
  LockFile lock;
  const auto documents = make_documents(m, lock, layers(m), nullptr);
  for (const std::string& line : documents.config.env) {
    EXPECT_FALSE(line.starts_with("NVIDIA_")) << line;
  }
}

TEST(ImageDocument, TakesItsDateFromTheLockAndHasAHistoryLinePerLayer) {
  const BuildManifest m = manifest();
  LockFile lock;
  lock.created = "2026-11-01T00:00:00Z";
  const auto documents = make_documents(m, lock, layers(m), nullptr);
  EXPECT_EQ(documents.config.created, lock.created);
  ASSERT_EQ(documents.config.history.size(), 2u);
  EXPECT_EQ(documents.config.history[0].created_by, "imgbuild base: 90 Debian packages");
  EXPECT_EQ(documents.config.history[0].comment, "Debian");
  EXPECT_EQ(documents.config.diff_ids.size(), 2u);
  EXPECT_THAT(documents.config.volumes, ElementsAre("/data", "/workspace"));
}

TEST(ImageDocument, PutsABaseImageUnderOurLayers) {
  const BuildManifest m = manifest();
  LockFile lock;
  BaseImage base;
  base.digest = "sha256:x";
  base.config.env = {"A=base", "LANG=C"};
  base.config.diff_ids = {DiffId(Digest::of("base plain"))};
  base.config.history = {{.created = "", .created_by = "base"}};
  base.layers = {{.descriptor = {.media_type = MediaType::layer(Compression::gzip),
                                 .digest = Digest::of("base"),
                                 .size = 4},
                  .diff_id = base.config.diff_ids[0]}};
  const auto documents = make_documents(m, lock, layers(m), &base);
  EXPECT_EQ(documents.config.diff_ids.size(), 3u);
  EXPECT_EQ(documents.config.env[0], "A=base");
  EXPECT_EQ(documents.config.env[1], "LANG=C.UTF-8");
  const auto image = parse_image_manifest(documents.manifest_json, "manifest");
  ASSERT_EQ(image.layers.size(), 3u);
  EXPECT_EQ(image.layers[0].digest, Digest::of("base"));
  EXPECT_EQ(image.annotations.at("org.opencontainers.image.base.digest"), "sha256:x");
}

TEST(ImageDocument, IndexNamesTheTagAndThePlatform) {
  const BuildManifest m = manifest();
  LockFile lock;
  const auto documents = make_documents(m, lock, layers(m), nullptr);
  const auto index = parse_image_index(documents.index_json, "index");
  ASSERT_EQ(index.manifests.size(), 1u);
  EXPECT_EQ(index.manifests[0].digest, Digest::of(documents.manifest_json));
  EXPECT_EQ(index.manifests[0].annotations.at("org.opencontainers.image.ref.name"), "1");
  ASSERT_TRUE(index.manifests[0].platform.has_value());
  EXPECT_EQ(to_string(*index.manifests[0].platform), "linux/amd64");
}

}  // namespace
}  // namespace img
