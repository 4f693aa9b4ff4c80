// SPDX-License-Identifier: Apache-2.0
// Legal zips are read, every kind of contradiction is refused by name.
#include "builder/inputs/zip_reader.h"

#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

constexpr std::uint16_t kLater = 1 << 3;  // sizes come in a data descriptor
constexpr std::uint16_t kUtf8 = 1 << 11;

ZipParts two_members() {
  return {
      {{.name = "a.txt", .plain = "alpha alpha alpha alpha"}, {.name = "b.txt", .plain = "beta"}}};
}

ZipFile open(const ZipParts& parts) { return ZipFile::open(file_of(build_zip(parts)), "t.zip"); }
std::string open_refusal(const ZipParts& parts) {
  return refusal([&] { open(parts); });
}

/// Two members, the second one changed.
template <typename Change>
std::string changed(Change&& change) {
  ZipParts parts = two_members();
  change(parts.entries[1]);
  return open_refusal(parts);
}

ZipEntry streamed(bool signature, bool wide) {
  ZipEntry entry{.name = "s.txt", .plain = "streamed streamed", .flags = kLater};
  entry.local_crc = entry.local_size = entry.local_packed_size = 0;
  entry.after = data_descriptor(entry, signature, wide);
  return entry;
}

TEST(ZipReader, ReadsDeflatedAndStoredMembers) {
  ZipParts parts = two_members();
  parts.entries[1].method = 0;
  const ZipFile zip = open(parts);
  ASSERT_EQ(zip.members().size(), 2u);
  EXPECT_EQ(zip.members()[0].name, "a.txt");
  EXPECT_EQ(zip.members()[0].unix_mode, 0100644u);
  EXPECT_EQ(zip.members()[1].method, 0);
  EXPECT_EQ(zip.read(zip.members()[0]), "alpha alpha alpha alpha");
  EXPECT_EQ(zip.read(*zip.find("b.txt")), "beta");
  EXPECT_EQ(zip.find("c.txt"), nullptr);
}

TEST(ZipReader, ReadsAnEmptyArchive) { EXPECT_TRUE(open({{}}).members().empty()); }

TEST(ZipReader, AcceptsADirectoryInAnotherOrderThanTheFile) {
  ZipParts parts = two_members();
  parts.reverse_directory = true;
  const ZipFile zip = open(parts);
  EXPECT_EQ(zip.members()[0].name, "b.txt");
  EXPECT_EQ(zip.read(zip.members()[1]), "alpha alpha alpha alpha");
}

TEST(ZipReader, AcceptsEveryFormOfDataDescriptor) {
  for (const bool signature : {false, true}) {
    for (const bool wide : {false, true}) {
      ZipParts parts = two_members();
      parts.entries.insert(parts.entries.begin(), streamed(signature, wide));
      const ZipFile zip = open(parts);
      EXPECT_EQ(zip.read(zip.members()[0]), "streamed streamed");
    }
  }
}

TEST(ZipReader, AcceptsADescriptorWhenTheLocalHeaderKnowsTheSizesToo) {
  ZipParts parts = two_members();
  parts.entries[0].flags = kLater;
  parts.entries[0].after = data_descriptor(parts.entries[0], true, false);
  EXPECT_EQ(open(parts).members().size(), 2u);
}

TEST(ZipReader, AcceptsADeflatedEmptyFolderWithADescriptor) {
  ZipEntry folder{.name = "pkg/", .mode = 040755, .flags = kLater};
  folder.local_crc = folder.local_size = folder.local_packed_size = 0;
  folder.after = data_descriptor(folder, true, false);
  ZipParts parts{{folder}};
  const ZipFile zip = open(parts);
  EXPECT_TRUE(zip.members()[0].is_directory);
  EXPECT_EQ(zip.members()[0].packed_size, 2u);
  EXPECT_EQ(zip.read(zip.members()[0]), "");
}

TEST(ZipReader, AcceptsZip64EndRecordsAndExtraFieldsThatAgree) {
  ZipParts parts = two_members();
  parts.zip64 = true;
  parts.end_count = 0xffff;
  parts.end_size = parts.end_offset = 0xffffffff;
  ZipEntry& entry = parts.entries[0];
  const std::uint64_t size = entry.plain.size(), packed = entry.data().size();
  entry.local_size = entry.local_packed_size = entry.size = entry.packed_size = 0xffffffff;
  entry.extra = entry.local_extra = zip64_extra({size, packed});
  const ZipFile zip = open(parts);
  EXPECT_EQ(zip.members()[0].size, size);
  EXPECT_EQ(zip.read(zip.members()[0]), entry.plain);
}

TEST(ZipReader, AcceptsZip64RecordsThatNothingNeeds) {
  ZipParts parts = two_members();
  parts.zip64 = true;
  EXPECT_EQ(open(parts).members().size(), 2u);
}

TEST(ZipReader, AcceptsUtf8NamesWithTheFlag) {
  ZipParts parts{{{.name = "d\xc3\xa9j\xc3\xa0.txt", .flags = kUtf8}}};
  EXPECT_EQ(open(parts).members()[0].name, "d\xc3\xa9j\xc3\xa0.txt");
}

TEST(ZipReader, AcceptsAnArchiveCommentAndMemberCommentsAndPaddedExtras) {
  ZipParts parts = two_members();
  parts.comment = "made by hand";
  parts.entries[0].comment = "first";
  parts.entries[0].local_extra = std::string("\x55\x54\x01\0x\0\0", 7);
  EXPECT_EQ(open(parts).members().size(), 2u);
}

TEST(ZipReader, AcceptsNamesThatDifferOnlyInCaseOrNormalisation) {
  ZipParts parts{{{.name = "A"},
                  {.name = "a"},
                  {.name = "\xc3\xa9", .flags = kUtf8},
                  {.name = "e\xcc\x81", .flags = kUtf8}}};
  EXPECT_EQ(open(parts).members().size(), 4u);
}

TEST(ZipReader, RefusesWhatIsNoZip) {
  EXPECT_EQ(refusal([] { ZipFile::open(file_of("hello"), "t.zip"); }),
            "error: 't.zip' is not a zip file: it has no end of central directory record");
  EXPECT_EQ(refusal([] { ZipFile::open(file_of(""), "t.zip"); }),
            "error: 't.zip' is not a zip file: it has no end of central directory record");
}

TEST(ZipReader, RefusesBytesBeforeBetweenAndAfter) {
  ZipParts parts = two_members();
  parts.prefix = "#!/bin/sh\n";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip': member 'a.txt' does not start the file: bytes come before it");
  parts = two_members();
  parts.suffix = "x";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' has bytes after its end of central directory record");
  parts = two_members();
  parts.entries[1].before = "gap";
  EXPECT_EQ(open_refusal(parts), "error: 't.zip': member 'b.txt' has unlisted bytes before it");
  parts = two_members();
  parts.before_directory = "gap";
  EXPECT_EQ(open_refusal(parts), "error: 't.zip' has unlisted bytes before its central directory");
  parts = two_members();
  parts.before_end = "gap";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' has a central directory that is not where its end record says\n"
            "  expected: it ends at byte 191\n"
            "  got:      102 bytes from byte 86");
}

TEST(ZipReader, RefusesConcatenatedZips) {
  const std::string both = build_zip({{{.name = "good"}}}) + build_zip({{{.name = "evil"}}});
  EXPECT_EQ(refusal([&] { ZipFile::open(file_of(both), "t.zip"); }),
            "error: 't.zip' has a central directory that is not where its end record says\n"
            "  expected: it ends at byte 194\n"
            "  got:      50 bytes from byte 36");
}

TEST(ZipReader, RefusesTwoEndRecords) {
  ZipParts parts = two_members();
  parts.comment = build_zip({{{.name = "evil"}}});
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' has more than one end of central directory record");
  parts.comment = std::string("PK\x05\x06") + "short";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' has more than one end of central directory record");
}

TEST(ZipReader, RefusesAMemberThatOnlyTheFileHas) {
  ZipParts parts = two_members();
  parts.entries[1].in_directory = false;
  EXPECT_EQ(open_refusal(parts), "error: 't.zip' has unlisted bytes before its central directory");
}

TEST(ZipReader, RefusesAMemberThatOnlyTheDirectoryHas) {
  ZipParts parts = two_members();
  parts.entries[1].in_file = false;
  EXPECT_EQ(open_refusal(parts), "error: 't.zip': member 'b.txt' overlaps what follows it");
  parts.entries[1].offset = 0;
  EXPECT_EQ(open_refusal(parts), "error: 't.zip': member 'a.txt' overlaps what follows it");
}

TEST(ZipReader, RefusesMembersThatOverlap) {
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.offset = 10; }),
            "error: 't.zip': member 'a.txt' overlaps what follows it");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.offset = 40; }),
            "error: 't.zip': member 'a.txt' overlaps what follows it");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.offset = 5000; }),
            "error: 't.zip': member 'a.txt' lies outside the file's member area");
}

TEST(ZipReader, RefusesALocalHeaderThatIsNone) {
  EXPECT_EQ(refusal([] {
              std::string zip = build_zip(two_members());
              zip[0] = 'X';
              ZipFile::open(file_of(zip), "t.zip");
            }),
            "error: 't.zip': member 'a.txt' has no local header where the central directory says");
}

TEST(ZipReader, RefusesLocalHeadersThatTellAnotherStory) {
  const std::string start = "error: 't.zip': member 'b.txt' is not the same in its local header: ";
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.local_name = "evil.py"; }),
            start + "name\n  central: b.txt\n  local:   evil.py");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.local_method = 0; }),
            start + "method\n  central: 8\n  local:   0");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.local_flags = kUtf8; }),
            start + "flags\n  central: 0\n  local:   2048");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.local_crc = 7; }),
            start + "CRC\n  central: 2408645731\n  local:   7");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.local_size = 5; }),
            start + "size\n  central: 4\n  local:   5");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.local_packed_size = 5; }),
            start + "packed size\n  central: 6\n  local:   5");
  EXPECT_EQ(changed([](ZipEntry& entry) {
              entry.local_extra = zip64_extra({99, 98});
            }),
            start + "zip64 sizes\n  central: 4, 6\n  local:   99, 98");
}

TEST(ZipReader, RefusesDescriptorsThatLieOrAreMissing) {
  ZipParts parts{{streamed(true, false), {.name = "z"}}};
  parts.entries[0].after[5] ^= 1;
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip': member 's.txt' has a data descriptor that contradicts its headers");
  parts.entries[0].after = "";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip': member 's.txt' has no data descriptor right after its data");
  parts.entries[0] = streamed(true, false);
  parts.entries[0].after += "hidden bytes";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip': member 's.txt' has no data descriptor right after its data");
  parts.entries[0] = streamed(false, true);
  parts.entries[0].after += "hide";
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip': member 's.txt' has a data descriptor that contradicts its headers");
}

TEST(ZipReader, RefusesDuplicateNames) {
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.name = "a.txt"; }),
            "error: 't.zip': member 'a.txt' is there twice");
}

TEST(ZipReader, RefusesEncryptionPatchesAndOtherMethods) {
  for (const int bit : {0, 6, 13}) {
    EXPECT_EQ(changed([&](ZipEntry& entry) { entry.flags = static_cast<std::uint16_t>(1 << bit); }),
              "error: 't.zip': member 'b.txt' is encrypted");
  }
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.flags = 1 << 5; }),
            "error: 't.zip': member 'b.txt' is a patch");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.method = 9; }),
            "error: 't.zip': member 'b.txt' uses compression method 9; only stored (0) and deflate "
            "(8) are read");
}

TEST(ZipReader, RefusesNamesWithTwoMeanings) {
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.name = ""; }),
            "error: 't.zip': member '' has no name");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.name = std::string("good\0evil", 9); }),
            "error: 't.zip': member 'good\\x00evil' has a control character in its name");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.name = "a\nb"; }),
            "error: 't.zip': member 'a\\x0ab' has a control character in its name");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.name = "d\xc3\xa9"; }),
            "error: 't.zip': member 'd\xc3\xa9' has a name beyond ASCII without the UTF-8 flag");
  EXPECT_EQ(changed([](ZipEntry& entry) {
              entry.name = "d\xe9";
              entry.flags = kUtf8;
            }),
            "error: 't.zip': member 'd\\xe9' has a name that is not UTF-8");
  const std::string other = little(0x7075, 2) + little(9, 2) + std::string(5, '\1') + "evil";
  EXPECT_EQ(changed([&](ZipEntry& entry) { entry.extra = other; }),
            "error: 't.zip': member 'b.txt' has a second, different name in a Unicode path field");
  EXPECT_EQ(changed([&](ZipEntry& entry) { entry.local_extra = other; }),
            "error: 't.zip': member 'b.txt' has a second, different name in a Unicode path field");
}

TEST(ZipReader, RefusesSizesThatCannotBe) {
  EXPECT_EQ(changed([](ZipEntry& entry) {
              entry.method = 0;
              entry.size = 3;
            }),
            "error: 't.zip': member 'b.txt' is stored, but its two sizes differ\n"
            "  packed: 4\n  plain:  3");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.size = 1'000'000; }),
            "error: 't.zip': member 'b.txt' claims a size that its packed bytes cannot yield\n"
            "  packed: 6\n  plain:  1000000");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.name = "b/"; }),
            "error: 't.zip': member 'b/' is a directory with content");
}

TEST(ZipReader, RefusesZip64ThatLies) {
  ZipParts parts = two_members();
  parts.zip64 = true;
  parts.zip64_record = 3;
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' has a zip64 locator that does not point at the record before it");
  parts.zip64_record.reset();
  parts.zip64_count = 1;
  EXPECT_EQ(
      open_refusal(parts),
      "error: 't.zip' has zip64 end records that contradict its end record about the number of "
      "members\n  end record:       2\n  zip64 end record: 1");
  parts.zip64_count.reset();
  parts.zip64_offset = 1;
  EXPECT_EQ(
      open_refusal(parts),
      "error: 't.zip' has zip64 end records that contradict its end record about the place of "
      "the directory\n  end record:       86\n  zip64 end record: 1");
  parts.zip64_offset.reset();
  parts.zip64_size = ~0ull;
  parts.end_size = 0xffffffff;
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' has a central directory that is not where its end record says\n"
            "  expected: it ends at byte 188\n"
            "  got:      18446744073709551615 bytes from byte 86");
}

TEST(ZipReader, RefusesMalformedExtraFields) {
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.extra = "\x01\x02\x09"; }),
            "error: 't.zip': member 'b.txt' has a malformed extra field");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.extra = std::string("\x01\0\x09\0x", 5); }),
            "error: 't.zip': member 'b.txt' has a malformed extra field");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.extra = zip64_extra({1}) + zip64_extra({2}); }),
            "error: 't.zip': member 'b.txt' has the same extra field twice");
  EXPECT_EQ(changed([](ZipEntry& entry) { entry.size = 0xffffffff; }),
            "error: 't.zip': member 'b.txt' has no zip64 value for a large size");
}

TEST(ZipReader, RefusesAWrongCountAndSplitArchives) {
  ZipParts parts = two_members();
  parts.end_count = 3;
  EXPECT_EQ(open_refusal(parts),
            "error: 't.zip' does not have as many members as its end record says\n"
            "  expected: 3\n  got:      2");
  parts.end_count.reset();
  parts.end_disk = 1;
  EXPECT_EQ(open_refusal(parts), "error: 't.zip' is split over several files");
}

TEST(ZipReader, RefusesAMalformedCentralDirectory) {
  std::string zip = build_zip(two_members());
  zip[zip.find("PK\x01\x02") + 3] = 'x';
  EXPECT_EQ(refusal([&] { ZipFile::open(file_of(zip), "t.zip"); }),
            "error: 't.zip' has a malformed central directory");
}

TEST(ZipReader, NamesMemberAndReasonWhenContentsLie) {
  ZipParts parts = two_members();
  parts.entries[0].crc = 1;
  const ZipFile broken_crc = open(parts);
  EXPECT_EQ(refusal([&] { broken_crc.read(broken_crc.members()[0]); }),
            "error: 't.zip': member 'a.txt' does not unpack to what its headers say\n"
            "  reason: deflate stream at byte 35 of 't.zip' has another CRC-32 than it should");
  parts = two_members();
  parts.entries[1].method = 0;
  parts.entries[1].crc = 1;
  const ZipFile stored = open(parts);
  EXPECT_EQ(refusal([&] { stored.read(stored.members()[1]); }),
            "error: 't.zip': member 'b.txt' does not unpack to what its headers say\n"
            "  reason: the CRC of its bytes differs");
  EXPECT_EQ(refusal([&] { stored.read(stored.members()[0], 5); }),
            "error: 't.zip': member 'a.txt' has more than 5 B");
}

}  // namespace
}  // namespace img::testing
