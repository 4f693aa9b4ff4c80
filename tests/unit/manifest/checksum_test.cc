// SPDX-License-Identifier: Apache-2.0
// The checksum: what changes it, what does not, and that it stays the same from release to release.
#include "builder/manifest/json.h"
#include "tests/unit/manifest/world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

const std::string kText =
    kHead +
    "versions: {python: \"3.11\", torch: \"2.8.0\"}\n"
    "layers:\n- base\n- python\n"
    "- {name: torch, kind: wheels, requires: [\"torch=={torch}\"], requirements_file: r.txt}\n"
    "- {name: app, kind: files, files: [{path: /a, source: a.py}], env: {A: b}}\n"
    "config: {cmd: [python3]}\nchecks: {size: {unpacked: 1GB}}\n";

class Checksum : public ::testing::Test {
 protected:
  Checksum() { fill(world_); }
  static void fill(const ManifestWorld& world) {
    world.write("r.txt", "numpy>=2\nx\n");
    world.write("a.py", "print(1)\n");
  }
  ManifestWorld world_;
};

TEST_F(Checksum, IsTheSameForTheSameMeaning) {
  const std::string checksum = world_.load(kText).checksum();
  EXPECT_EQ(checksum.size(), 71U);
  EXPECT_EQ(world_.load("# a comment\n" + kText + "\n\n").checksum(), checksum);
  EXPECT_EQ(world_.load(replaced(kText, "{cmd: [python3]}", "\n  cmd:\n  - 'python3'")).checksum(),
            checksum);
  EXPECT_EQ(world_.load(replaced(kText, "{unpacked: 1GB}", "{unpacked: 2GB}")).checksum(),
            checksum);
  world_.write("r.txt", "# why\nnumpy>=2  # this\n\nx\n");
  world_.write("a.py", "print(2)\n");
  EXPECT_EQ(world_.load(kText).checksum(), checksum);
}

TEST_F(Checksum, DoesNotDependOnWhereTheFilesLie) {
  const ManifestWorld other;
  fill(other);
  EXPECT_EQ(other.load(kText).checksum(), world_.load(kText).checksum());
}

TEST_F(Checksum, ChangesWithEverythingThatReachesTheImage) {
  const std::string checksum = world_.load(kText).checksum();
  const std::pair<const char*, const char*> changes[] = {
      {"tag: t", "tag: u"},
      {"2.8.0", "2.8.1"},
      {"=={torch}", ">={torch}"},
      {"name: torch", "name: t"},
      {"path: /a", "path: /b"},
      {"A: b", "A: c"},
      {"cmd: [python3]", "cmd: [x]"},
      {"checks:", "compression: gzip\nchecks:"},
      {"checks:", "selftest: true\nchecks:"},
      {"checks:", "supports: {driver: 525.1.2}\nchecks:"},
      {"source: a.py", "content: x"}};
  for (const auto& [from, to] : changes) {
    EXPECT_NE(world_.load(replaced(kText, from, to)).checksum(), checksum) << to;
  }
  world_.write("r.txt", "numpy>=3\nx\n");
  EXPECT_NE(world_.load(kText).checksum(), checksum);
}

TEST_F(Checksum, StaysFromReleaseToRelease) {
  // A change here makes every lock stale: on purpose only, with a line in CHANGELOG.md.
  EXPECT_EQ(world_.load(kText).checksum(),
            "sha256:3c6e125c925bc36aa94d21d41a327b3a3045ad3d1ab227e80ea9c34d6ccb7997");
}

TEST_F(Checksum, JsonHasEveryFieldAndNoLocalFolder) {
  const Json json = to_json(world_.load(kText));
  EXPECT_EQ(json["layers"][2]["requirements"], Json::array({"numpy>=2", "x"}));
  EXPECT_EQ(json["layers"][3]["files"][0]["source"], "a.py");
  EXPECT_EQ(json["layers"][3]["files"][0]["mode"], nullptr);
  EXPECT_EQ(json["config"]["user"], nullptr);
  EXPECT_EQ(json["compression"], nullptr);
  EXPECT_EQ(json["checks"]["sizeUnpackedBytes"], 1'000'000'000);
  Json without_files = json;
  without_files.erase("file");
  for (Json& layer : without_files["layers"]) layer.erase("file");
  EXPECT_EQ(without_files.dump().find(world_.path("").string()), std::string::npos);
}

}  // namespace
}  // namespace img
