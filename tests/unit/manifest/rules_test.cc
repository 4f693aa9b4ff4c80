// SPDX-License-Identifier: Apache-2.0
// Rules that span recipes.
#include "tests/unit/manifest/world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

class Rules : public ::testing::Test {
 protected:
  ManifestWorld world_;
  std::string error(const std::string& lines) { return world_.error(kHead + lines); }
};

TEST_F(Rules, ALayerIsListedOnce) {
  EXPECT_EQ(error("layers: [base, python, python]\n"),
            "error: m.yaml:3:24: layer 'python' is listed twice\n"
            "    3 | layers: [base, python, python]\n"
            "      |                        ^~~~~~\n"
            "hint: remove one, or rename it");
}

TEST_F(Rules, TheLowestLayerIsABase) {
  EXPECT_EQ(error("layers: [python, base]\n"),
            "error: m.yaml:3:10: layer 'python' cannot be the lowest layer\n"
            "    3 | layers: [python, base]\n"
            "      |          ^~~~~~\n"
            "hint: start with a base of kind debian or oci");
  EXPECT_EQ(
      error("layers:\n- base\n- {name: b, kind: oci, layout: x, digest: \"" + kDigest + "\"}\n"),
      "error: m.yaml:5:10: layer 'b' of kind oci is not the lowest layer\n"
      "    5 | - {name: b, kind: oci, layout: x, digest: \"sha256:" +
          std::string(38, 'a') +
          "…\n"
          "      |          ^\n"
          "hint: an existing image can only be the base; list it first");
  EXPECT_EQ(
      error("layers:\n- {name: b, kind: oci, layout: x, digest: \"" + kDigest + "\"}\n- base\n"),
      "error: m.yaml:5:3: layer 'base' of kind debian stands on layer 'b' of kind oci\n"
      "    5 | - base\n"
      "      |   ^~~~\n"
      "hint: Debian packages need a base of kind debian");
}

TEST_F(Rules, TheLowestDebianLayerNamesSuiteAndKeys) {
  EXPECT_EQ(error("layers: [{name: b, kind: debian, packages: [libc6]}]\n"),
            "error: m.yaml:3:17: key 'suite' is missing in layer 'b'\n"
            "    3 | layers: [{name: b, kind: debian, packages: [libc6]}]\n"
            "      |                 ^\n"
            "hint: the lowest recipe of kind debian needs it");
  EXPECT_NE(error("layers: [{name: b, kind: debian, suite: bookworm, packages: [libc6]}]\n")
                .find("key 'keyring_fingerprints' is missing in layer 'b'"),
            std::string::npos);
}

TEST_F(Rules, DebianLayersAboveTakeOverTheSuite) {
  const BuildManifest manifest =
      world_.load(kHead + "layers: [base, {name: tools, kind: debian, packages: [jq]}]\n");
  const auto& base = std::get<DebianSpec>(manifest.recipes[0].spec);
  const auto& tools = std::get<DebianSpec>(manifest.recipes[1].spec);
  EXPECT_EQ(tools.suite, "bookworm");
  EXPECT_EQ(tools.pockets, base.pockets);
  EXPECT_EQ(tools.components, (std::vector<std::string>{"main"}));
  EXPECT_EQ(tools.keyring_fingerprints, base.keyring_fingerprints);
  EXPECT_EQ(error("layers: [base, {name: t, kind: debian, suite: trixie, packages: [jq]}]\n"),
            "error: m.yaml:3:23: 'suite' in layer 't' is not that of layer 'base'\n"
            "    3 | layers: [base, {name: t, kind: debian, suite: trixie, packages: [jq]}]\n"
            "      |                       ^\n"
            "hint: leave it out: all packages of an image come from one suite");
  EXPECT_NE(error("layers: [base, {name: t, kind: debian, essential: true, packages: [jq]}]\n")
                .find("'essential' in layer 't' is not that of a base"),
            std::string::npos);
}

TEST_F(Rules, WheelsStandOnAPythonAndOneVenv) {
  world_.write("layers/bare.yaml",
               "schema: imglayer/v1\nkind: debian\nsuite: bookworm\npackages: [libc6]\n"
               "keyring_fingerprints: [B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8]\n");
  EXPECT_EQ(error("layers: [bare, python]\n"),
            "error: m.yaml:3:16: layer 'python' of kind wheels has no Python below it\n"
            "    3 | layers: [bare, python]\n"
            "      |                ^~~~~~\n"
            "hint: say with 'python' in the base which interpreter it has");
  EXPECT_EQ(error("layers: [base, {name: w, kind: wheels, requires: [x]}]\n"),
            "error: m.yaml:3:23: layer 'w' of kind wheels has no venv below it\n"
            "    3 | layers: [base, {name: w, kind: wheels, requires: [x]}]\n"
            "      |                       ^\n"
            "hint: list a recipe with 'venv' first, such as 'python'");
  EXPECT_EQ(error("layers: [base, python, {name: w, kind: wheels, venv: /v, requires: [x]}]\n"),
            "error: m.yaml:3:31: layer 'w' makes a second venv\n"
            "    3 | layers: [base, python, {name: w, kind: wheels, venv: /v, requires: [x]}]\n"
            "      |                               ^\n"
            "hint: leave out 'venv' there; layer 'python' makes it");
}

TEST_F(Rules, OneLayerBringsThePromisedPython) {
  EXPECT_EQ(error("versions: {python: \"3.12\"}\nlayers: [base]\n"),
            "error: m.yaml:3:20: the promised Python is not the one of layer 'base'\n"
            "    3 | versions: {python: \"3.12\"}\n"
            "      |                    ^~~~~~\n"
            "  expected: 3.12   (versions.python)\n"
            "  got:      3.11   (/usr/bin/python3.11)");
  EXPECT_EQ(
      error("versions: {python: \"3.11\"}\nlayers: [{name: b, kind: oci, layout: x, digest: \"" +
            kDigest + "\"}]\n"),
      "error: m.yaml:3:20: no layer brings the promised Python 3.11\n"
      "    3 | versions: {python: \"3.11\"}\n"
      "      |                    ^~~~~~\n"
      "hint: a base of kind debian or oci says with 'python' which interpreter it has");
  EXPECT_NE(
      error("layers: [base, {name: t, kind: debian, packages: [jq], python: {path: /p, version: "
            "\"3.11\"}}]\n")
          .find("layer 't' brings a second Python"),
      std::string::npos);
}

TEST_F(Rules, NothingLiesInAVolume) {
  const std::string head = "config: {volumes: [/w]}\nlayers:\n- base\n- name: f\n  kind: files\n";
  EXPECT_EQ(error(head + "  files: [{path: /w/x, content: a}]\n"),
            "error: m.yaml:8:18: '/w/x' lies in the volume '/w'\n"
            "    8 |   files: [{path: /w/x, content: a}]\n"
            "      |                  ^~~~\n"
            "hint: put it elsewhere: a volume hides what the image has there");
  EXPECT_NE(error(head + "  files: [{path: /w, content: a}]\n"), "");
  EXPECT_NE(error(head + "  directories: [{path: /w/x}]\n"), "");
  EXPECT_NE(error(head + "  links: [{path: /w/x, target: y}]\n"), "");
  EXPECT_NE(error(head + "  users: [{name: u, uid: 5, home: /w/u}]\n"), "");
  EXPECT_EQ(error(head + "  directories: [{path: /w, uid: 5}]\n"), "");
  EXPECT_EQ(error(head + "  files: [{path: /wx, content: a}]\n"), "");
  EXPECT_NE(
      error("config: {volumes: [/opt]}\nlayers: [base, python]\n").find("'/opt/venv' lies in"),
      std::string::npos);
}

TEST_F(Rules, PathsAndUsersAreGivenOnce) {
  const std::string head = "layers:\n- base\n- name: f\n  kind: files\n";
  EXPECT_EQ(error(head + "  files: [{path: /x, content: a}]\n  links: [{path: /x, target: b}]\n"),
            "error: m.yaml:8:18: '/x' is given twice in layer 'f'\n"
            "    8 |   links: [{path: /x, target: b}]\n"
            "      |                  ^~\n"
            "hint: remove one of them");
  EXPECT_EQ(error(head + "  users: [{name: u, uid: 5}, {name: u, uid: 6}]\n"),
            "error: m.yaml:7:37: user 'u' is given twice\n"
            "    7 |   users: [{name: u, uid: 5}, {name: u, uid: 6}]\n"
            "      |                                     ^\n"
            "hint: remove one of them");
  EXPECT_NE(error(head + "  users: [{name: u, uid: 5}, {name: v, uid: 5}]\n")
                .find("user 'v' has the number of another user"),
            std::string::npos);
  // A layer above may replace what one below brings.
  EXPECT_EQ(error(head + "  files: [{path: /x, content: a}]\n- name: g\n  kind: files\n" +
                  "  files: [{path: /x, content: b}]\n"),
            "");
}

}  // namespace
}  // namespace img
