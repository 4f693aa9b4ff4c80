// SPDX-License-Identifier: Apache-2.0
// The structure of wheels and their one full verification.
#include "builder/inputs/wheel.h"

#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

WheelParts demo() {
  WheelParts parts;
  parts.files = {{.name = "demo/__init__.py", .plain = "x = 1\n"},
                 {.name = "demo/data.bin", .plain = std::string(100'000, 'd')}};
  return parts;
}

WheelParts with_member(ZipEntry entry) {
  WheelParts parts = demo();
  parts.files.push_back(std::move(entry));
  return parts;
}

TEST(Wheel, OpensAndVerifies) {
  WheelParts parts = demo();
  parts.entry_points = "[console_scripts]\ndemo = demo:main\n";
  const Wheel wheel = open_wheel(parts);
  EXPECT_EQ(wheel.dist_info(), "demo-1.0.dist-info");
  EXPECT_EQ(wheel.data_folder(), "");
  EXPECT_EQ(wheel.metadata().name, "demo");
  EXPECT_TRUE(wheel.root_is_purelib());
  EXPECT_EQ(wheel.read("demo/__init__.py"), "x = 1\n");
  EXPECT_EQ(wheel.read("demo/none.py"), std::nullopt);
  ASSERT_EQ(wheel.scripts().size(), 1u);
  std::uint64_t progress = 0;
  const WheelFacts facts = wheel.verify([&](std::uint64_t bytes) { progress += bytes; });
  EXPECT_EQ(facts.files, 6u);
  EXPECT_EQ(facts.unpacked_size, progress);
  ASSERT_EQ(facts.last_block_bits.size(), 6u);
  EXPECT_EQ(facts.last_block_bits[0], 0u) << "one block, from the first bit";
  const WheelFacts again = parse_wheel_facts(to_json(facts), "facts");
  EXPECT_EQ(again.files, facts.files);
  EXPECT_EQ(again.unpacked_size, facts.unpacked_size);
  EXPECT_EQ(again.last_block_bits, facts.last_block_bits);
}

TEST(Wheel, FindsTheLastBlockOfLongStreams) {
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 2'000'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>('a' + (state >> 24) % 40);
  }
  const Wheel wheel = open_wheel(with_member({.name = "demo/noise", .plain = noise}));
  const WheelFacts facts = wheel.verify();
  const ZipMember& member = wheel.zip().members()[2];
  ASSERT_TRUE(facts.last_block_bits[2]);
  EXPECT_GT(*facts.last_block_bits[2], 0u);
  EXPECT_LT(*facts.last_block_bits[2] / 8, member.packed_size);
}

TEST(Wheel, KnowsNoLastBlockOfStoredMembersAndFolders) {
  WheelParts parts = with_member({.name = "demo/stored", .plain = "s", .method = 0});
  parts.files.push_back({.name = "demo/sub/", .mode = 040755});
  const WheelFacts facts = open_wheel(parts).verify();
  EXPECT_EQ(facts.last_block_bits[2], std::nullopt);
  EXPECT_EQ(facts.last_block_bits[3], std::nullopt);
  EXPECT_EQ(facts.files, 6u);
}

TEST(Wheel, AcceptsWhatIsOddInTheField) {
  WheelParts parts = demo();
  parts.distribution = "Demo_Pkg";
  parts.version = "1.0.0";
  parts.files.push_back(
      {.name = "demo/_vendor/other-2.dist-info/METADATA", .plain = "Name: other\n"});
  parts.files.push_back({.name = "demo/typeless", .plain = "t", .mode = 0644});
  parts.files.push_back({.name = "Demo/__init__.py", .plain = "other case\n"});
  parts.files.push_back({.name = "top.data", .plain = "a file, no folder"});
  parts.files.push_back({.name = "demo_pkg-1.0.data/data/share/x", .plain = "d"});
  parts.wheel = "Wheel-Version: 1.9\r\nWheel-Version: 7.0\r\nRoot-Is-Purelib: FALSE\r\n";
  parts.metadata =
      "Metadata-Version: 2.1\r\nName: demo-pkg\r\nVersion: 1\r\nLicense: MIT\r\n"
      "License-Expression: Apache-2.0\r\nRequires-Dist: numpy (>=1)\r\n"
      "Requires-Dist: x;\r\n  extra == 'y'\r\nRequires-Python: >=3.9\r\n\r\nName: body\r\n";
  const Wheel wheel = open_wheel(parts);
  wheel.verify();
  EXPECT_FALSE(wheel.root_is_purelib());
  EXPECT_EQ(wheel.data_folder(), "demo_pkg-1.0.data");
  EXPECT_EQ(wheel.metadata().license, "Apache-2.0");
  EXPECT_EQ(wheel.metadata().requires_python, ">=3.9");
  EXPECT_EQ(wheel.metadata().requires_dist,
            (std::vector<std::string>{"numpy (>=1)", "x;\n  extra == 'y'"}));
}

TEST(Wheel, RefusesUnsafeNames) {
  const auto error = [](const std::string& name) {
    return wheel_refusal(with_member({.name = name}));
  };
  const std::string start = "error: 'demo-1.0-py3-none-any.whl': member ";
  EXPECT_EQ(error("/etc/passwd"), start + "'/etc/passwd' has an absolute name");
  EXPECT_EQ(error("a\\b"), start + "'a\\b' has a backslash in its name");
  EXPECT_EQ(error("C:evil"), start + "'C:evil' has a drive letter in its name");
  for (const std::string segment : {"..", ".", ""}) {
    EXPECT_EQ(error("a/" + segment + "/x"), start + "'a/" + segment + "/x' has the segment '" +
                                                segment +
                                                "' in its name: it could mean another place");
  }
  EXPECT_EQ(error("../x"),
            start + "'../x' has the segment '..' in its name: it could mean another place");
  EXPECT_EQ(error("a//"),
            start + "'a//' has the segment '' in its name: it could mean another place");
  EXPECT_EQ(error("a/.wh.b"), start + "'a/.wh.b' is named like a removal mark of image layers");
  EXPECT_EQ(error(".wh..wh..opq"),
            start + "'.wh..wh..opq' is named like a removal mark of image layers");
  const std::string long_name(256, 'n');
  EXPECT_EQ(error(long_name), start + "'" + long_name + "' has too long a name");
}

TEST(Wheel, RefusesLinksDevicesAndFilesThatAreFolders) {
  const std::string start = "error: 'demo-1.0-py3-none-any.whl': member ";
  EXPECT_EQ(wheel_refusal(with_member({.name = "l", .plain = "/etc/passwd", .mode = 0120777})),
            start + "'l' is a symbolic link");
  EXPECT_EQ(wheel_refusal(with_member({.name = "d", .mode = 0020644})),
            start + "'d' is neither a regular file nor a folder");
  EXPECT_EQ(wheel_refusal(with_member({.name = "d", .mode = 0040755})),
            start + "'d' is neither a regular file nor a folder");
  EXPECT_EQ(wheel_refusal(with_member({.name = "demo/__init__.py/x"})),
            start + "'demo/__init__.py' is a file and the folder of another member");
  EXPECT_EQ(wheel_refusal(with_member({.name = "demo/__init__.py/", .mode = 040755})),
            start + "'demo/__init__.py' is a file and the folder of another member");
}

TEST(Wheel, RefusesAnythingButOneFittingDistInfo) {
  const std::string start = "error: 'demo-1.0-py3-none-any.whl' ";
  WheelParts parts = with_member({.name = "other-1.dist-info/METADATA"});
  EXPECT_EQ(wheel_refusal(parts), start +
                                      "has more than one .dist-info folder\n"
                                      "  got: demo-1.0.dist-info\n  and: other-1.dist-info");
  parts = demo();
  const auto open_as = [&](const std::string& name) {
    return refusal([&] { Wheel::open(file_of(build_wheel(parts)), name); });
  };
  EXPECT_EQ(open_as("else-1.0-py3-none-any.whl"),
            "error: 'else-1.0-py3-none-any.whl' has a .dist-info folder of another distribution or "
            "version\n  expected: else-1.0.dist-info\n  got:      demo-1.0.dist-info");
  EXPECT_EQ(open_as("demo-1.1-py3-none-any.whl"),
            "error: 'demo-1.1-py3-none-any.whl' has a .dist-info folder of another distribution or "
            "version\n  expected: demo-1.1.dist-info\n  got:      demo-1.0.dist-info");
  parts.without = {"METADATA", "WHEEL", "RECORD"};
  EXPECT_EQ(wheel_refusal(parts), start + "has no .dist-info folder");
  for (const std::string file : {"METADATA", "WHEEL", "RECORD"}) {
    parts.without = {file};
    EXPECT_EQ(wheel_refusal(parts), start + "has no 'demo-1.0.dist-info/" + file + "'");
  }
}

TEST(Wheel, RefusesForeignMetadataAndUnknownVersions) {
  const std::string start = "error: 'demo-1.0-py3-none-any.whl'";
  WheelParts parts = demo();
  parts.metadata = "Name: other\nVersion: 1.0\n";
  EXPECT_EQ(wheel_refusal(parts), start +
                                      " has the METADATA of another distribution or version\n"
                                      "  expected: demo 1.0\n  got:      other 1.0");
  parts.metadata = "Name: demo\nVersion: 1.0+local\n";
  EXPECT_EQ(wheel_refusal(parts), start +
                                      " has the METADATA of another distribution or version\n"
                                      "  expected: demo 1.0\n  got:      demo 1.0+local");
  parts.metadata = "Version: 1.0\n";
  EXPECT_EQ(wheel_refusal(parts), start + ": its METADATA has no Name");
  parts.metadata = "Name: demo\n\nVersion: 1.0\n";
  EXPECT_EQ(wheel_refusal(parts), start + ": its METADATA has no Version");
  parts.metadata = "Name: demo\nVersion: 1.0\nSummary: \xff\n";
  EXPECT_EQ(wheel_refusal(parts), start + ": its METADATA is not UTF-8");
  parts = demo();
  parts.wheel = "Wheel-Version: 2.0\n";
  EXPECT_EQ(wheel_refusal(parts), start +
                                      " has a WHEEL file of an unknown version\n"
                                      "  expected: Wheel-Version: 1.0\n  got:      2.0");
  parts.wheel = "Generator: x\n";
  EXPECT_EQ(wheel_refusal(parts), start +
                                      " has a WHEEL file of an unknown version\n"
                                      "  expected: Wheel-Version: 1.0\n  got:      none");
}

TEST(Wheel, RefusesDataFoldersThatInstallersUnderstandDifferently) {
  const std::string start = "error: 'demo-1.0-py3-none-any.whl'";
  EXPECT_EQ(wheel_refusal(with_member({.name = "other-1.0.data/purelib/x.py"})),
            start + " has a .data folder that is not its own\n  got: other-1.0.data");
  EXPECT_EQ(wheel_refusal(with_member({.name = "demo-1.0.data/bin/x"})),
            start +
                ": member 'demo-1.0.data/bin/x' is in the unknown .data scheme 'bin'; known are "
                "data, headers, platlib, purelib and scripts");
  EXPECT_EQ(wheel_refusal(with_member({.name = "demo-1.0.data/scripts"})),
            start + ": member 'demo-1.0.data/scripts' is a file where a .data scheme is expected");
  EXPECT_EQ(wheel_refusal(with_member({.name = "demo-1.0.data/scripts/../../../x"})),
            start +
                ": member 'demo-1.0.data/scripts/../../../x' has the segment '..' in its name: it "
                "could mean another place");
}

TEST(WheelVerify, AcceptsHonestVariantsOfRecord) {
  WheelParts parts = demo();
  parts.files.push_back({.name = "demo/sub/", .mode = 040755});
  parts.record_more = "demo/,,\ndemo/sub/,,\n" + record_line("./demo/__init__.py", "x = 1\n") +
                      "demo-1.0.dist-info/RECORD.jws,,\n";
  open_wheel(parts).verify();
  parts.record = "\"demo/__init__.py\"," + sha256_cell("x = 1\n") + ",\r\ndemo/data.bin,,\r\n" +
                 "demo-1.0.dist-info/METADATA,,\r\ndemo-1.0.dist-info/WHEEL,,\r\n";
  open_wheel(parts).verify();
}

TEST(WheelVerify, ChecksStrongerHashes) {
  // Of "x = 1\n".
  const std::string right =
      "e73veyKgykOKZRFOeqVV-RiHar0CPb8GFYkM-jCLUlHBkx-rU_sUNgozT0yN7lCJ48E3W_3uNVShst_MuAk21g";
  WheelParts parts = demo();
  parts.files.pop_back();
  const std::string rest = "demo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/WHEEL,,\n";
  parts.record = "demo/__init__.py,sha512=" + std::string(86, 'A') + ",6\n" + rest;
  const std::string text = verify_refusal(parts);
  EXPECT_EQ(text.substr(0, text.find("  got:")),
            "error: 'demo-1.0-py3-none-any.whl': member 'demo/__init__.py' does not have the hash "
            "that RECORD gives\n  expected: sha512=" +
                std::string(86, 'A') + "   (RECORD)\n");
  const std::string true_hash = text.substr(text.find("got:      ") + 10);
  parts.record = "demo/__init__.py," + true_hash + ",6\n" + rest;
  open_wheel(parts).verify();
  EXPECT_EQ(true_hash, "sha512=" + right);
}

TEST(WheelVerify, RefusesARecordThatLies) {
  const std::string start = "error: 'demo-1.0-py3-none-any.whl'";
  WheelParts parts = demo();
  parts.record_more = "demo/gone.py,,\n";
  EXPECT_EQ(verify_refusal(parts),
            start + " lists a file in RECORD that it does not have\n  got: demo/gone.py");
  parts.record_more = "elsewhere/,,\n";
  EXPECT_EQ(verify_refusal(parts),
            start + " lists a file in RECORD that it does not have\n  got: elsewhere/");
  parts = demo();
  parts.change = [](ZipParts& zip) { zip.entries.push_back({.name = "extra.py"}); };
  EXPECT_EQ(verify_refusal(parts), start + ": member 'extra.py' is not listed in RECORD");
  parts.change = [](ZipParts& zip) { zip.entries[0].plain = "x = 2\n"; };
  EXPECT_EQ(verify_refusal(parts),
            start +
                ": member 'demo/__init__.py' does not have the hash that RECORD gives\n"
                "  expected: " +
                sha256_cell("x = 1\n") + "   (RECORD)\n  got:      " + sha256_cell("x = 2\n"));
  parts.change = [](ZipParts& zip) { zip.entries[0].plain = "x = 10\n"; };
  EXPECT_EQ(verify_refusal(parts),
            start +
                ": member 'demo/__init__.py' does not have the size that RECORD gives\n"
                "  expected: 6   (RECORD)\n  got:      7");
  parts = demo();
  parts.record = "demo-1.0.dist-info/RECORD," + sha256_cell("?") + ",\n" +
                 "demo/__init__.py,,\ndemo/data.bin,,\ndemo-1.0.dist-info/METADATA,,\n"
                 "demo-1.0.dist-info/WHEEL,,\n";
  EXPECT_EQ(verify_refusal(parts),
            start + ": member 'demo-1.0.dist-info/RECORD' claims to know its own hash");
}

TEST(WheelVerify, RefusesStreamsThatDoNotKeepTheirWord) {
  const std::string start =
      "error: 'demo-1.0-py3-none-any.whl': member 'demo/data.bin' does not unpack to what its "
      "headers "
      "say\n  reason: ";
  const auto broken = [&](const std::function<void(ZipEntry&)>& change) {
    WheelParts parts = demo();
    parts.change = [&](ZipParts& zip) { change(zip.entries[1]); };
    return verify_refusal(parts).substr(0, start.size());
  };
  EXPECT_EQ(broken([](ZipEntry& entry) { entry.crc = 7; }), start);
  EXPECT_EQ(broken([](ZipEntry& entry) { entry.size = 99'999; }), start);
  EXPECT_EQ(broken([](ZipEntry& entry) { entry.size = 100'001; }), start);
  EXPECT_EQ(broken([](ZipEntry& entry) { entry.packed = entry.data() + "slack"; }), start);
  EXPECT_EQ(broken([](ZipEntry& entry) { entry.packed = entry.data().substr(0, 99); }), start);
  EXPECT_EQ(broken([](ZipEntry& entry) { entry.packed = std::string(200, '\xff'); }), start);
}

TEST(WheelVerify, RefusesBombsBeforeUnpackingThem) {
  WheelParts parts = demo();
  parts.change = [](ZipParts& zip) {
    zip.entries[1].size = 2'000'000'000;
    zip.entries[1].packed = std::string(2'000'000, 'x');
  };
  EXPECT_EQ(verify_refusal(parts),
            "error: 'demo-1.0-py3-none-any.whl' unpacks to more than 1.07 GB");
}

TEST(WheelFacts, RefusesJsonOfAnotherShape) {
  EXPECT_EQ(refusal([] {
              parse_wheel_facts(
                  {{"files", 1}, {"unpacked_size", 2}, {"last_block_bits", Json::array({"x"})}},
                  "facts");
            }).substr(0, 6),
            "error:");
}

TEST(ConsoleScripts, ReadsGroupsCommentsAndExtras) {
  const auto scripts = parse_console_scripts(
      "# comment\r\n[other]\r\njunk\r\n[console_scripts]\r\n b-tool = pkg.sub:Main.run [extra, "
      "x]\r\n"
      "a.b=pkg:m\r\n\r\n[gui_scripts]\r\nw = pkg:gui\r\n[console_scripts]\na.b = pkg : later\n",
      "x.whl");
  ASSERT_EQ(scripts.size(), 3u);
  EXPECT_EQ(scripts[0].name, "a.b");
  EXPECT_EQ(scripts[0].attribute, "later");
  EXPECT_EQ(scripts[1].module, "pkg.sub");
  EXPECT_EQ(scripts[1].attribute, "Main.run");
  EXPECT_FALSE(scripts[1].gui);
  EXPECT_TRUE(scripts[2].gui);
}

TEST(ConsoleScripts, RefusesWhatCannotBecomeAScript) {
  const auto error = [](const std::string& line) {
    return refusal([&] { parse_console_scripts("[console_scripts]\n" + line + "\n", "x.whl"); });
  };
  const std::string start = "error: 'x.whl': script ";
  EXPECT_EQ(error("../evil = a:b"),
            start + "'../evil' of entry_points.txt has a name that is no file name");
  EXPECT_EQ(error("= a:b"), start + "'' of entry_points.txt has a name that is no file name");
  EXPECT_EQ(error(".. = a:b"), start + "'..' of entry_points.txt has a name that is no file name");
  EXPECT_EQ(error("x"), start + "'x' of entry_points.txt has no value");
  EXPECT_EQ(error(".wh.x = a:b"),
            start + "'.wh.x' of entry_points.txt is named like a removal mark of image layers");
  EXPECT_EQ(error("python3.11 = a:b"),
            start + "'python3.11' of entry_points.txt would replace the interpreter");
  EXPECT_EQ(error("x = module"), start +
                                     "'x' of entry_points.txt names no callable: expected "
                                     "'module:attribute', got 'module'");
  EXPECT_EQ(error("x = os:system('evil') #"),
            start +
                "'x' of entry_points.txt does not name a Python callable: got 'os:system('evil') "
                "#'");
  EXPECT_EQ(error("x = a..b:c"),
            start + "'x' of entry_points.txt does not name a Python callable: got 'a..b:c'");
}

}  // namespace
}  // namespace img::testing
