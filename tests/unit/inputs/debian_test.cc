// SPDX-License-Identifier: Apache-2.0
// Stanzas, dpkg's version order, and .debs that keep or break the format.
#include "builder/inputs/debian.h"

#include "tests/support/deb_builder.h"
#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

TEST(Deb822, ReadsAndWritesStanzas) {
  const std::string first =
      "Package: a\nDescription: short\n long\n .\n end\nConffiles:\n /etc/a 1\n";
  const auto stanzas = parse_deb822("\n" + first + "\n \n\npackage:   b  \n", "status");
  ASSERT_EQ(stanzas.size(), 2u);
  EXPECT_EQ(stanzas[0].find("DESCRIPTION"), "short\n long\n .\n end");
  EXPECT_EQ(stanzas[0].find("Conffiles"), "\n /etc/a 1");
  EXPECT_EQ(stanzas[0].find("Version"), std::nullopt);
  EXPECT_EQ(stanzas[0].format(), first);
  EXPECT_EQ(stanzas[1].find("Package"), "b");
}

TEST(Deb822, SetsFieldsInPlace) {
  DebianStanza stanza;
  stanza.set("Package", "a");
  stanza.set("Version", "1");
  stanza.set("package", "b");
  EXPECT_EQ(stanza.format(), "Package: b\nVersion: 1\n");
}

TEST(Deb822, RefusesMalformedText) {
  const auto error = [](const std::string& text) {
    return refusal([&] { parse_deb822(text, "Packages"); });
  };
  EXPECT_EQ(error("Package: a\nno colon\n"),
            "error: 'Packages': line 2 is neither 'Field: value' nor a continuation");
  EXPECT_EQ(error(" continued\n"), "error: 'Packages': line 1 continues no field");
  EXPECT_EQ(error("Package: a\nVersion: 1\nPACKAGE: b\n"),
            "error: 'Packages': line 3 has the field 'PACKAGE' for the second time");
  EXPECT_EQ(error("# note\n"),
            "error: 'Packages': line 1 is neither 'Field: value' nor a continuation");
  EXPECT_EQ(error("Package: a\r\n"), "error: 'Packages': line 1 has a control character");
  EXPECT_EQ(error(std::string("Package: \0a\n", 12)),
            "error: 'Packages': line 1 has a control character");
}

TEST(DebianVersion, OrdersAsDpkgDoes) {
  // Ascending; `dpkg --compare-versions` agrees on every pair.
  const std::vector<std::string> ascending{"0~~",
                                           "0~~a",
                                           "0~",
                                           "0",
                                           "0+",
                                           "0.1",
                                           "1.0~rc1-1",
                                           "1.0-0.1",
                                           "1.0-1",
                                           "1.0-1+b1",
                                           "1.0-1+deb12u1",
                                           "1.0-2",
                                           "1.0a-1",
                                           "1.0+dfsg-1",
                                           "1.0.1-1",
                                           "1.2",
                                           "1.02a",
                                           "1.10",
                                           "1.100000000000000000000000",
                                           "9999",
                                           "1:0",
                                           "1:0.5-1",
                                           "2:0~1"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int expected = i < j ? -1 : i > j ? 1 : 0;
      EXPECT_EQ(compare_debian_versions(ascending[i], ascending[j]), expected)
          << ascending[i] << " " << ascending[j];
    }
  }
}

TEST(DebianVersion, SeesEqualVersions) {
  EXPECT_EQ(compare_debian_versions("1.0", "0:1.0"), 0);
  EXPECT_EQ(compare_debian_versions("1.0", "1.0-0"), 0);
  EXPECT_EQ(compare_debian_versions("1.01", "1.1"), 0);
  EXPECT_EQ(compare_debian_versions("1.a0", "1.a"), 0);
}

DebFile open(const DebParts& parts) { return DebFile::open(file_of(build_deb(parts)), "d.deb"); }
std::string open_refusal(const DebParts& parts) {
  return refusal([&] { open(parts); });
}

std::string data_paths(const DebFile& deb) {
  std::string text;
  deb.read_data([&](const EntryPath& path, Entry, Source& body) {
    text += path.str() + "=" + read_all(body, 100, "body") + ";";
  });
  return text;
}

TEST(DebFile, ReadsControlAndData) {
  const DebFile deb = open({});
  EXPECT_EQ(deb.control().find("Version"), "1:2.0-1");
  EXPECT_EQ(deb.control().format(), control_text());
  EXPECT_EQ(data_paths(deb), "usr=;usr/x=hi;");
}

TEST(DebFile, AcceptsPlainTarsSlashedNamesAndSignatures) {
  DebParts parts;
  parts.version = ar_member("debian-binary/", "2.1\n") + ar_member("_note", "odd");
  parts.control = ar_member("control.tar/", control_tar(control_text()));
  parts.after = ar_member("_gpgorigin", "signature");
  EXPECT_EQ(open(parts).control().find("Package"), "demo");
}

TEST(DebFile, RefusesWhatIsNoDeb) {
  DebParts parts;
  parts.magic = "!<arch>x";
  EXPECT_EQ(open_refusal(parts), "error: 'd.deb' is no .deb: it does not start as an ar archive");
  parts = {};
  parts.version = "";
  EXPECT_EQ(open_refusal(parts),
            "error: 'd.deb' is no .deb: its first member is not 'debian-binary'");
  EXPECT_EQ(refusal([] { DebFile::open(file_of("!<arch>\n"), "d.deb"); }),
            "error: 'd.deb' is no .deb: its first member is not 'debian-binary'");
  for (const std::string version : {"3.0\n", "2.0", "2.0\nmore\n", "2.\n"}) {
    parts.version = ar_member("debian-binary", version);
    EXPECT_EQ(open_refusal(parts).substr(0, 52),
              "error: 'd.deb' is a .deb of an unknown format versio");
  }
}

TEST(DebFile, RefusesOtherMembersAndOtherOrders) {
  const auto error = [](const std::string& got) {
    return "error: 'd.deb' does not have the members of a .deb\n"
           "  expected: debian-binary, control.tar.*, data.tar.*\n  got:      " +
           got;
  };
  DebParts parts;
  parts.after = parts.data;
  EXPECT_EQ(open_refusal(parts), error("debian-binary, control.tar.gz, data.tar.gz, data.tar.gz"));
  parts.after = ar_member("extra", "x");
  EXPECT_EQ(open_refusal(parts), error("debian-binary, control.tar.gz, data.tar.gz, extra"));
  parts = {};
  std::swap(parts.control, parts.data);
  EXPECT_EQ(open_refusal(parts), error("debian-binary, data.tar.gz, control.tar.gz"));
  parts = {};
  parts.data = "";
  EXPECT_EQ(open_refusal(parts), error("debian-binary, control.tar.gz"));
  parts = {};
  parts.control = ar_member("control.tar.bz2", "x");
  EXPECT_EQ(open_refusal(parts), error("debian-binary, control.tar.bz2, data.tar.gz"));
  parts = {};
  parts.data = ar_member("data.tar.7z", "x");
  EXPECT_EQ(open_refusal(parts), error("debian-binary, control.tar.gz, data.tar.7z"));
}

TEST(DebFile, RefusesDamagedMemberHeaders) {
  DebParts parts;
  parts.after = "trailing bytes";
  EXPECT_EQ(open_refusal(parts),
            "error: 'd.deb' has bytes after its last member, or ends within a header");
  parts.after = std::string(60, 'x');
  EXPECT_EQ(open_refusal(parts), "error: 'd.deb' has a malformed member header");
  for (const std::string name : {"//", "/0", "#1/20", ""}) {
    parts.after = ar_member(name, "");
    EXPECT_EQ(open_refusal(parts), "error: 'd.deb' has a member with a long or empty name");
  }
  for (const std::string size : {"-1", "0x10", "1e3", "9999999999"}) {
    parts.after = ar_member("_x", "", size);
    EXPECT_EQ(open_refusal(parts), size == "9999999999"
                                       ? "error: 'd.deb' ends within its member '_x'"
                                       : "error: 'd.deb' has a member '_x' without a decimal size");
  }
  parts.after = ar_member("_x", "odd", "", "");
  EXPECT_EQ(open_refusal(parts), "error: 'd.deb' has no padding after its member '_x'");
  parts.after = ar_member("_x", "odd", "", "!");
  EXPECT_EQ(open_refusal(parts), "error: 'd.deb' has no padding after its member '_x'");
}

TEST(DebFile, RefusesPackingThatIsNotWhatTheNameSays) {
  DebParts parts;
  parts.data = ar_member("data.tar.xz", gzipped(tar_end()));
  EXPECT_EQ(refusal([&] { data_paths(open(parts)); }),
            "error: 'd.deb: data.tar.xz' is not packed as its name says\n"
            "  expected: xz\n  got:      gzip");
  parts.data = ar_member("data.tar", gzipped(tar_end()));
  EXPECT_EQ(refusal([&] { data_paths(open(parts)); }),
            "error: 'd.deb: data.tar' is not packed as its name says\n"
            "  expected: plain\n  got:      gzip");
  parts.data = ar_member("data.tar.gz", gzipped(tar_end()) + "junk");
  EXPECT_EQ(refusal([&] { data_paths(open(parts)); }),
            "error: 'd.deb: data.tar.gz' has bytes after the end of its packed stream\n  while: "
            "reading 'd.deb: data.tar.gz'");
}

TEST(DebFile, RefusesEscapesAndRemovalMarksInData) {
  DebParts parts;
  parts.data = ar_member("data.tar.gz", gzipped(tar_block({.name = "./../x"}) + tar_end()));
  EXPECT_NE(refusal([&] { data_paths(open(parts)); }), "nothing was thrown");
  parts.data = ar_member("data.tar.gz", gzipped(tar_block({.name = "./.wh.x"}) + tar_end()));
  EXPECT_EQ(refusal([&] { data_paths(open(parts)); }),
            "error: 'd.deb: data.tar.gz': entry '.wh.x' is named like a removal mark of image "
            "layers\n  while: reading 'd.deb: data.tar.gz'");
}

TEST(DebFile, RefusesControlFilesWithoutTheBasics) {
  const auto error = [](const std::string& tar) {
    DebParts parts;
    parts.control = ar_member("control.tar.gz", gzipped(tar));
    return refusal([&] { open(parts).control(); });
  };
  EXPECT_EQ(error(tar_end()), "error: 'd.deb' has no control file");
  EXPECT_EQ(error(control_tar("Package: a\nVersion: 1\n")),
            "error: 'd.deb' has no Architecture in its control file");
  EXPECT_EQ(error(control_tar("Package: a\n\nPackage: b\n")),
            "error: 'd.deb' does not have exactly one control stanza");
  EXPECT_EQ(error(control_tar("")), "error: 'd.deb' does not have exactly one control stanza");
}

}  // namespace
}  // namespace img::testing
