// SPDX-License-Identifier: Apache-2.0
// Which constants of a file count as names of libraries.
#include "validators/elf/library_names.h"

#include "tests/support/compiled_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

TEST(LibraryNames, AreNamesWithOrWithoutVersion) {
  for (const char* name :
       {"libcudnn.so", "libcudnn_ops.so.9", "libnvrtc-builtins.so.12.8", "libstdc++.so.6"}) {
    EXPECT_TRUE(is_library_name(name)) << name;
  }
  for (const char* name : {"cudnn.so", "lib.so", "libx.so.", "libx.so.9..1", "libx.so.9a",
                           "libx.sox", "libx.a", "libx"}) {
    EXPECT_FALSE(is_library_name(name)) << name;
  }
}

TEST(LibraryNames, AreWholeConstantsOfReadOnlyData) {
  const TempDir folder(fs::temp_directory_path(), "library-names-test-");
  const fs::path path = folder.path() / "libx.so";
  testing::compile_library(
      {.text =
           "const char* const a = \"libcudnn_ops.so.9\"; const char* const b = "
           "\"/usr/lib/libno.so\";"
           "const char* const c = \"cannot open libno.so.1\"; const char* const d = \"libb.so\";"
           "char e[] = \"libwritable.so\";",
       .flags = {"-nostdlib", "-Wl,-soname,libsoname.so.1"}},
      path);
  const std::string bytes = read_file(path);
  EXPECT_THAT(read_elf(as_bytes(bytes), "x").library_names,
              ::testing::ElementsAre("libb.so", "libcudnn_ops.so.9"));
}

}  // namespace
}  // namespace img
