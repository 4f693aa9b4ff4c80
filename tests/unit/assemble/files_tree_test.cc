// SPDX-License-Identifier: Apache-2.0
// Local files, folders and users as a tree.

#include "builder/assemble/files_tree.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace img {
namespace {

class FilesTree : public ::testing::Test {
 protected:
  std::string local(const std::string& name, const std::string& text, mode_t mode = 0644) {
    const fs::path path = folder_.path() / name;
    create_folders(path.parent_path());
    write_file(path, text, mode);
    return path.string();
  }
  static Recipe recipe() { return {.name = "app", .spec = FilesSpec{}}; }
  static const Entry& at(const Tree& tree, const std::string& path) {
    const Entry* entry = tree.find(EntryPath::parse(path));
    if (entry == nullptr) throw std::runtime_error("no entry " + path);
    return *entry;
  }

  TempDir folder_{fs::temp_directory_path(), "files-tree-test"};
};

TEST_F(FilesTree, KeepsTheExecutableBitAndNothingElseOfTheLocalMode) {
  FilesSpec spec;
  spec.files = {{.path = "/opt/a", .source = local("a", "x", 0600)},
                {.path = "/opt/b", .source = local("b", "x", 0700)},
                {.path = "/opt/c", .source = local("c", "x"), .mode = 0640, .uid = 5, .gid = 6}};
  Tree tree;
  add_files(recipe(), spec, tree);
  EXPECT_EQ(at(tree, "opt/a").mode, 0644u);
  EXPECT_EQ(at(tree, "opt/b").mode, 0755u);
  EXPECT_EQ(at(tree, "opt/c").mode, 0640u);
  EXPECT_EQ(at(tree, "opt/c").uid, 5u);
}

TEST_F(FilesTree, TakesAFolderWithEverythingBelowIt) {
  local("dir/sub/one.txt", "1");
  fs::create_symlink("one.txt", folder_.path() / "dir/sub/link");
  FilesSpec spec;
  spec.files = {{.path = "/srv", .source = (folder_.path() / "dir").string()}};
  Tree tree;
  add_files(recipe(), spec, tree);
  tree.seal("test");
  EXPECT_EQ(read_content(at(tree, "srv/sub/one.txt").content), "1");
  EXPECT_EQ(at(tree, "srv/sub/link").link, "one.txt");
}

TEST_F(FilesTree, NamesALocalFileThatIsMissing) {
  FilesSpec spec;
  spec.files = {{.path = "/opt/a", .source = "/nonexistent/train.py"}};
  Tree tree;
  try {
    add_files(recipe(), spec, tree);
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.render(),
              "error: cannot read '/nonexistent/train.py': No such file or directory");
  }
}

TEST_F(FilesTree, AppendsUsersToTheAccountFilesOfTheLayersBelow) {
  std::optional<Accounts> accounts =
      Accounts{"root:x:0:0:root:/root:/bin/bash\n", "root:x:0:\nusers:x:100:\n"};
  FilesSpec spec;
  spec.users = {{.name = "trainer",
                 .uid = 1000,
                 .gid = 1000,
                 .home = "/home/trainer",
                 .shell = "/bin/bash",
                 .comment = "T"},
                {.name = "other", .uid = 1001, .gid = 100, .home = "/", .shell = "/bin/sh"}};
  Tree tree;
  add_users(recipe(), spec, accounts, tree);
  EXPECT_EQ(read_content(at(tree, "etc/passwd").content),
            "root:x:0:0:root:/root:/bin/bash\n"
            "trainer:x:1000:1000:T:/home/trainer:/bin/bash\n"
            "other:x:1001:100::/:/bin/sh\n");
  EXPECT_EQ(read_content(at(tree, "etc/group").content),
            "root:x:0:\nusers:x:100:\ntrainer:x:1000:\n");
  EXPECT_EQ(at(tree, "home/trainer").uid, 1000u);
  EXPECT_EQ(at(tree, "home/trainer").mode, 0750u);
}

TEST_F(FilesTree, RefusesAUserWhoseNameOrUidIsTaken) {
  std::optional<Accounts> accounts = Accounts{"root:x:0:0::/root:/bin/sh\n", "root:x:0:\n"};
  FilesSpec spec;
  spec.users = {{.name = "me", .uid = 0, .gid = 7}};
  Tree tree;
  try {
    add_users(recipe(), spec, accounts, tree);
    FAIL();
  } catch (const ManifestError& error) {
    EXPECT_EQ(error.render(),
              "error: user 'me' of recipe 'app': uid 0 is already taken in /etc/passwd of the "
              "layers below");
  }
}

TEST_F(FilesTree, RefusesUsersWithoutAccountFilesBelow) {
  std::optional<Accounts> accounts;
  FilesSpec spec;
  spec.users = {{.name = "me", .uid = 1, .gid = 7}};
  Tree tree;
  EXPECT_THROW(add_users(recipe(), spec, accounts, tree), ManifestError);
}

}  // namespace
}  // namespace img
