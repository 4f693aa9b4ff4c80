// SPDX-License-Identifier: Apache-2.0
// IMG-DIGEST, IMG-LAYER and IMG-SIZE.
#include "tests/unit/checks/fake_image.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::ElementsAre;
using testing::evidence;
using testing::good_image;
using ::testing::HasSubstr;

TEST(Digests, HoldWithTheirSumAsEvidence) {
  EXPECT_THAT(evidence(good_image().run("IMG-DIGEST")),
              ElementsAre("the manifest is what its descriptor says",
                          "the config is what its descriptor says",
                          "2 layers with 2.00 kB packed and 200 MB unpacked have the digests and "
                          "DiffIDs that the image names"));
}

TEST(Digests, OtherBytesFailAndIMG_LAYERDoesNotJudgeThem) {
  auto image = good_image();
  image.facts.layers[0].actual_digest = Digest::of("flipped").str();
  image.facts.layers[0].problems = {"checksum mismatch"};
  const CheckResult result = image.run("IMG-DIGEST");
  EXPECT_EQ(result.status, Status::fail);
  EXPECT_EQ(result.reason, "layer 1 of 2 has other bytes than its digest says");
  EXPECT_EQ(result.findings[0].layer, image.facts.layers[0].descriptor.digest.str());
  const CheckResult layer = image.run("IMG-LAYER");
  EXPECT_EQ(layer.status, Status::blocked);
  EXPECT_EQ(layer.reason, "1 layer of other bytes than the image names");
}

TEST(Digests, AnotherDiffIdFails) {
  auto image = good_image();
  image.facts.layers[1].diff_id = Digest::of("claimed").str();
  image.facts.layers[1].problems = {"the layer has another DiffID than the config says"};
  const CheckResult result = image.run("IMG-DIGEST");
  EXPECT_THAT(complaints(result),
              ElementsAre("fail: layer 2 of 2 unpacks to other bytes than its DiffID says | " +
                          Digest::of("claimed").str() + " | " + Digest::of("plain wheels").str() +
                          " | config of the image"));
  EXPECT_EQ(image.run("IMG-LAYER").status, Status::blocked);
}

TEST(Digests, AnotherSizeFails) {
  auto image = good_image();
  image.facts.layers[0].packed_size = 999;
  EXPECT_EQ(image.run("IMG-DIGEST").status, Status::fail);
}

TEST(Digests, AMissingBlobFails) {
  auto image = good_image();
  image.facts.layers[0].actual_digest.clear();
  image.facts.layers[0].problems = {"the image lacks blob"};
  EXPECT_EQ(image.run("IMG-DIGEST").reason, "layer 1 of 2 could not be read to its end");
}

TEST(Digests, AnotherConfigFails) {
  auto image = good_image();
  image.facts.image.config_bytes += " ";
  EXPECT_EQ(image.run("IMG-DIGEST").reason, "the config is not what its descriptor says");
}

TEST(Layers, ProblemsOfAnArchiveFail) {
  auto image = good_image();
  image.facts.layers[0].problems = {"path '../x' leaves the root"};
  EXPECT_THAT(complaints(image.run("IMG-LAYER")),
              ElementsAre("fail: layer 1 of 2 is not a valid layer |  | "
                          "path '../x' leaves the root | "));
}

TEST(Layers, DeviceNodesFailAndPipesWarn) {
  auto image = good_image();
  image.file("/dev/sda").kind = FileKind::device;
  image.file("/run/pipe").kind = FileKind::fifo;
  EXPECT_THAT(
      complaints(image.run("IMG-LAYER")),
      ElementsAre(
          "fail: '/dev/sda' is a device node, which no engine without root can make |  |  | ",
          "warn: '/run/pipe' is a named pipe, whose readers hang |  |  | "));
}

TEST(Size, IsHeldAgainstTheLimits) {
  auto image = good_image();
  image.manifest.checks = {.size_compressed = 2000, .size_unpacked = 199'000'000};
  EXPECT_THAT(complaints(image.run("IMG-SIZE")),
              ElementsAre("fail: the image is too big unpacked | at most 199 MB | 200 MB | "
                          "manifest, checks.size"));
  image.manifest.checks.size_unpacked = 200'000'000;
  EXPECT_EQ(image.run("IMG-SIZE").status, Status::pass);
}

TEST(Size, OneByteTooManyFails) {
  auto image = good_image();
  image.manifest.checks = {.size_compressed = 1999};
  EXPECT_EQ(image.run("IMG-SIZE").status, Status::fail);
}

}  // namespace
}  // namespace img
