// SPDX-License-Identifier: Apache-2.0
// Where a wheel's files go, with which bytes and modes, and what RECORD says of them.
#include "builder/inputs/wheel_install.h"

#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

const InstallTarget kTarget{EntryPath::parse("opt/venv"), "3.11"};
const std::string kSite = "opt/venv/lib/python3.11/site-packages/";

std::optional<Content> no_bytecode(const std::string&) { return std::nullopt; }

Tree install(const WheelParts& parts, const std::vector<DropRule>& drops = {}) {
  const Wheel wheel = open_wheel(parts);
  const WheelFacts facts = wheel.verify();
  Tree tree;
  install_wheel(wheel, kTarget, drops, no_bytecode, &facts, tree);
  tree.seal("test");
  return tree;
}

std::string install_refusal(const WheelParts& parts) {
  return refusal([&] { install(parts); });
}

/// Path → "mode text" of the files, contents of at most 400 bytes.
std::string shown(const Tree& tree, const std::string& path) {
  const Entry* entry = tree.find(EntryPath::parse(path));
  if (!entry) return "none";
  return (entry->mode == 0755   ? "755 "
          : entry->mode == 0644 ? "644 "
                                : "? ") +
         read_content(entry->content);
}

std::vector<std::string> files(const Tree& tree) {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type == EntryType::file) paths.push_back(path.str());
  }
  return paths;
}

WheelParts with_files(std::vector<ZipEntry> entries) {
  WheelParts parts;
  parts.files = std::move(entries);
  return parts;
}

TEST(WheelInstall, PutsEverySchemeWhereInstallersPutIt) {
  WheelParts parts =
      with_files({{.name = "demo/__init__.py"},
                  {.name = "demo/empty/", .mode = 040755},
                  {.name = "demo-1.0.data/purelib/pure.py"},
                  {.name = "demo-1.0.data/platlib/plat.so"},
                  {.name = "demo-1.0.data/headers/sub/demo.h"},
                  {.name = "demo-1.0.data/scripts/tool"},
                  {.name = "demo-1.0.data/data/share/x"},
                  {.name = "demo-1.0.data/data/lib/y"},
                  {.name = "demo-1.0.data/data/lib/python3.11/site-packages/via.py"}});
  const Tree tree = install(parts);
  EXPECT_EQ(files(tree),
            (std::vector<std::string>{
                "opt/venv/bin/tool", "opt/venv/include/site/python3.11/demo/sub/demo.h",
                kSite + "demo-1.0.dist-info/INSTALLER", kSite + "demo-1.0.dist-info/METADATA",
                kSite + "demo-1.0.dist-info/RECORD", kSite + "demo-1.0.dist-info/WHEEL",
                kSite + "demo/__init__.py", kSite + "plat.so", kSite + "pure.py", kSite + "via.py",
                "opt/venv/lib/y", "opt/venv/share/x"}));
  const std::string empty = "," + sha256_cell("") + ",0\n";
  const std::string record = shown(tree, kSite + "demo-1.0.dist-info/RECORD");
  EXPECT_EQ(record, "644 ../../../bin/tool" + empty +
                        "../../../include/site/python3.11/demo/sub/demo.h" + empty +
                        "../../../share/x" + empty + "../../y" + empty +
                        record_line("demo-1.0.dist-info/INSTALLER", "imgbuild\n") +
                        record_line("demo-1.0.dist-info/METADATA",
                                    "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n") +
                        "demo-1.0.dist-info/RECORD,,\n" +
                        record_line("demo-1.0.dist-info/WHEEL", parts.wheel) + "demo/__init__.py" +
                        empty + "plat.so" + empty + "pure.py" + empty + "via.py" + empty);
}

TEST(WheelInstall, GivesModesByExecutableBits) {
  const Tree tree = install(with_files({{.name = "a", .mode = 0100600},
                                        {.name = "b", .mode = 0100744},
                                        {.name = "c", .mode = 0755},
                                        {.name = "d", .mode = 0100666},
                                        {.name = "e", .mode = 0},
                                        {.name = "demo-1.0.data/scripts/f", .mode = 0100644}}));
  EXPECT_EQ(shown(tree, kSite + "a"), "644 ");
  EXPECT_EQ(shown(tree, kSite + "b"), "755 ");
  EXPECT_EQ(shown(tree, kSite + "c"), "755 ");
  EXPECT_EQ(shown(tree, kSite + "d"), "644 ");
  EXPECT_EQ(shown(tree, kSite + "e"), "644 ");
  EXPECT_EQ(shown(tree, "opt/venv/bin/f"), "755 ");
}

TEST(WheelInstall, RewritesThePlaceholderShebangOfScriptsOnly) {
  const Tree tree = install(
      with_files({{.name = "demo-1.0.data/scripts/a", .plain = "#!python -E\r\nprint(1)\r\n"},
                  {.name = "demo-1.0.data/scripts/w", .plain = "#!pythonw\nprint(2)\n"},
                  {.name = "demo-1.0.data/scripts/only", .plain = "#!python"},
                  {.name = "demo-1.0.data/scripts/sh", .plain = "#!/bin/sh\n"},
                  {.name = "demo/a", .plain = "#!python\n"}}));
  EXPECT_EQ(shown(tree, "opt/venv/bin/a"), "755 #!/opt/venv/bin/python3\nprint(1)\r\n");
  EXPECT_EQ(shown(tree, "opt/venv/bin/w"), "755 #!/opt/venv/bin/python3\nprint(2)\n");
  EXPECT_EQ(shown(tree, "opt/venv/bin/only"), "755 #!/opt/venv/bin/python3\n");
  EXPECT_EQ(shown(tree, "opt/venv/bin/sh"), "755 #!/bin/sh\n");
  EXPECT_EQ(shown(tree, kSite + "demo/a"), "644 #!python\n");
  EXPECT_NE(shown(tree, kSite + "demo-1.0.dist-info/RECORD")
                .find(record_line("../../../bin/w", "#!/opt/venv/bin/python3\nprint(2)\n")),
            std::string::npos);
}

TEST(WheelInstall, GeneratesConsoleScripts) {
  WheelParts parts = with_files({{.name = "demo-1.0.data/scripts/demo", .plain = "old wrapper"},
                                 {.name = "demo-1.0.data/scripts/demo-script.py", .plain = "old"}});
  parts.entry_points = "[console_scripts]\ndemo = demo.cli:Main.run\n";
  const Tree tree = install(parts);
  const std::string text =
      "#!/opt/venv/bin/python3\nimport sys\nfrom demo.cli import Main\nif __name__ == '__main__':\n"
      "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(Main.run())\n";
  EXPECT_EQ(shown(tree, "opt/venv/bin/demo"), "755 " + text);
  EXPECT_EQ(shown(tree, "opt/venv/bin/demo-script.py"), "none");
  const std::string record = shown(tree, kSite + "demo-1.0.dist-info/RECORD");
  EXPECT_EQ(record.find("scripts"), std::string::npos);
  EXPECT_NE(record.find(record_line("../../../bin/demo", text)), std::string::npos);
}

TEST(WheelInstall, GivesPipAndEasyInstallTheVersionOfTheVenv) {
  WheelParts parts;
  parts.entry_points =
      "[console_scripts]\npip = p:m\npip2 = p:m\npip3.7 = p:m\npip-tool = p:m\n"
      "easy_install = e:m\neasy_install-3.6 = e:m\n";
  std::vector<std::string> names;
  for (const InstalledFile& file : installed_files(open_wheel(parts), kTarget)) {
    if (file.script) names.push_back(file.path);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"/bin/easy_install", "/bin/easy_install-3.11", "/bin/pip",
                                      "/bin/pip-tool", "/bin/pip3", "/bin/pip3.11"}));
}

TEST(WheelInstall, UsesAShellWhereTheShebangWouldBeTooLong) {
  WheelParts parts;
  parts.entry_points = "[console_scripts]\nx = a:b\n";
  const Wheel wheel = open_wheel(parts);
  const std::string folder(130, 'v');
  Tree tree;
  install_wheel(wheel, {EntryPath::parse(folder), "3.11"}, {}, no_bytecode, nullptr, tree);
  EXPECT_EQ(shown(tree, folder + "/bin/x").substr(0, 188),
            "755 #!/bin/sh\n'''exec' \"/" + folder + "/bin/python3\" \"$0\" \"$@\"\n' '''\nimp");
}

TEST(WheelInstall, AddsBytecodeWithoutHashesInPlaceOfTheWheelsOwn) {
  const Wheel wheel =
      open_wheel(with_files({{.name = "demo/a.py", .plain = "1\n"},
                             {.name = "demo/bad.py", .plain = "?\n"},
                             {.name = "demo/__pycache__/a.cpython-311.pyc", .plain = "stale"},
                             {.name = "demo-1.0.data/scripts/s.py"}}));
  std::vector<std::string> asked;
  Tree tree;
  install_wheel(
      wheel, kTarget, {},
      [&](const std::string& source) -> std::optional<Content> {
        asked.push_back(source);
        if (source.ends_with("bad.py")) return std::nullopt;
        return literal("code");
      },
      nullptr, tree);
  EXPECT_EQ(asked,
            (std::vector<std::string>{"/" + kSite + "demo/a.py", "/" + kSite + "demo/bad.py"}));
  EXPECT_EQ(shown(tree, kSite + "demo/__pycache__/a.cpython-311.pyc"), "644 code");
  EXPECT_EQ(shown(tree, kSite + "demo/__pycache__/bad.cpython-311.pyc"), "none");
  const std::string record = shown(tree, kSite + "demo-1.0.dist-info/RECORD");
  EXPECT_NE(record.find("\ndemo/__pycache__/a.cpython-311.pyc,,\n"), std::string::npos);
  std::vector<std::string> sources;
  for (const PythonSource& source : python_sources(wheel, kTarget, {{"demo/bad.py", "test"}})) {
    sources.push_back(source.path + "=" + read_content(source.content));
  }
  EXPECT_EQ(sources, (std::vector<std::string>{"/" + kSite + "demo/a.py=1\n"}));
}

TEST(WheelInstall, DropsByTheFirstRuleThatMatchesAndCounts) {
  WheelParts parts = with_files({{.name = "demo/__init__.py"},
                                 {.name = "demo/tests/a.py", .plain = "12345"},
                                 {.name = "demo/tests/b.py", .plain = "1"},
                                 {.name = "demo-1.0.data/data/share/x", .plain = "22"}});
  parts.entry_points = "[console_scripts]\nbroken = a:b\n";
  const Wheel wheel = open_wheel(parts);
  Tree tree;
  const std::vector<DropRule> drops{{"demo/tests/a*", "r"},
                                    {"demo/tests/**", "r"},
                                    {"/share/**", "r"},
                                    {"/bin/broken", "r"},
                                    {"**/*.txt", "dist-info stays whole"},
                                    {"demo-1.0.dist-info/**", "it stays"}};
  const InstallReport report = install_wheel(wheel, kTarget, drops, no_bytecode, nullptr, tree);
  ASSERT_EQ(report.dropped.size(), 6u);
  EXPECT_EQ(report.dropped[0], (std::pair<std::uint64_t, std::uint64_t>{1, 5}));
  EXPECT_EQ(report.dropped[1], (std::pair<std::uint64_t, std::uint64_t>{1, 1}));
  EXPECT_EQ(report.dropped[2], (std::pair<std::uint64_t, std::uint64_t>{1, 2}));
  EXPECT_EQ(report.dropped[3].first, 1u);
  EXPECT_EQ(report.dropped[4].first, 0u);
  EXPECT_EQ(report.dropped[5].first, 0u);
  EXPECT_EQ(files(tree).size(), 6u);
  const std::string record = shown(tree, kSite + "demo-1.0.dist-info/RECORD");
  EXPECT_EQ(record.find("tests"), std::string::npos);
  EXPECT_EQ(record.find("share"), std::string::npos);
}

TEST(WheelInstall, HashesFilesWhoseRowHasNoHash) {
  WheelParts parts = with_files({{.name = "demo.py", .plain = "x = 1\n"}});
  parts.record = "demo.py,,\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/WHEEL,,\n";
  const std::string record = shown(install(parts), kSite + "demo-1.0.dist-info/RECORD");
  EXPECT_NE(record.find(record_line("demo.py", "x = 1\n")), std::string::npos);
}

TEST(WheelInstall, HandsOnLastBlocksOfVerifiedStreams) {
  const Tree tree = install(with_files({{.name = "demo.py", .plain = "x = 1\n"}}));
  const Entry* entry = tree.find(EntryPath::parse(kSite + "demo.py"));
  EXPECT_EQ(std::get<DeflatedContent>(entry->content).last_block_bit, 0u);
}

TEST(WheelInstall, SharesOnePathBetweenEqualMembersOnly) {
  const auto twice = [](const std::string& other) {
    return with_files({{.name = "demo.py", .plain = "x"},
                       {.name = "demo-1.0.data/purelib/demo.py", .plain = other}});
  };
  EXPECT_EQ(shown(install(twice("x")), kSite + "demo.py"), "644 x");
  EXPECT_EQ(
      install_refusal(twice("y")),
      "error: 'demo-1.0-py3-none-any.whl': member 'demo-1.0.data/purelib/demo.py' goes to the "
      "same place as member 'demo.py' and differs from it");
}

TEST(WheelInstall, RefusesToReplacePartsOfTheVenv) {
  for (const std::string path : {"bin/python3", "bin/python3.11", "pyvenv.cfg", "bin", "lib"}) {
    const std::string member = "demo-1.0.data/data/" + path;
    EXPECT_EQ(install_refusal(with_files({{.name = member}})),
              "error: 'demo-1.0-py3-none-any.whl': member '" + member + "' would replace '" + path +
                  "' of the venv");
  }
  EXPECT_EQ(
      install_refusal(with_files({{.name = "demo-1.0.data/scripts/python"}})),
      "error: 'demo-1.0-py3-none-any.whl': member 'demo-1.0.data/scripts/python' would replace "
      "'bin/python' of the venv");
}

TEST(WheelInstall, RefusesFactsOfAnotherWheel) {
  const Wheel wheel = open_wheel({});
  Tree tree;
  const WheelFacts facts;
  EXPECT_THROW(install_wheel(wheel, kTarget, {}, no_bytecode, &facts, tree), InternalError);
}

}  // namespace
}  // namespace img::testing
