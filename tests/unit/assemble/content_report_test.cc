// SPDX-License-Identifier: Apache-2.0
// What a report says of wheels: kinds, sizes, candidates, duplicates.
#include "builder/assemble/content_report.h"

#include "tests/support/wheel_builder.h"

#include <gtest/gtest.h>

#include <deque>

namespace img {
namespace {

using img::testing::build_wheel;
using img::testing::WheelParts;
using img::testing::ZipEntry;

class ContentReportTest : public ::testing::Test {
 protected:
  void add(const std::string& name, std::vector<ZipEntry> files) {
    const WheelParts parts{.distribution = name, .files = std::move(files)};
    const fs::path file = folder_.path() / parts.file_name();
    write_file(file, build_wheel(parts));
    wheels_.push_back(Wheel::open(InputFile::open(file), parts.file_name()));
  }
  ContentReport report(std::size_t biggest = 10) const {
    std::vector<const Wheel*> wheels;
    for (const Wheel& wheel : wheels_) wheels.push_back(&wheel);
    return report_contents(wheels, biggest);
  }

 private:
  TempDir folder_{fs::temp_directory_path(), "content-report-test-"};
  std::deque<Wheel> wheels_;
};

ZipEntry stored(const std::string& name, std::size_t size, char fill = 'x') {
  return {.name = name, .plain = std::string(size, fill), .method = 0};
}

const KindShare* kind(const ContentReport& report, const std::string& name) {
  for (const KindShare& share : report.kinds) {
    if (share.kind == name) return &share;
  }
  return nullptr;
}

TEST_F(ContentReportTest, SortsFilesIntoKindsLargestFirst) {
  add("one", {stored("pkg/lib/libx.so.12", 50'000), stored("pkg/_c.so", 10'000),
              stored("pkg/a.py", 2'000), stored("pkg/x.h", 40'000), stored("pkg/x.pyi", 300),
              stored("pkg/liby.a", 20'000), stored("pkg/data.bin", 9'000)});
  add("two", {stored("other/b.py", 3'000)});
  const ContentReport report = this->report();
  ASSERT_FALSE(report.kinds.empty());
  EXPECT_EQ(report.kinds[0].kind, "shared libraries");
  EXPECT_EQ(report.kinds[0].files, 2u);
  EXPECT_EQ(report.kinds[0].unpacked, 60'000u);
  EXPECT_EQ(report.kinds[0].packed, 60'000u);
  EXPECT_EQ(report.kinds[1].kind, "headers");
  EXPECT_EQ(report.kinds[2].kind, "static libraries");
  ASSERT_NE(kind(report, "Python sources"), nullptr);
  EXPECT_EQ(kind(report, "Python sources")->unpacked, 5'000u);
  EXPECT_EQ(kind(report, "type stubs")->unpacked, 300u);
  EXPECT_EQ(kind(report, "other files")->unpacked, 9'000u);
  EXPECT_EQ(kind(report, "metadata")->files, 6u);  // METADATA, WHEEL, RECORD of two wheels
}

TEST_F(ContentReportTest, ListsOnlyAsManyOfTheBiggestFilesAsAsked) {
  add("one", {stored("a", 1'000), stored("b", 5'000), stored("c", 3'000)});
  const ContentReport report = this->report(2);
  ASSERT_EQ(report.biggest.size(), 2u);
  EXPECT_EQ(report.biggest[0].path, "b");
  EXPECT_EQ(report.biggest[0].wheel, "one-1.0-py3-none-any.whl");
  EXPECT_EQ(report.biggest[1].path, "c");
}

TEST_F(ContentReportTest, TellsPackedFromUnpackedBytes) {
  add("one", {{.name = "zeros.bin", .plain = std::string(100'000, '\0')}});
  const ContentReport report = this->report();
  EXPECT_EQ(report.biggest[0].unpacked, 100'000u);
  EXPECT_LT(report.biggest[0].packed, 1'000u);
}

TEST_F(ContentReportTest, NamesOnlyCandidatesThatOccurAndCountsTopLevelFilesToo) {
  add("one", {stored("top.h", 10), stored("pkg/include/x.hpp", 20), stored("pkg/tests/t.py", 7),
              stored("pkg/contest/t.py", 900)});
  const ContentReport report = this->report();
  ASSERT_EQ(report.candidates.size(), 2u);
  EXPECT_EQ(report.candidates[0].what, "C and C++ headers");
  EXPECT_EQ(report.candidates[0].files, 2u);
  EXPECT_EQ(report.candidates[0].unpacked, 30u);
  EXPECT_EQ(report.candidates[1].what, "tests");
  EXPECT_EQ(report.candidates[1].files, 1u);
}

TEST_F(ContentReportTest, FindsTheSameBytesInSeveralPlaces) {
  add("one", {stored("pkg/lib.so", 2'000'000, 'd'), stored("pkg/small", 10, 's')});
  add("two", {stored("other/lib.so", 2'000'000, 'd'), stored("other/small", 10, 's')});
  add("three", {stored("third/lib.so", 2'000'000, 'd'), stored("third/lib2.so", 2'000'000, 'e')});
  const ContentReport report = this->report();
  ASSERT_EQ(report.duplicates.size(), 1u);  // small files are not worth a line
  EXPECT_EQ(report.duplicates[0].wasted, 4'000'000u);
  EXPECT_EQ(report.duplicates[0].places,
            (std::vector<std::string>{"one-1.0-py3-none-any.whl: pkg/lib.so",
                                      "two-1.0-py3-none-any.whl: other/lib.so",
                                      "three-1.0-py3-none-any.whl: third/lib.so"}));
}

}  // namespace
}  // namespace img
