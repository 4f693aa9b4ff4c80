// SPDX-License-Identifier: Apache-2.0
// Zips, wheels, debs, tars and their texts with random damage: accepted or refused, nothing else.
#include "tests/support/damage.h"

#include "builder/inputs/archive.h"
#include "builder/inputs/debian.h"
#include "builder/inputs/wheel_install.h"
#include "tests/support/deb_builder.h"
#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

#include <map>

namespace img::testing {
namespace {

WheelParts rich_wheel() {
  WheelParts parts;
  parts.files = {
      {.name = "demo/__init__.py", .plain = "import os\n" + std::string(300, 'x')},
      {.name = "demo/stored.bin", .plain = std::string("\0\1\2\xff", 4), .method = 0},
      {.name = "demo/empty/", .mode = 040755, .method = 0},
      {.name = "demo-1.0.data/scripts/tool", .plain = "#!python\nprint(1)\n"},
      {.name = "demo-1.0.data/data/share/caf\xc3\xa9.txt", .plain = "y", .flags = 0x800}};
  ZipEntry described{.name = "demo/described.py", .plain = "a = 1\n", .flags = 8};
  described.local_crc = described.local_size = described.local_packed_size = 0;
  described.after = data_descriptor(described, true, false);
  parts.files.push_back(described);
  parts.entry_points = "[console_scripts]\ndemo = demo.cli:main [extra]\n[gui_scripts]\ng = a:b\n";
  parts.change = [](ZipParts& zip) {
    zip.zip64 = true;
    zip.comment = "made by a test";
  };
  return parts;
}

using Files = std::map<std::string, std::string>;  // path in the image → content

/// All that imgbuild does with a wheel before it becomes a layer.
Files install(const std::string& bytes, const std::string& file_name) {
  const Wheel wheel = Wheel::open(file_of(bytes), file_name);
  const WheelFacts facts = wheel.verify();
  parse_wheel_facts(to_json(facts), "facts");
  Tree tree;
  const InstallTarget target{EntryPath::parse("opt/venv"), "3.11"};
  python_sources(wheel, target, {});
  install_wheel(
      wheel, target, {{"*/described.py", "a test"}},
      [](const std::string&) { return literal("bytecode"); }, &facts, tree);
  tree.seal("x");
  Files files;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type == EntryType::file) files[path.str()] = read_content(entry.content);
  }
  return files;
}

TEST(Damage, ZipsAreReadOrRefused) {
  ZipParts plain{{{.name = "a.txt", .plain = std::string(200, 'a')},
                  {.name = "b/", .mode = 040755, .method = 0},
                  {.name = "b/c", .plain = "stored", .method = 0}}};
  ZipParts wide = plain;
  wide.zip64 = true;
  wide.comment = "PK";
  const DamageCounts counts = expect_clear_errors(
      {build_zip(plain), build_zip(wide)}, 4000, "x.zip", [](const std::string& bytes) {
        const ZipFile zip = ZipFile::open(file_of(bytes), "x.zip");
        for (const ZipMember& member : zip.members()) zip.read(member);
      });
  EXPECT_GT(counts.refused, counts.accepted);
}

TEST(Damage, WheelsGiveTheSameFilesOrAreRefused) {
  const WheelParts parts = rich_wheel();
  const std::string sample = build_wheel(parts);
  const Files expected = install(sample, parts.file_name());
  const DamageCounts counts =
      expect_clear_errors({sample}, 4000, parts.file_name(), [&](const std::string& bytes) {
        // Checksums and RECORD leave no way for another file to get through.
        EXPECT_EQ(install(bytes, parts.file_name()), expected);
      });
  EXPECT_GT(counts.refused, counts.accepted);
}

TEST(Damage, TextsOfWheelsAreReadOrRefused) {
  expect_clear_errors({"a,sha256=" + std::string(43, 'A') +
                       ",1\n\"b,\"\"c\",,\r\nd,sha512=" + std::string(86, 'A') + ",7\nRECORD,,\n"},
                      4000, "x.whl",
                      [](const std::string& text) { format_record(parse_record(text, "x.whl")); });
  expect_clear_errors({"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: a>=1; "
                       "python_version < \"3\"\nDescription: a\n  b\n\nlong text\n"},
                      4000, "x.whl",
                      [](const std::string& text) { parse_wheel_metadata(text, "x.whl"); });
  expect_clear_errors({"[console_scripts]\na = b.c:d.e\n# no\n[gui_scripts]\nf=g:h [x]\n[other]\n"},
                      4000, "x.whl",
                      [](const std::string& text) { parse_console_scripts(text, "x.whl"); });
}

TEST(Damage, NamesOfWheelsAreReadOrRefused) {
  expect_clear_errors({"demo_pkg-1.0.post1-2b-cp311.cp312-abi3.none-manylinux_2_17_x86_64.any.whl"},
                      4000, "wheel", [](const std::string& name) {
                        const WheelFileName parsed = parse_wheel_file_name(name);
                        TagRanking("3.11", 2, 36, "x86_64").rank(parsed);
                        normalize_version(parsed.version);
                      });
}

TEST(Damage, DebsAreReadOrRefused) {
  DebParts plain;
  plain.control = ar_member("control.tar", control_tar(control_text()));
  plain.data = ar_member("data.tar", tar_block({.name = "./x", .body = "hi"}) + tar_end());
  expect_clear_errors(
      {build_deb({}), build_deb(plain)}, 4000, "x.deb", [](const std::string& bytes) {
        const DebFile deb = DebFile::open(file_of(bytes), "x.deb");
        deb.control();
        deb.read_data(
            [](const EntryPath&, Entry, Source& body) { read_all(body, 1 << 20, "body"); });
      });
  expect_clear_errors(
      {"Package: a\nVersion: 1:2.0~rc1-3+b1\nDescription: x\n y\n .\n\nPackage: b\n"}, 4000,
      "status", [](const std::string& text) {
        for (const DebianStanza& stanza : parse_deb822(text, "status")) {
          stanza.format();
          compare_debian_versions(stanza.find("Version").value_or(""), "1.0-1");
        }
      });
}

TEST(Damage, ArchivesAreReadOrRefused) {
  const std::string tar = tar_block({.name = "./d/", .type = '5'}) +
                          pax_block(pax_record("path", "d/long")) +
                          tar_block({.name = "d/x", .body = "hi"}) +
                          tar_block({.name = "d/l", .type = '2', .link = "x"}) +
                          tar_block({.name = "d/h", .type = '1', .link = "d/long"}) + tar_end();
  expect_clear_errors({tar, gzipped(tar)}, 4000, "x.tar", [](const std::string& bytes) {
    ViewSource source(as_bytes(bytes));
    read_archive(source, "x.tar", {},
                 [](const EntryPath&, Entry, Source& body) { read_all(body, 1 << 20, "body"); });
  });
}

}  // namespace
}  // namespace img::testing
