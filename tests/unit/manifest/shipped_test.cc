// SPDX-License-Identifier: Apache-2.0
// The manifests and recipes that are shipped load, and promise what the compatibility table knows.
#include "builder/base/file.h"
#include "builder/manifest/build_manifest.h"
#include "builder/manifest/compatibility.h"

#include <gtest/gtest.h>

namespace img {
namespace {

const fs::path kRoot = IMG_SOURCE_DIR;

TEST(Shipped, CompatibilityTableIsTheOneBuiltIn) {
  const auto table = parse_compatibility(read_file(kRoot / "manifests/compatibility.yaml"), "x");
  EXPECT_EQ(table.torch.size(), builtin_compatibility().torch.size());
  EXPECT_EQ(format_compatibility(table), format_compatibility(builtin_compatibility()));
}

TEST(Shipped, CompatibilityTableHasTheFormThatFactsWrite) {
  const std::string text = read_file(kRoot / "manifests/compatibility.yaml");
  EXPECT_EQ(format_compatibility(parse_compatibility(text, "x")), text);
}

TEST(Shipped, StandardImagePromisesAPairThatExists) {
  const BuildManifest manifest = load_manifest(kRoot / "manifests/pytorch-2.8.0-cu128-py311.yaml");
  EXPECT_EQ(manifest.name + ":" + manifest.tag, "pytorch-cuda:2.8.0-cu128-py311");
  EXPECT_EQ(manifest.recipes.size(), 6U);
  EXPECT_EQ(manifest.venv(), "/opt/venv");
  const Compatibility& table = builtin_compatibility();
  const TorchVariant* variant =
      table.find_torch(manifest.versions.at("torch"))->find_cuda(manifest.versions.at("cuda"));
  ASSERT_NE(variant, nullptr);
  EXPECT_TRUE(variant->is_default);  // the recipe takes the PyPI index's
  EXPECT_TRUE(variant->cudnn.starts_with(manifest.versions.at("cudnn") + "."));
  EXPECT_TRUE(variant->nccl.starts_with(manifest.versions.at("nccl") + "."));
  EXPECT_EQ(manifest.supports.driver, table.driver_floor_of(variant->cuda));
  for (const std::string& gpu : manifest.supports.gpus) {
    EXPECT_EQ(table.covers(*variant, table.find_gpu(gpu)->compute), true) << gpu;
  }
}

TEST(Shipped, SmallImageLoads) {
  const BuildManifest manifest = load_manifest(kRoot / "manifests/small-nccl-py311.yaml");
  EXPECT_EQ(manifest.recipes.size(), 4U);
  EXPECT_EQ(std::get<WheelsSpec>(manifest.recipes[2].spec).requires_,
            (std::vector<std::string>{"nvidia-nccl-cu12==2.27.3"}));
}

TEST(Shipped, ExampleStandsOnTheStandardImage) {
  const BuildManifest standard = load_manifest(kRoot / "manifests/pytorch-2.8.0-cu128-py311.yaml");
  const BuildManifest example = load_manifest(kRoot / "manifests/examples/finetune-bert.yaml");
  ASSERT_GT(example.recipes.size(), standard.recipes.size());
  for (std::size_t at = 0; at < standard.recipes.size(); ++at) {
    EXPECT_EQ(example.recipes[at].name, standard.recipes[at].name);
  }
  const auto& app = std::get<FilesSpec>(example.recipes.back().spec);
  ASSERT_EQ(app.users.size(), 1U);
  EXPECT_EQ(example.config.user, app.users[0].name);
  for (const DirectorySpec& directory : app.directories) EXPECT_EQ(directory.uid, app.users[0].uid);
}

TEST(Shipped, EveryRecipeIsUsableOnTheBase) {
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "layers")) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string name =
        entry.path().lexically_relative(kRoot / "layers").replace_extension().generic_string();
    const TempDir folder(fs::temp_directory_path(), "shipped-test-");
    const bool is_base = name.starts_with("base/");
    std::string layers = is_base ? name : "base/debian-bookworm, " + name;
    if (!is_base && name != "python" && name != "build-tools") {
      layers = "base/debian-bookworm, python, " + name;
    }
    const std::string python = name == "base/debian-trixie" ? "3.13" : "3.11";
    write_file(
        folder.path() / "m.yaml",
        "schema: imgbuild/v1\nimage: {name: x, tag: t}\nversions: {python: \"" + python +
            "\", torch: \"2.8.0\", cuda: \"12.8\", cudnn: \"9.10\", nccl: \"2.27\"}\nlayers: [" +
            layers + "]\n");
    const BuildManifest manifest =
        load_manifest(folder.path() / "m.yaml", {.recipe_folders = {kRoot / "layers"}});
    EXPECT_FALSE(manifest.recipes.back().summary.empty()) << name;
  }
}

}  // namespace
}  // namespace img
