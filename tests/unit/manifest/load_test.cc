// SPDX-License-Identifier: Apache-2.0
// Manifests: what is read, and the whole error for each thing that is wrong in one.
#include "tests/unit/manifest/world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

class Manifest : public ::testing::Test {
 protected:
  ManifestWorld world_;
  /// Error of a manifest with a base and these lines.
  std::string error(const std::string& lines) {
    return world_.error(kHead + "layers: [base]\n" + lines);
  }
  BuildManifest load(const std::string& lines) {
    return world_.load(kHead + "layers: [base]\n" + lines);
  }
};

TEST_F(Manifest, ReadsEveryKey) {
  const BuildManifest manifest = world_.load(
      "schema: imgbuild/v1\n"
      "image: {name: team/pytorch-cuda, tag: 2.8.0-cu128, platform: linux/amd64}\n"
      "versions: {python: \"3.11\", torch: 2.8.0}\n"
      "layers: [base, python]\n"
      "config:\n"
      "  user: \"1000:1000\"\n"
      "  workdir: /workspace\n"
      "  entrypoint: [tini, --]\n"
      "  cmd: [python3]\n"
      "  volumes: [/workspace]\n"
      "  exposed_ports: [8080, 53/udp]\n"
      "  env: {A: \"1\"}\n"
      "  labels: {a.b: c}\n"
      "  stop_signal: SIGINT\n"
      "supports: {gpus: [T4, RTX 4090], driver: \"525.60.13\"}\n"
      "checks:\n"
      "  size: {compressed: 4.5GB, unpacked: 7.5GB}\n"
      "  cold_start: {import_torch: 1500ms}\n"
      "compression: gzip\n"
      "selftest: true\n");
  EXPECT_EQ(manifest.name, "team/pytorch-cuda");
  EXPECT_EQ(manifest.tag, "2.8.0-cu128");
  EXPECT_EQ(to_string(manifest.platform), "linux/amd64");
  EXPECT_EQ(manifest.versions.at("torch"), "2.8.0");
  EXPECT_EQ(manifest.version_positions.at("torch").line, 3);
  EXPECT_EQ(manifest.config.user, "1000:1000");
  EXPECT_EQ(manifest.config.entrypoint, (std::vector<std::string>{"tini", "--"}));
  EXPECT_EQ(manifest.config.exposed_ports, (std::vector<std::string>{"8080", "53/udp"}));
  EXPECT_EQ(manifest.config.labels.at("a.b"), "c");
  EXPECT_EQ(manifest.supports.gpus, (std::vector<std::string>{"T4", "RTX 4090"}));
  EXPECT_EQ(manifest.checks.size_compressed, 4'500'000'000U);
  EXPECT_EQ(manifest.checks.import_torch_seconds, 1.5);
  EXPECT_EQ(manifest.compression, Compression::gzip);
  EXPECT_TRUE(manifest.selftest);
  ASSERT_NE(manifest.python(), nullptr);
  EXPECT_EQ(manifest.python()->path, "/usr/bin/python3.11");
  EXPECT_EQ(manifest.venv(), "/opt/venv");
  EXPECT_EQ(manifest.recipes[1].position.line, 4);
}

TEST_F(Manifest, ReadsTheDocumentThatUsesEveryKeyOfTheSchema) {
  const fs::path folder = fs::path(IMG_SOURCE_DIR) / "tests/unit/manifest";
  EXPECT_EQ(load_manifest(folder / "every_key.yaml").recipes.size(), 3U);
}

TEST_F(Manifest, NamesUnknownKeysAtEveryLevel) {
  EXPECT_EQ(error("confg: {}\n"),
            "error: m.yaml:4:1: unknown key 'confg' in the manifest\n"
            "    4 | confg: {}\n"
            "      | ^~~~~\n"
            "hint: did you mean 'config'?");
  EXPECT_EQ(error("config: {workdr: /x}\n"),
            "error: m.yaml:4:10: unknown key 'workdr' in 'config'\n"
            "    4 | config: {workdr: /x}\n"
            "      |          ^~~~~~\n"
            "hint: did you mean 'workdir'?");
  EXPECT_NE(error("supports: {gpu: [T4]}").find("unknown key 'gpu' in 'supports'"),
            std::string::npos);
  EXPECT_NE(error("checks: {sizes: {}}").find("unknown key 'sizes' in 'checks'"),
            std::string::npos);
  EXPECT_NE(error("checks: {size: {packed: 1GB}}").find("in 'checks.size'"), std::string::npos);
  EXPECT_NE(error("checks: {cold_start: {x: 1s}}").find("in 'checks.cold_start'"),
            std::string::npos);
  EXPECT_NE(world_.error("schema: imgbuild/v1\nimage: {name: x, tag: t, os: y}\nlayers: [base]\n")
                .find("unknown key 'os' in 'image'"),
            std::string::npos);
}

TEST_F(Manifest, NamesMissingKeys) {
  EXPECT_EQ(world_.error("image: {name: x, tag: t}\nlayers: [base]\n"),
            "error: m.yaml:1:1: key 'schema' is missing in the manifest\n"
            "    1 | image: {name: x, tag: t}\n"
            "      | ^");
  EXPECT_NE(world_.error("schema: imgbuild/v1\nlayers: [base]\n").find("key 'image' is missing"),
            std::string::npos);
  EXPECT_NE(world_.error("schema: imgbuild/v1\nimage: {name: x}\nlayers: [base]\n")
                .find("key 'tag' is missing in 'image'"),
            std::string::npos);
  EXPECT_NE(world_.error(kHead).find("key 'layers' is missing in the manifest"), std::string::npos);
}

TEST_F(Manifest, RefusesOtherSchemas) {
  EXPECT_EQ(world_.error("schema: imgbuild/v2\nimage: {name: x, tag: t}\nlayers: [base]\n"),
            "error: m.yaml:1:9: unknown schema 'imgbuild/v2' in the manifest\n"
            "    1 | schema: imgbuild/v2\n"
            "      |         ^~~~~~~~~~~\n"
            "hint: write 'imgbuild/v1'");
}

TEST_F(Manifest, WantsVersionsQuotedThatReadAsNumbers) {
  EXPECT_EQ(error("versions: {python: 3.10}\n"),
            "error: m.yaml:4:20: version 3.10 for 'python' in 'versions' is not quoted\n"
            "    4 | versions: {python: 3.10}\n"
            "      |                    ^~~~\n"
            "hint: write \"3.10\": other YAML tools read 3.10 as a number");
  for (const char* text : {"9", "1e3", "12:30", "0x10", "1_0", ".5", "2026-01-01", "017"}) {
    EXPECT_NE(error("versions: {torch: " + std::string(text) + "}\n").find("is not quoted"),
              std::string::npos)
        << text;
  }
  EXPECT_EQ(load("versions: {torch: 2.8.0}\n").versions.at("torch"), "2.8.0");
  EXPECT_EQ(load("versions: {torch: \"2.8.0+cu128\"}\n").versions.at("torch"), "2.8.0+cu128");
  EXPECT_NE(error("supports: {driver: 525.60}\n").find("version 525.60"), std::string::npos);
  EXPECT_EQ(world_.error("schema: imgbuild/v1\nimage: {name: x, tag: 1.10}\nlayers: [base]\n"),
            "error: m.yaml:2:23: tag 1.10 is not quoted\n"
            "    2 | image: {name: x, tag: 1.10}\n"
            "      |                       ^~~~\n"
            "hint: write \"1.10\": other YAML tools do not read 1.10 as text");
}

TEST_F(Manifest, RefusesTextThatIsNoVersion) {
  EXPECT_EQ(error("versions: {torch: \">=2.8\"}\n"),
            "error: m.yaml:4:19: '>=2.8' is no version for 'torch' in 'versions'\n"
            "    4 | versions: {torch: \">=2.8\"}\n"
            "      |                   ^~~~~~~\n"
            "hint: write one version such as \"2.8.0\"");
  EXPECT_NE(error("versions: {torch: \"\"}\n").find("'' is no version"), std::string::npos);
  EXPECT_EQ(error("versions: {cuda: \"12.8.1\"}\n"),
            "error: m.yaml:4:18: version '12.8.1' of 'cuda' is not major and minor\n"
            "    4 | versions: {cuda: \"12.8.1\"}\n"
            "      |                  ^~~~~~~~\n"
            "hint: write for example \"12.8\"");
  EXPECT_NE(error("versions: {Torch: \"2\"}\n").find("'Torch' is no name for 'versions'"),
            std::string::npos);
  EXPECT_NE(error("versions: {cuda_major: \"2\"}\n").find("is no name for 'versions'"),
            std::string::npos);
}

TEST_F(Manifest, RefusesImageNamesThatRegistriesRefuse) {
  const auto error = [&](const std::string& image) {
    return world_.error("schema: imgbuild/v1\nimage: {" + image + "}\nlayers: [base]\n");
  };
  EXPECT_EQ(error("name: PyTorch, tag: t"),
            "error: m.yaml:2:15: 'PyTorch' is no name of an image\n"
            "    2 | image: {name: PyTorch, tag: t}\n"
            "      |               ^~~~~~~\n"
            "hint: use lower-case letters and digits, with single '-', '_', '.' or '/' between");
  for (const char* name : {"a//b", "/a", "a/", "-a", "a-", "a..b", "\"\"", "a b", "\"a:b\""}) {
    EXPECT_NE(error("name: " + std::string(name) + ", tag: t").find("is no name of an image"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(error("name: x, tag: .t").find("'.t' is no tag"), std::string::npos);
  EXPECT_NE(error("name: x, tag: a/b").find("'a/b' is no tag"), std::string::npos);
  EXPECT_EQ(error("name: x, tag: t, platform: linux/arm64"),
            "error: m.yaml:2:36: platform 'linux/arm64' is not supported\n"
            "    2 | image: {name: x, tag: t, platform: linux/arm64}\n"
            "      |                                    ^~~~~~~~~~~\n"
            "hint: write 'linux/amd64'");
}

TEST_F(Manifest, RefusesUnknownGpus) {
  EXPECT_EQ(error("supports: {gpus: [T4, A101]}\n"),
            "error: m.yaml:4:23: unknown GPU 'A101'\n"
            "    4 | supports: {gpus: [T4, A101]}\n"
            "      |                       ^~~~\n"
            "hint: did you mean 'A10'?");
}

TEST_F(Manifest, RefusesWrongConfigValues) {
  EXPECT_EQ(error("config: {workdir: work}\n"),
            "error: m.yaml:4:19: 'work' is no path for key 'workdir' in 'config'\n"
            "    4 | config: {workdir: work}\n"
            "      |                   ^~~~\n"
            "hint: write an absolute path such as '/opt/app', without '.', '..' or '/' at the end");
  for (const char* path : {"/a/", "/a/../b", "/a//b", "/./a", "/", "\"\""}) {
    EXPECT_NE(error("config: {volumes: [" + std::string(path) + "]}").find("is no path"),
              std::string::npos)
        << path;
  }
  EXPECT_EQ(error("config: {workdir: /}"), "");
  EXPECT_NE(error("config: {user: \"a b\"}").find("'a b' is no user"), std::string::npos);
  EXPECT_NE(error("config: {exposed_ports: [70000]}").find("'70000' is no port"),
            std::string::npos);
  EXPECT_NE(error("config: {exposed_ports: [80/x]}").find("'80/x' is no port"), std::string::npos);
  EXPECT_NE(error("config: {stop_signal: INT}").find("'INT' is no signal"), std::string::npos);
  EXPECT_NE(error("config: {cmd: []}").find("names no program"), std::string::npos);
  EXPECT_NE(error("config: {cmd: python3}").find("expected a list"), std::string::npos);
  EXPECT_NE(error("config: {env: {1A: x}}").find("'1A' is no name of an environment variable"),
            std::string::npos);
  EXPECT_NE(error("config: {env: {A: [x]}}").find("expected text for 'A'"), std::string::npos);
}

TEST_F(Manifest, RefusesWrongSizesAndDurations) {
  EXPECT_EQ(error("checks: {size: {compressed: big}}\n"),
            "error: m.yaml:4:29: 'big' is no size for key 'compressed' in 'checks.size'\n"
            "    4 | checks: {size: {compressed: big}}\n"
            "      |                             ^~~\n"
            "hint: write for example '4.5GB'");
  for (const char* text : {"8", "s", "-1s", "1h", "0s", "1..5s", "1e3s"}) {
    EXPECT_NE(error("checks: {cold_start: {import_torch: " + std::string(text) + "}}")
                  .find("is no duration"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(error("compression: lz4").find("unknown compression 'lz4'"), std::string::npos);
  EXPECT_NE(error("selftest: yes").find("expected true or false"), std::string::npos);
}

TEST_F(Manifest, NamesTheFileThatIsNotThere) {
  world_.write("pytorch.yaml", "");
  EXPECT_EQ(world_.error_of_file("pytroch.yaml"),
            "error: there is no manifest 'pytroch.yaml'\nhint: did you mean 'pytorch.yaml'?");
  EXPECT_EQ(world_.error_of_file("layers"), "error: 'layers' is a folder, not a manifest");
  EXPECT_EQ(world_.error_of_file("no/where/at-all.yaml"),
            "error: there is no manifest 'no/where/at-all.yaml'");
}

TEST_F(Manifest, RefusesHostileDocuments) {
  world_.write("big.yaml", std::string((1 << 20) + 1, 'x'));
  EXPECT_NE(world_.error_of_file("big.yaml").find("too big"), std::string::npos);
  world_.write("huge.yaml", std::string(10 << 20, 'x'));
  EXPECT_NE(world_.error_of_file("huge.yaml"), "");
  EXPECT_NE(world_.error("- a\n").find("expected a mapping for the manifest, found a list"),
            std::string::npos);
  EXPECT_NE(world_.error("text\n").find("expected a mapping for the manifest, found text"),
            std::string::npos);
  EXPECT_NE(error("layers: [base]\n").find("key 'layers' is given twice"), std::string::npos);
}

}  // namespace
}  // namespace img
