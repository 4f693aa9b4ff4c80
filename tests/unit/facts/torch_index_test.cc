// SPDX-License-Identifier: Apache-2.0
// Which wheels of an index page count.
#include "builder/facts/torch_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;

std::vector<IndexFile> page(const std::vector<std::string>& names) {
  std::vector<IndexFile> files;
  for (const std::string& name : names)
    files.push_back({.file = name, .url = "https://x.test/" + name});
  return files;
}

TEST(TorchIndex, TakesFinalVersionsForLinuxInOrder) {
  auto files = page({"torch-2.10.0-cp311-cp311-manylinux_2_28_x86_64.whl",
                     "torch-2.9.0-cp313-cp313t-manylinux_2_28_x86_64.whl",
                     "torch-2.9.0-cp313-cp313-manylinux_2_28_x86_64.whl",
                     "torch-2.9.0-cp311-cp311-manylinux_2_28_aarch64.whl",
                     "torch-2.9.0-cp311-none-macosx_11_0_arm64.whl",
                     "torch-2.9.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl",
                     "torch-2.9.0+cu126-cp311-cp311-manylinux_2_28_x86_64.whl",
                     "torch-2.1.0-cp311-cp311-manylinux1_x86_64.whl", "torch-2.1.0.tar.gz", "x.whl",
                     "torch-2.8.0-cp311-cp311-manylinux_2_28_x86_64.whl"});
  files.back().yanked = true;
  const auto versions = x86_64_wheels(files);
  std::vector<std::string> found;
  for (const IndexedVersion& version : versions) {
    for (const auto& [tag, file] : version.wheels) found.push_back(version.version + " " + tag);
  }
  EXPECT_THAT(found, ElementsAre("2.1.0 cp311", "2.9.0 cp313", "2.9.0 cp313t", "2.10.0 cp311"));
}

TEST(TorchIndex, KnowsThePythonOfATag) {
  EXPECT_EQ(python_of_tag("cp311"), "3.11");
  EXPECT_EQ(python_of_tag("cp38"), "3.8");
  EXPECT_EQ(python_of_tag("cp313t"), "3.13t");
  for (const char* tag : {"", "cp", "cp3", "py3", "cp311x", "cpt", "311"}) {
    EXPECT_EQ(python_of_tag(tag), "") << tag;
  }
}

}  // namespace
}  // namespace img
