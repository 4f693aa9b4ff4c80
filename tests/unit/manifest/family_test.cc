// SPDX-License-Identifier: Apache-2.0
// Family files, the manifests that they give, and members that are impossible.
#include "builder/manifest/family.h"

#include "builder/base/file.h"
#include "builder/manifest/build_manifest.h"

#include <gtest/gtest.h>

namespace img {
namespace {

const fs::path kRoot = IMG_SOURCE_DIR;

const std::string kHead =
    "schema: imgfamily/v1\nname: pytorch-cuda\nfolder: pytorch\n"
    "bases:\n  bookworm: {recipe: base/debian-bookworm, python: \"3.11\"}\n"
    "  old: {recipe: base/old, python: \"3.5\"}\n"
    "cuda: {\"12.8\": cuda}\ngpus: [P100, A100]\nmembers:\n";

template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const ManifestError& error) {
    return error.render();
  }
  return {};
}

FamilyManifest manifest_of(const std::string& member) {
  const Family family = parse_family(kHead + member, "f/family.yaml");
  return family_manifest(family, family.members.front(), builtin_compatibility());
}

TEST(Family, WritesAManifestFromTheTable) {
  const FamilyManifest manifest = manifest_of("- {torch: \"2.8.0\", base: bookworm}\n");
  EXPECT_EQ(manifest.tag, "2.8.0-cu128-py311");
  EXPECT_EQ(manifest.path, "pytorch/2.8.0-cu128-py311.yaml");
  EXPECT_EQ(manifest.text,
            "# SPDX-License-Identifier: Apache-2.0\n"
            "# Written by `imgbuild family` from family.yaml; change that file instead.\n"
            "schema: imgbuild/v1\n"
            "image:\n"
            "  name: pytorch-cuda\n"
            "  tag: 2.8.0-cu128-py311\n"
            "  platform: linux/amd64\n"
            "versions:\n"
            "  python: \"3.11\"\n"
            "  torch: \"2.8.0\"\n"
            "  cuda: \"12.8\"\n"
            "  cudnn: \"9.10\"\n"
            "  nccl: \"2.27\"\n"
            "layers:\n"
            "  - base/debian-bookworm\n"
            "  - python\n"
            "  - cuda\n"
            "  - cudnn\n"
            "  - nccl\n"
            "  - pytorch\n"
            "config:\n"
            "  workdir: /workspace\n"
            "  volumes: [/workspace]\n"
            "  cmd: [python3]\n"
            "supports:\n"
            "  gpus: [A100]\n"
            "  driver: \"525.60.13\"\n");
}

TEST(Family, SaysWhyAMemberIsImpossible) {
  const auto problem = [](const std::string& member) {
    return error_of([&] { manifest_of(member); });
  };
  EXPECT_EQ(problem("- {torch: \"9.9.9\", base: bookworm}\n"),
            "error: f/family.yaml:10:3: the compatibility table does not have torch 9.9.9\n"
            "   10 | - {torch: \"9.9.9\", base: bookworm}\n"
            "      |   ^\n"
            "hint: read its wheel: imgbuild facts --deep --torch 9.9.9");
  EXPECT_NE(
      problem("- {torch: \"2.8.0\", base: old}\n").find("torch 2.8.0 has no wheels for Python 3.5"),
      std::string::npos);
  EXPECT_NE(problem("- {torch: \"2.6.0\", base: bookworm}\n")
                .find("the family has no recipe for CUDA 12.4, which torch 2.6.0 is built for"),
            std::string::npos);
}

TEST(Family, NamesWhatIsWrongInAFile) {
  const auto problem = [](const std::string& text) {
    return error_of([&] { parse_family(text, "f.yaml"); });
  };
  EXPECT_NE(problem("schema: x\n").find("unknown schema 'x'"), std::string::npos);
  EXPECT_NE(problem(kHead + "- {torch: \"2.8.0\", base: bookwurm}\n")
                .find("there is no base 'bookwurm' in this family"),
            std::string::npos);
  const std::string member = "- {torch: \"2.8.0\", base: bookworm}\n";
  EXPECT_NE(problem(kHead + member + member).find("torch 2.8.0 with Python 3.11 is given twice"),
            std::string::npos);
  EXPECT_NE(problem(kHead + "- {torch: 2.8, base: bookworm}\n").find("is not quoted"),
            std::string::npos);
  EXPECT_NE(problem(kHead + "- {torch: \"2.8.0\", base: bookworm, cuda: \"1\"}\n")
                .find("unknown key 'cuda'"),
            std::string::npos);
  EXPECT_NE(problem(kHead + "[]\n"), "");
}

TEST(Family, TheShippedOneGivesManifestsThatLoad) {
  const std::string file = (kRoot / "manifests/families/pytorch.yaml").string();
  const Family family = parse_family(read_file(file), file);
  EXPECT_GE(family.members.size(), 8u);
  for (const FamilyMember& member : family.members) {
    const FamilyManifest manifest = family_manifest(family, member, builtin_compatibility());
    const fs::path path = kRoot / "manifests/families" / manifest.path;
    ASSERT_TRUE(fs::exists(path)) << path << ": run 'imgbuild family " << file << " lock'";
    EXPECT_EQ(read_file(path), manifest.text) << path;
    LoadOptions options;
    options.recipe_folders.push_back(kRoot / "layers");
    EXPECT_EQ(load_manifest(path.string(), options).tag, manifest.tag);
  }
}

}  // namespace
}  // namespace img
