// SPDX-License-Identifier: Apache-2.0
// Programs that others wrote read our layers and see the same bytes; those that are not installed
// are skipped.
#include "builder/base/process.h"
#include "builder/layer/layer_writer.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

namespace img {
namespace {

class OutsideReadersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    made_ = testing::random_tree(77, 500, folder_.path());
    // Large enough for several chunks, with the last block far from the start.
    testing::Random random(78);
    const std::string large = testing::random_bytes(random, 5'000'000, 40);
    made_.tree.put(EntryPath::parse("large.so"),
                   Entry::file(testing::deflated(folder_.path() / "large", large), 0755, ""));
    StringSink plain;
    write_tar(made_.tree, plain);
    plain_ = plain.take();
    gzip_ = write("layer.tar.gz", Compression::gzip);
    zstd_ = write("layer.tar.zst", Compression::zstd);
    testing::put_file(folder_.path() / "layer.tar", plain_);
  }

  fs::path write(const char* name, Compression compression) {
    StringSink out;
    write_layer(made_.tree, out, {.compression = compression});
    testing::put_file(folder_.path() / name, out.text());
    return folder_.path() / name;
  }

  static bool is_installed(const std::string& program) { return find_program(program).has_value(); }

  static ProcessResult run(std::vector<std::string> argv) {
    argv[0] = find_program(argv[0])->string();
    return run_process({.argv = std::move(argv), .env = {{"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}}});
  }

  void expect_same_bytes(std::vector<std::string> argv) {
    if (!is_installed(argv[0])) GTEST_SKIP() << argv[0] << " is not installed";
    const ProcessResult result = run(std::move(argv));
    EXPECT_EQ(result.exit_code, 0) << result.stderr_text;
    EXPECT_EQ(result.stderr_text, "");
    EXPECT_TRUE(result.stdout_text == plain_);
  }

  TempDir folder_{fs::temp_directory_path(), "outside-readers-test-"};
  testing::RandomTree made_;
  std::string plain_;
  fs::path gzip_, zstd_;
};

TEST_F(OutsideReadersTest, Gzip) { expect_same_bytes({"gzip", "-dc", gzip_.string()}); }
TEST_F(OutsideReadersTest, Pigz) { expect_same_bytes({"pigz", "-dc", gzip_.string()}); }
TEST_F(OutsideReadersTest, Igzip) { expect_same_bytes({"igzip", "-dc", gzip_.string()}); }
TEST_F(OutsideReadersTest, Libdeflate) {
  expect_same_bytes({"libdeflate-gunzip", "-c", gzip_.string()});
}
TEST_F(OutsideReadersTest, Busybox) {
  expect_same_bytes({"busybox", "gunzip", "-c", gzip_.string()});
}
TEST_F(OutsideReadersTest, ZstdReadsGzip) { expect_same_bytes({"zstd", "-dc", gzip_.string()}); }
TEST_F(OutsideReadersTest, Zstd) { expect_same_bytes({"zstd", "-dc", zstd_.string()}); }
TEST_F(OutsideReadersTest, PerlReadsOneMember) {
  expect_same_bytes({"perl", "-MIO::Uncompress::Gunzip=:all", "-e",
                     "binmode STDOUT; gunzip $ARGV[0] => '-', Transparent => 0 or die $GunzipError",
                     gzip_.string()});
}
TEST_F(OutsideReadersTest, PythonReadsOneMember) {
  expect_same_bytes({"python3", "-c",
                     "import sys, zlib\n"
                     "d = zlib.decompressobj(31)\n"
                     "sys.stdout.buffer.write(d.decompress(open(sys.argv[1], 'rb').read()))\n"
                     "assert d.eof and not d.unused_data",
                     gzip_.string()});
}

TEST_F(OutsideReadersTest, GnuTarListsEveryEntry) {
  if (!is_installed("tar")) GTEST_SKIP() << "tar is not installed";
  const ProcessResult result =
      run({"tar", "--quoting-style=literal", "-tf", (folder_.path() / "layer.tar").string()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.stderr_text, "");
  std::string expected;
  for (const auto& [path, entry] : made_.tree.entries()) {
    expected += path.str() + (entry.type == EntryType::directory ? "/\n" : "\n");
  }
  EXPECT_EQ(result.stdout_text, expected);
}

TEST_F(OutsideReadersTest, PythonTarfileSeesTheSameEntries) {
  if (!is_installed("python3")) GTEST_SKIP() << "python3 is not installed";
  const ProcessResult result = run(
      {"python3", "-c",
       "import sys, tarfile, hashlib\n"
       "t = tarfile.open(sys.argv[1])\n"
       "for m in t:\n"
       "  h = hashlib.sha256(t.extractfile(m).read()).hexdigest() if m.isfile() else m.linkname\n"
       "  sys.stdout.buffer.write(f'{m.name} {m.mode:o} {m.uid} {m.gid} {int(m.mtime)} "
       "{m.uname}{m.gname}{h}\\n'.encode())\n",
       (folder_.path() / "layer.tar").string()});
  EXPECT_EQ(result.exit_code, 0) << result.stderr_text;
  std::string expected;
  for (const auto& [path, entry] : made_.tree.entries()) {
    char mode[16];
    std::snprintf(mode, sizeof(mode), "%o", entry.mode);
    const std::string last = entry.type == EntryType::file
                                 ? std::string(Digest::of(read_content(entry.content)).hex())
                                 : entry.link;
    expected += path.str() + " " + mode + " " + std::to_string(entry.uid) + " " +
                std::to_string(entry.gid) + " 1577836800 " + last + "\n";
  }
  EXPECT_EQ(result.stdout_text, expected);
}

TEST_F(OutsideReadersTest, Bsdtar) {
  if (!is_installed("bsdtar")) GTEST_SKIP() << "bsdtar is not installed";
  for (const fs::path& layer : {gzip_, zstd_}) {
    const ProcessResult result = run({"bsdtar", "-tf", layer.string()});
    EXPECT_EQ(result.exit_code, 0) << result.stderr_text;
    EXPECT_EQ(static_cast<std::size_t>(
                  std::count(result.stdout_text.begin(), result.stdout_text.end(), '\n')),
              made_.tree.entries().size());
  }
}

}  // namespace
}  // namespace img
