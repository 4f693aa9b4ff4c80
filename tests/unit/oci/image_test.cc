// SPDX-License-Identifier: Apache-2.0
// Descriptors, manifest, index and config: canonical writing, strict reading.
#include "builder/oci/image.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

#include <functional>

namespace img {
namespace {

const std::string kDigest =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string kConfigType = "application/vnd.oci.image.config.v1+json";
const std::string kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.text().message;
  }
  return "accepted";
}

std::string descriptor_json(const std::string& type, const std::string& rest = "") {
  return R"({"digest":")" + kDigest + R"(","mediaType":")" + type + R"(","size":3)" + rest + "}";
}

std::string manifest_json(const std::string& rest = "") {
  return R"({"config":)" + descriptor_json(kConfigType) + R"(,"layers":[)" +
         descriptor_json(kLayerType) +
         R"(],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2)" + rest +
         "}";
}

std::string config_json(const std::string& rest = "") {
  return R"({"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[")" + kDigest +
         R"("],"type":"layers"})" + rest + "}";
}

Descriptor parse(const std::string& text) {
  return parse_descriptor(parse_json(text, "doc"), "doc", "layers[0]");
}

TEST(Platform, parses_two_and_three_parts) {
  EXPECT_EQ(parse_platform("linux/amd64"), (Platform{"linux", "amd64", ""}));
  EXPECT_EQ(parse_platform("linux/arm64/v8"), (Platform{"linux", "arm64", "v8"}));
  EXPECT_EQ(to_string(Platform{"linux", "arm64", "v8"}), "linux/arm64/v8");
  for (const char* text : {"", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/am d64"}) {
    EXPECT_FALSE(parse_platform(text)) << text;
  }
}

TEST(Descriptor, round_trips_canonically) {
  const std::string text =
      R"({"annotations":{"a":"1","b":"2"},"artifactType":"application/x","digest":")" + kDigest +
      R"(","mediaType":"application/y","platform":{"architecture":"arm64","os":"linux","variant":"v8"},"size":7})";
  EXPECT_EQ(canonical_json(to_json(parse(text))), text);
}

TEST(Descriptor, leaves_empty_members_out) {
  EXPECT_EQ(canonical_json(to_json(parse(descriptor_json(kLayerType)))),
            descriptor_json(kLayerType));
}

TEST(Descriptor, accepts_the_largest_size) {
  EXPECT_EQ(
      parse(R"({"digest":")" + kDigest + R"(","mediaType":"a/b","size":9223372036854775807})").size,
      9223372036854775807u);
}

TEST(Descriptor, refuses_bad_members_by_path) {
  const auto message = [](const std::string& digest, const std::string& type,
                          const std::string& size) {
    return message_of([&] {
      parse(R"({"digest":")" + digest + R"(","mediaType":")" + type + R"(","size":)" + size + "}");
    });
  };
  EXPECT_EQ(message(kDigest, "a/b", "-1"), "doc: layers[0].size: a size is not negative");
  EXPECT_EQ(message(kDigest, "a/b", "9223372036854775808"),
            "doc: layers[0].size: a size is below 2^63");
  EXPECT_EQ(message("sha256:../x", "a/b", "1"),
            "doc: layers[0].digest: 'sha256:../x' is no digest");
  EXPECT_EQ(message(kDigest, "tar", "1"), "doc: layers[0].mediaType: 'tar' is no media type");
  EXPECT_EQ(message(kDigest, "a/b/c", "1"), "doc: layers[0].mediaType: 'a/b/c' is no media type");
}

TEST(ImageManifest, round_trips_canonically) {
  const std::string text = manifest_json();
  EXPECT_EQ(canonical_json(to_json(parse_image_manifest(text, "m"))), text);
}

TEST(ImageManifest, reads_docker_manifests) {
  const std::string text =
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":)" +
      descriptor_json("application/vnd.docker.container.image.v1+json") + R"(,"layers":[]})";
  EXPECT_TRUE(parse_image_manifest(text, "m").config.media_type.is_config());
}

TEST(ImageManifest, refuses_documents_of_two_kinds) {
  EXPECT_EQ(message_of([] { parse_image_manifest(manifest_json(R"(,"manifests":[])"), "m"); }),
            "m: manifests: an image manifest has no such member");
  EXPECT_EQ(message_of([] { parse_image_manifest(manifest_json(R"(,"fsLayers":[])"), "m"); }),
            "m: fsLayers: an image manifest has no such member");
}

TEST(ImageManifest, refuses_the_media_type_of_another_kind) {
  const std::string text =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":)" +
      descriptor_json(kConfigType) + R"(,"layers":[]})";
  EXPECT_EQ(message_of([&] { parse_image_manifest(text, "m"); }),
            "m: mediaType: 'application/vnd.oci.image.index.v1+json' is not the type of an image "
            "manifest");
}

TEST(ImageManifest, refuses_schema_1) {
  EXPECT_EQ(message_of([] { parse_image_manifest(R"({"schemaVersion":1})", "m"); }),
            "m: schemaVersion: only version 2 is supported");
}

TEST(ImageManifest, refuses_duplicate_members) {
  EXPECT_NE(message_of([] { parse_image_manifest(manifest_json(R"(,"layers":[])"), "m"); }),
            "accepted");
}

TEST(ImageManifest, names_the_bad_layer) {
  const std::string text = R"({"schemaVersion":2,"config":)" + descriptor_json(kConfigType) +
                           R"(,"layers":[)" + descriptor_json(kLayerType) + "," +
                           descriptor_json("gzip") + "]}";
  EXPECT_EQ(message_of([&] { parse_image_manifest(text, "m"); }),
            "m: layers[1].mediaType: 'gzip' is no media type");
}

TEST(ImageIndex, is_written_sorted_by_platform_then_digest) {
  const MediaType type = MediaType::manifest();
  ImageIndex index;
  index.manifests.push_back({type, Digest::of("1"), 1, Platform{"linux", "arm64", ""}});
  index.manifests.push_back({type, Digest::of("2"), 1, Platform{"linux", "amd64", ""}});
  index.manifests.push_back({type, Digest::of("3"), 1});
  const ImageIndex read = parse_image_index(canonical_json(to_json(index)), "i");
  ASSERT_EQ(read.manifests.size(), 3u);
  EXPECT_EQ(read.manifests[0].digest, Digest::of("3"));
  EXPECT_EQ(read.manifests[1].digest, Digest::of("2"));
  EXPECT_EQ(read.manifests[2].digest, Digest::of("1"));
}

TEST(ImageIndex, refuses_layers_and_null_manifests) {
  EXPECT_EQ(message_of([] {
              parse_image_index(R"({"schemaVersion":2,"manifests":[],"layers":[]})", "i");
            }),
            "i: layers: an image index has no such member");
  EXPECT_NE(message_of([] { parse_image_index(R"({"schemaVersion":2,"manifests":null})", "i"); }),
            "accepted");
}

TEST(ImageConfig, round_trips_canonically_with_unknown_members) {
  const std::string text =
      R"({"architecture":"amd64","author":"a","config":{"Cmd":["python3"],"Entrypoint":["/t"],"Env":["B=1","A=2"],"ExposedPorts":{"80/tcp":{}},"Healthcheck":{"Test":["NONE"]},"Labels":{"l":"v"},"StopSignal":"SIGINT","User":"65532","Volumes":{"/workspace":{}},"WorkingDir":"/w"},"created":"2020-01-01T00:00:00Z","docker_version":"20","history":[{"author":"x","comment":"c","created":"2020-01-01T00:00:00Z","created_by":"imgbuild"},{"created_by":"env","empty_layer":true}],"os":"linux","rootfs":{"diff_ids":[")" +
      kDigest + R"("],"type":"layers"},"variant":"v2"})";
  EXPECT_EQ(canonical_json(to_json(parse_image_config(text, "c"))), text);
}

TEST(ImageConfig, an_empty_one_is_short) {
  EXPECT_EQ(canonical_json(to_json(parse_image_config(config_json(), "c"))), config_json());
}

TEST(ImageConfig, takes_null_for_absent) {
  const ImageConfig config = parse_image_config(
      config_json(
          R"(,"config":{"Cmd":null,"Entrypoint":null,"Env":null,"Labels":null,"Volumes":null,"User":null},"history":null)"),
      "c");
  EXPECT_EQ(canonical_json(to_json(config)), config_json());
}

TEST(ImageConfig, unknown_members_never_replace_known_ones) {
  ImageConfig config = parse_image_config(config_json(), "c");
  config.other["os"] = "windows";
  EXPECT_EQ(to_json(config)["os"], "linux");
}

TEST(ImageConfig, refuses_a_history_that_does_not_fit) {
  EXPECT_EQ(message_of([] { parse_image_config(config_json(R"(,"history":[{},{}])"), "c"); }),
            "c: history: 2 lines with a layer for 1 diff ids");
}

TEST(ImageConfig, refuses_another_rootfs) {
  EXPECT_EQ(message_of([] {
              parse_image_config(
                  R"({"os":"linux","architecture":"amd64","rootfs":{"type":"zip","diff_ids":[]}})",
                  "c");
            }),
            "c: rootfs.type: expected 'layers', found 'zip'");
  EXPECT_EQ(
      message_of([] {
        parse_image_config(
            R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["x"]}})",
            "c");
      }),
      "c: rootfs.diff_ids: 'x' is no digest");
}

}  // namespace
}  // namespace img
