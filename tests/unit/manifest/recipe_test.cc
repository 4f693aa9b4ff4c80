// SPDX-License-Identifier: Apache-2.0
// Recipes: where they are found, what each kind reads, and the whole error for what is wrong in
// one.
#include "tests/unit/manifest/world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

class RecipeTest : public ::testing::Test {
 protected:
  ManifestWorld world_;
  std::string layer_error(const std::string& recipe) { return world_.layer_error(recipe); }
  Recipe load(const std::string& recipe) { return world_.load_layer(recipe).recipes.back(); }
  std::string layers_error(const std::string& layers) {
    return world_.error(kHead + "layers: " + layers + "\n");
  }
};

// ---- finding --------------------------------------------------------------------------------

TEST_F(RecipeTest, IsFoundBesideTheManifestAndAboveIt) {
  world_.write("a/b/m.yaml", kHead + "layers: [base, deep]\n");
  world_.write("a/layers/deep.yaml", "schema: imglayer/v1\nkind: debian\npackages: [jq]\n");
  const BuildManifest manifest = load_manifest(world_.path("a/b/m.yaml"));
  EXPECT_EQ(manifest.recipes[0].file, world_.path("layers/base.yaml"));
  EXPECT_EQ(manifest.recipes[1].file, world_.path("a/layers/deep.yaml"));
  // The nearest folder wins.
  world_.write("a/b/layers/deep.yaml", "schema: imglayer/v1\nkind: debian\npackages: [git]\n");
  EXPECT_EQ(load_manifest(world_.path("a/b/m.yaml")).recipes[1].file,
            world_.path("a/b/layers/deep.yaml"));
}

TEST_F(RecipeTest, IsFoundInFurtherFolders) {
  world_.write("more/extra/tool.yaml", "schema: imglayer/v1\nkind: debian\npackages: [jq]\n");
  const LoadOptions options{.recipe_folders = {world_.path("more")}};
  const BuildManifest manifest = world_.load(kHead + "layers: [base, extra/tool]\n", options);
  EXPECT_EQ(manifest.recipes[1].name, "extra/tool");
}

TEST_F(RecipeTest, IsFoundByPathFromTheManifest) {
  world_.write("own/tool.yaml", "schema: imglayer/v1\nkind: debian\npackages: [jq]\n");
  const BuildManifest manifest = world_.load(kHead + "layers: [base, ./own/tool.yaml]\n");
  EXPECT_EQ(manifest.recipes[1].name, "tool");
  EXPECT_EQ(manifest.recipes[1].file, world_.path("own/tool.yaml"));
}

TEST_F(RecipeTest, ThatIsNowhereIsNamed) {
  EXPECT_EQ(layers_error("[bsae]"),
            "error: m.yaml:3:10: unknown recipe 'bsae'\n"
            "    3 | layers: [bsae]\n"
            "      |          ^~~~\n"
            "hint: did you mean 'base'?");
  EXPECT_EQ(layers_error("[quite-another]"),
            "error: m.yaml:3:10: unknown recipe 'quite-another'\n"
            "    3 | layers: [quite-another]\n"
            "      |          ^~~~~~~~~~~~~\n"
            "hint: recipes are looked for in '" +
                world_.path("layers").string().substr(world_.path("").string().size()) + "'");
  EXPECT_EQ(layers_error("[./x.yaml]"),
            "error: m.yaml:3:10: there is no recipe 'x.yaml'\n"
            "    3 | layers: [./x.yaml]\n"
            "      |          ^~~~~~~~\n"
            "hint: a path names a .yaml file, relative to the manifest");
  for (const char* name : {"/etc/x", "a/../b", "Base", "a//b", "\"\"", ".x"}) {
    EXPECT_NE(layers_error("[" + std::string(name) + "]").find("is no name of a recipe"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(layers_error("[]").find("'layers' is empty"), std::string::npos);
  EXPECT_NE(layers_error("[[base]]").find("found a list"), std::string::npos);
}

TEST_F(RecipeTest, SaysWhichSchemaAndKindItIs) {
  world_.write("x.yaml", "kind: debian\npackages: [jq]\n");
  EXPECT_EQ(layers_error("[base, ./x.yaml]"),
            "error: x.yaml:1:1: key 'schema' is missing in layer 'x'\n"
            "    1 | kind: debian\n"
            "      | ^");
  world_.write("x.yaml", "schema: imgbuild/v1\nkind: debian\npackages: [jq]\n");
  EXPECT_NE(layers_error("[base, ./x.yaml]").find("unknown schema 'imgbuild/v1' in layer 'x'"),
            std::string::npos);
  EXPECT_EQ(layer_error("  kind: weels\n"),
            "error: m.yaml:8:9: unknown kind 'weels' in layer 'own'\n"
            "    8 |   kind: weels\n"
            "      |         ^~~~~\n"
            "hint: did you mean 'wheels'?");
  EXPECT_NE(layer_error("  packages: [jq]\n").find("key 'kind' is missing in layer 'own'"),
            std::string::npos);
  EXPECT_NE(layers_error("[base, {kind: debian}]").find("key 'name' is missing in an inline layer"),
            std::string::npos);
}

TEST_F(RecipeTest, NamesUnknownKeysWithItsOwnName) {
  EXPECT_EQ(layer_error("  kind: debian\n  pakages: [numpy]\n  packages: [jq]\n"),
            "error: m.yaml:9:3: unknown key 'pakages' in layer 'own'\n"
            "    9 |   pakages: [numpy]\n"
            "      |   ^~~~~~~\n"
            "hint: did you mean 'packages'?");
  // A key of another kind is no key of this one.
  EXPECT_NE(layer_error("  kind: wheels\n  requires: [x]\n  suite: y\n")
                .find("unknown key 'suite' in layer 'own'"),
            std::string::npos);
}

TEST_F(RecipeTest, ReadsWhatAllKindsHaveInCommon) {
  const Recipe recipe = load(
      "  kind: wheels\n  requires: [x]\n  summary: torch {torch} for {cuda_major}/{cuda_minor}\n"
      "  env: {A: \"1\"}\n  directories: [{path: /w, mode: \"1777\", uid: 5, gid: 6}]\n");
  EXPECT_EQ(recipe.summary, "torch 2.8.0 for 12/8");
  EXPECT_EQ(recipe.env.at("A"), "1");
  ASSERT_EQ(recipe.directories.size(), 1U);
  EXPECT_EQ(recipe.directories[0].mode, 01777U);
  EXPECT_EQ(recipe.directories[0].uid, 5U);
  EXPECT_NE(layer_error("  kind: wheels\n  requires: [x]\n  summary: \"a\\nb\"\n")
                .find("has more than one line"),
            std::string::npos);
  EXPECT_EQ(
      layer_error("  kind: wheels\n  requires: [x]\n  directories: [{path: /w, mode: \"789\"}]\n"),
      "error: m.yaml:10:34: '789' is no mode for key 'mode' in an item of key 'directories' in "
      "layer 'own'\n"
      "   10 |   directories: [{path: /w, mode: \"789\"}]\n"
      "      |                                  ^~~~~\n"
      "hint: write octal digits such as \"0755\"");
}

// ---- variables ------------------------------------------------------------------------------

TEST_F(RecipeTest, FillsVariablesFromVersions) {
  const Recipe recipe = load(
      "  kind: wheels\n  requires: [\"torch=={torch}\"]\n  owns: [\"nvidia-*-cu{cuda_major}\"]\n");
  const auto& wheels = std::get<WheelsSpec>(recipe.spec);
  EXPECT_EQ(wheels.requires_, (std::vector<std::string>{"torch==2.8.0"}));
  EXPECT_EQ(wheels.owns, (std::vector<std::string>{"nvidia-*-cu12"}));
}

TEST_F(RecipeTest, PointsAtUnknownVariables) {
  EXPECT_EQ(layer_error("  kind: wheels\n  requires: [\"torch=={tourch}\"]\n"),
            "error: m.yaml:9:22: unknown variable '{tourch}' in an item of key 'requires' in layer "
            "'own'\n"
            "    9 |   requires: [\"torch=={tourch}\"]\n"
            "      |                      ^~~~~~~~\n"
            "hint: did you mean '{torch}'?");
  EXPECT_EQ(layer_error("  kind: wheels\n  owns: [\"nvidia-nccl-cu{nonsense}\"]\n"),
            "error: m.yaml:9:25: unknown variable '{nonsense}' in an item of key 'owns' in layer "
            "'own'\n"
            "    9 |   owns: [\"nvidia-nccl-cu{nonsense}\"]\n"
            "      |                         ^~~~~~~~~~\n"
            "hint: 'versions' of the manifest gives cuda, cuda_major, cuda_minor, python, "
            "python_major, python_minor, torch, torch_major, torch_minor");
  EXPECT_NE(layer_error("  kind: wheels\n  owns: [\"x{torch\"]\n").find("'{' has no '}'"),
            std::string::npos);
}

// ---- debian ---------------------------------------------------------------------------------

TEST_F(RecipeTest, OfKindDebianReadsEveryKey) {
  world_.write("layers/base.yaml",
               "schema: imglayer/v1\nkind: debian\nsuite: bookworm\npockets: [updates, security]\n"
               "components: [main, contrib]\nessential: true\n"
               "keyring_fingerprints: [B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8]\n"
               "packages: [libc6, g++, tini=0.19.0-1+b3]\n"
               "drop: [{glob: /usr/share/man/**, reason: no reader}]\nkeep: [/usr/share/man/x]\n"
               "python: {path: \"/usr/bin/python{python}\", version: \"{python}\"}\n");
  const BuildManifest manifest =
      world_.load(kHead + "versions: {python: \"3.11\"}\nlayers: [base]\n");
  const auto& spec = std::get<DebianSpec>(manifest.recipes[0].spec);
  EXPECT_EQ(spec.pockets, (std::vector<std::string>{"updates", "security"}));
  EXPECT_EQ(spec.components, (std::vector<std::string>{"main", "contrib"}));
  EXPECT_TRUE(spec.essential);
  EXPECT_EQ(spec.packages.back(), "tini=0.19.0-1+b3");
  EXPECT_EQ(spec.drop[0].reason, "no reader");
  EXPECT_EQ(spec.keep[0], "/usr/share/man/x");
  EXPECT_EQ(spec.python->path, "/usr/bin/python3.11");
  EXPECT_EQ(spec.python->version, "3.11");
}

TEST_F(RecipeTest, OfKindDebianRefusesWrongValues) {
  EXPECT_EQ(layer_error("  kind: debian\n  packages: [Git]\n"),
            "error: m.yaml:9:14: 'Git' is no name of a Debian package\n"
            "    9 |   packages: [Git]\n"
            "      |              ^~~\n"
            "hint: write 'name' or 'name=version'");
  for (const char* name :
       {"a", "git:amd64", "\"git=\"", "\"--x\"", "\"a b\"", "\"x/../y\"", "\"git;\""}) {
    EXPECT_NE(layer_error("  kind: debian\n  packages: [" + std::string(name) + "]\n")
                  .find("is no name of a Debian package"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(layer_error("  kind: debian\n  packages: [jq, jq]\n").find("named twice"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: debian\n  packages: []\n").find("layer 'own' names no package"),
            std::string::npos);
  EXPECT_EQ(layer_error("  kind: debian\n  packages: [jq]\n  keyring_fingerprints: [b8b8]\n"),
            "error: m.yaml:10:26: 'b8b8' is no fingerprint of a key\n"
            "   10 |   keyring_fingerprints: [b8b8]\n"
            "      |                          ^~~~\n"
            "hint: write the whole primary fingerprint: 40 upper-case hex digits, no spaces");
  EXPECT_EQ(layer_error("  kind: debian\n  packages: [jq]\n  drop: [{glob: usr/x, reason: y}]\n"),
            "error: m.yaml:10:17: 'usr/x' does not start with '/'\n"
            "   10 |   drop: [{glob: usr/x, reason: y}]\n"
            "      |                 ^~~~~\n"
            "hint: globs of a debian recipe match absolute paths");
  EXPECT_NE(layer_error("  kind: debian\n  packages: [jq]\n  drop: [{glob: /x}]\n")
                .find("key 'reason' is missing"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: debian\n  packages: [jq]\n  drop: [{glob: /x, reason: \" \"}]\n")
                .find("the reason is empty"),
            std::string::npos);
  EXPECT_NE(
      layer_error("  kind: debian\n  packages: [jq]\n  keep: [/x]\n").find("'keep' needs 'drop'"),
      std::string::npos);
}

TEST_F(RecipeTest, OfKindDebianWantsAPythonOfTwoParts) {
  const std::string head =
      "schema: imglayer/v1\nkind: debian\nsuite: bookworm\n"
      "keyring_fingerprints: [B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8]\npackages: [libc6]\n";
  world_.write("layers/b.yaml", head + "python: {path: /usr/bin/python3, version: \"3.11.2\"}\n");
  EXPECT_EQ(layers_error("[b]"),
            "error: layers/b.yaml:6:43: '3.11.2' is no Python version for key 'version' in key "
            "'python' in layer 'b'\n"
            "    6 | python: {path: /usr/bin/python3, version: \"3.11.2\"}\n"
            "      |                                           ^~~~~~~~\n"
            "hint: write major and minor, such as \"3.11\"");
  world_.write("layers/b.yaml", head + "python: {path: /usr/bin/python3, version: 3.11}\n");
  EXPECT_NE(layers_error("[b]").find("version 3.11 for key 'version'"), std::string::npos);
}

// ---- wheels ---------------------------------------------------------------------------------

TEST_F(RecipeTest, OfKindWheelsReadsEveryKey) {
  world_.write("requirements.txt", "# mine\nnumpy>=2 ; python_version < '3.13'\n");
  const Recipe recipe = load(
      "  kind: wheels\n  requires: [\"torch[x]==2.8.0\"]\n  requirements_file: requirements.txt\n"
      "  owns: [Nvidia_NCCL.cu12]\n  index: pytorch-cu126\n"
      "  drop: [{glob: \"*/tests/**\", reason: not used}]\n"
      "  prefer: [{glob: x/__init__.py, winner: Some_Name, reason: newer}]\n");
  const auto& spec = std::get<WheelsSpec>(recipe.spec);
  EXPECT_EQ(spec.venv, "");
  EXPECT_EQ(spec.requires_, (std::vector<std::string>{"torch[x]==2.8.0"}));
  EXPECT_EQ(spec.requirements_written, "requirements.txt");
  EXPECT_EQ(spec.requirements_file, world_.path("requirements.txt"));
  EXPECT_EQ(spec.requirements_text, "# mine\nnumpy>=2 ; python_version < '3.13'\n");
  EXPECT_EQ(spec.owns, (std::vector<std::string>{"nvidia-nccl-cu12"}));
  EXPECT_EQ(spec.index, "pytorch-cu126");
  EXPECT_EQ(spec.prefer[0].winner, "some-name");
  EXPECT_EQ(std::get<WheelsSpec>(load("  kind: wheels\n  requires: [x]\n").spec).index, "pypi");
}

TEST_F(RecipeTest, OfKindWheelsRefusesAddressesOptionsAndNonsense) {
  EXPECT_EQ(layer_error("  kind: wheels\n  requires: [\"x @ https://h/x.whl\"]\n"),
            "error: m.yaml:9:14: requirement 'x @ https://h/x.whl' names an address or a file\n"
            "    9 |   requires: [\"x @ https://h/x.whl\"]\n"
            "      |              ^~~~~~~~~~~~~~~~~~~~~\n"
            "hint: write a name with a version; 'index' says where it comes from");
  EXPECT_EQ(layer_error("  kind: wheels\n  requires: [\"--extra-index-url x\"]\n"),
            "error: m.yaml:9:14: '--extra-index-url x' is an option, not a requirement\n"
            "    9 |   requires: [\"--extra-index-url x\"]\n"
            "      |              ^~~~~~~~~~~~~~~~~~~~~\n"
            "hint: say which index a recipe uses with 'index', by name");
  EXPECT_EQ(layer_error("  kind: wheels\n  requires: [\"numpy 2\"]\n"),
            "error: m.yaml:9:14: 'numpy 2' is no requirement\n"
            "    9 |   requires: [\"numpy 2\"]\n"
            "      |              ^~~~~~~~~\n"
            "hint: write a name with a version, such as 'numpy>=2'");
  EXPECT_NE(layer_error("  kind: wheels\n  requires: [x]\n  index: \"https://h\"\n")
                .find("is no name of an index"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: wheels\n  owns: [\"a b\"]\n").find("is no name of a distribution"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: wheels\n  owns: [a_b, A-b]\n").find("'a-b' is owned twice"),
            std::string::npos);
  EXPECT_EQ(layer_error("  kind: wheels\n"),
            "error: m.yaml:7:3: layer 'own' brings no wheel\n"
            "    7 | - name: own\n"
            "      |   ^\n"
            "hint: give it 'requires', 'requirements_file' or 'owns'");
}

TEST_F(RecipeTest, OfKindWheelsPointsIntoItsRequirementsFile) {
  world_.write("r.txt", "numpy\n\n  -r other.txt   # more\n");
  EXPECT_EQ(layer_error("  kind: wheels\n  requirements_file: r.txt\n"),
            "error: r.txt:3:3: '-r other.txt' is an option, not a requirement\n"
            "    3 |   -r other.txt   # more\n"
            "      |   ^~~~~~~~~~~~~~~~~~~~~\n"
            "hint: say which index a recipe uses with 'index', by name");
  EXPECT_EQ(layer_error("  kind: wheels\n  requirements_file: none.txt\n"),
            "error: m.yaml:9:22: there is no file 'none.txt'\n"
            "    9 |   requirements_file: none.txt\n"
            "      |                      ^~~~~~~~");
  EXPECT_EQ(
      layer_error("  kind: wheels\n  requirements_file: /etc/r.txt\n"),
      "error: m.yaml:9:22: '/etc/r.txt' is no local path for key 'requirements_file' in layer "
      "'own'\n"
      "    9 |   requirements_file: /etc/r.txt\n"
      "      |                      ^~~~~~~~~~\n"
      "hint: write it relative to the folder of this file, so that it holds on every machine");
}

// ---- files ----------------------------------------------------------------------------------

TEST_F(RecipeTest, OfKindFilesReadsEveryKey) {
  world_.write("app/train.py", "");
  world_.write(
      "app/app.yaml",
      "schema: imglayer/v1\nkind: files\n"
      "files:\n- {path: /opt/app/train.py, source: train.py, mode: \"0755\", uid: 1, gid: 2}\n"
      "- {path: /etc/x, content: \"a\\nb\"}\n"
      "directories: [{path: /w}]\nlinks: [{path: /l, target: ../x}]\n"
      "users:\n- {name: trainer, uid: 1000}\n"
      "- {name: other, uid: 7, gid: 8, home: /h, shell: /bin/bash, comment: some one}\n");
  const BuildManifest manifest = world_.load(kHead + "layers: [base, ./app/app.yaml]\n");
  const auto& spec = std::get<FilesSpec>(manifest.recipes[1].spec);
  EXPECT_EQ(spec.files[0].source, world_.path("app/train.py"));
  EXPECT_EQ(spec.files[0].source_written, "train.py");
  EXPECT_EQ(spec.files[0].mode, 0755U);
  EXPECT_EQ(spec.files[0].gid, 2U);
  EXPECT_EQ(spec.files[1].content, "a\nb");
  EXPECT_EQ(spec.files[1].mode, std::nullopt);
  EXPECT_EQ(spec.directories[0].mode, 0755U);
  EXPECT_TRUE(manifest.recipes[1].directories.empty());
  EXPECT_EQ(spec.links[0].target, "../x");
  EXPECT_EQ(spec.users[0].gid, 1000U);
  EXPECT_EQ(spec.users[0].home, "/home/trainer");
  EXPECT_EQ(spec.users[0].shell, "/usr/sbin/nologin");
  EXPECT_EQ(spec.users[1].comment, "some one");
}

TEST_F(RecipeTest, OfKindFilesRefusesWrongValues) {
  EXPECT_EQ(layer_error("  kind: files\n  files: [{path: /x}]\n"),
            "error: m.yaml:9:18: '/x' needs one of 'source' and 'content'\n"
            "    9 |   files: [{path: /x}]\n"
            "      |                  ^~\n"
            "hint: 'source' names a local file or folder, 'content' holds the text itself");
  EXPECT_NE(layer_error("  kind: files\n  files: [{path: /x, source: a, content: b}]\n")
                .find("needs one of"),
            std::string::npos);
  EXPECT_EQ(layer_error("  kind: files\n  files: [{path: /x, source: nope.py}]\n"),
            "error: m.yaml:9:30: there is no file or folder 'nope.py'\n"
            "    9 |   files: [{path: /x, source: nope.py}]\n"
            "      |                              ^~~~~~~");
  EXPECT_NE(layer_error("  kind: files\n  files: [{path: /../x, content: a}]\n").find("is no path"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: files\n  files: [{path: /x, content: a, uid: -1}]\n")
                .find("'-1' is no user or group number"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: files\n  files: [{path: /x, content: a, uid: 4294967295}]\n")
                .find("is no user or group number"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: files\n  links: [{path: /x, target: \"\"}]\n").find("no target"),
            std::string::npos);
  EXPECT_NE(layer_error("  kind: files\n  users: [{name: \"a:b\", uid: 5}]\n")
                .find("'a:b' is no name of a user"),
            std::string::npos);
  EXPECT_EQ(layer_error("  kind: files\n  users: [{name: ab, uid: 5, comment: \"x:y\"}]\n"),
            "error: m.yaml:9:39: 'x:y' cannot stand in /etc/passwd\n"
            "    9 |   users: [{name: ab, uid: 5, comment: \"x:y\"}]\n"
            "      |                                       ^~~~~\n"
            "hint: leave out ':' and line ends");
  EXPECT_EQ(layer_error("  kind: files\n"),
            "error: m.yaml:7:9: layer 'own' of kind files is empty\n"
            "    7 | - name: own\n"
            "      |         ^~~\n"
            "hint: give it 'files', 'directories', 'links' or 'users'");
}

// ---- oci ------------------------------------------------------------------------------------

TEST_F(RecipeTest, OfKindOciReadsEveryKey) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const BuildManifest manifest =
      world_.load(kHead + "layers: [{name: b, kind: oci, layout: base.tar, digest: \"" + digest +
                  "\", python: {path: /usr/bin/python3, version: \"3.12\"}}, python]\n");
  const auto& spec = std::get<OciSpec>(manifest.recipes[0].spec);
  EXPECT_EQ(spec.layout, world_.path("base.tar"));
  EXPECT_EQ(spec.layout_written, "base.tar");
  EXPECT_EQ(spec.digest, digest);
  EXPECT_EQ(manifest.python()->version, "3.12");
  EXPECT_EQ(layers_error("[{name: b, kind: oci, layout: x, digest: latest}]"),
            "error: m.yaml:3:50: 'latest' is no digest\n"
            "    3 | layers: [{name: b, kind: oci, layout: x, digest: latest}]\n"
            "      |                                                  ^~~~~~\n"
            "hint: write 'sha256:' with 64 lower-case hex digits");
}

}  // namespace
}  // namespace img
