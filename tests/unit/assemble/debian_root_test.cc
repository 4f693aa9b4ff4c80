// SPDX-License-Identifier: Apache-2.0
// Trees of Debian roots: what is kept of an installation, differences between roots, drops.
#include "builder/assemble/debian_root.h"

#include "builder/assemble/hard_links.h"
#include "builder/assemble/installed_root.h"
#include "builder/assemble/mmdebstrap.h"
#include "builder/base/error.h"
#include "builder/layer/layer_writer.h"

#include <gtest/gtest.h>

#include <unistd.h>

namespace img {
namespace {

EntryPath at(const std::string& path) { return EntryPath::parse(path); }

void put(Tree& tree, const std::string& path, const std::string& text, std::uint32_t mode = 0644) {
  tree.put(at(path), Entry::file(literal(text), mode, "test"));
}

void put_folder(Tree& tree, const std::string& path, std::uint32_t mode = 0755) {
  tree.put(at(path), Entry::directory(mode, "test"));
}

void put_hard_link(Tree& tree, const std::string& path, const std::string& target) {
  Entry entry{.type = EntryType::hardlink};
  entry.link = target;
  tree.put(at(path), entry);
}

std::vector<std::string> paths_of(const Tree& tree) {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : tree.entries()) paths.push_back(path.str());
  return paths;
}

std::string text_of(const Tree& tree, const std::string& path) {
  const Entry* entry = tree.find(at(path));
  return entry == nullptr ? "(none)" : read_content(entry->content);
}

// ---- installed root ----

class InstalledRoot : public ::testing::Test {
 protected:
  Tree read(Tree tree) {
    tree.seal("test");
    StringSink tar;
    write_tar(tree, tar);
    ViewSource source(as_bytes(tar.text()));
    return read_installed_root(source, "root", dir_.path() / "contents");
  }
  TempDir dir_{fs::temp_directory_path(), "installed-root-test-"};
};

TEST_F(InstalledRoot, leaves_out_what_comes_from_the_host_or_the_moment) {
  Tree tree;
  for (const char* path : {"etc/resolv.conf",
                           "etc/hostname",
                           "etc/apt/sources.list",
                           "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
                           "etc/passwd-",
                           "etc/.pwd.lock",
                           "etc/ssh/ssh_host_rsa_key",
                           "var/log/dpkg.log",
                           "var/log/apt/history.log",
                           "var/lib/dpkg/status-old",
                           "var/lib/dpkg/diversions-old",
                           "var/lib/dpkg/lock",
                           "var/lib/dpkg/lock-frontend",
                           "var/lib/dpkg/triggers/Lock",
                           "var/cache/debconf/config.dat-old",
                           "var/cache/apt/pkgcache.bin",
                           "var/lib/apt/lists/x_Packages",
                           "var/lib/apt/extended_states",
                           "var/cache/ldconfig/aux-cache",
                           "dev/null",
                           "run/utmp",
                           "tmp/x",
                           "var/tmp/y",
                           "var/lib/dbus/machine-id"}) {
    put(tree, path, "leak");
  }
  put_folder(tree, "var/cache/apt/archives/partial");
  for (const char* path : {"var/lib/dpkg/status", "var/lib/dpkg/info/libc6.list",
                           "var/cache/debconf/config.dat", "etc/passwd", "etc/hostnames"}) {
    put(tree, path, "kept");
  }
  std::vector<std::string> files;
  const Tree read_back = read(tree);
  for (const auto& [path, entry] : read_back.entries()) {
    if (entry.type != EntryType::directory) files.push_back(path.str());
  }
  EXPECT_EQ(files,
            (std::vector<std::string>{"etc/hostnames", "etc/passwd", "var/cache/debconf/config.dat",
                                      "var/lib/dpkg/info/libc6.list", "var/lib/dpkg/status"}));
  EXPECT_EQ(read_back.find(at("var/cache/apt/archives/partial")), nullptr);
  EXPECT_NE(read_back.find(at("var/log/apt")), nullptr);
  EXPECT_EQ(text_of(read_back, "etc/passwd"), "kept");
}

TEST_F(InstalledRoot, has_folders_to_mount_on) {
  const Tree tree = read({});
  EXPECT_EQ(paths_of(tree), (std::vector<std::string>{"dev", "proc", "run", "sys", "tmp"}));
  EXPECT_EQ(tree.find(at("tmp"))->mode, 01777u);
}

TEST_F(InstalledRoot, keeps_mode_and_owner) {
  Tree tree;
  put(tree, "usr/bin/su", "x", 04755);
  Entry mail = Entry::directory(02775, "test");
  mail.gid = 8;
  tree.put(at("var/mail"), mail);
  const Tree read_back = read(tree);
  EXPECT_EQ(read_back.find(at("usr/bin/su"))->mode, 04755u);
  EXPECT_EQ(read_back.find(at("var/mail"))->mode, 02775u);
  EXPECT_EQ(read_back.find(at("var/mail"))->gid, 8u);
}

TEST_F(InstalledRoot, machine_id_is_empty_and_shadow_dates_are_constant) {
  Tree tree;
  put(tree, "etc/machine-id", "0123456789abcdef\n");
  put(tree, "etc/shadow", "root:*:20417:0:99999:7:::\napp:!::::::\n");
  const Tree read_back = read(tree);
  EXPECT_EQ(text_of(read_back, "etc/machine-id"), "");
  EXPECT_EQ(text_of(read_back, "etc/shadow"), "root:*:18262:0:99999:7:::\napp:!::::::\n");
}

TEST_F(InstalledRoot, accepts_hash_based_bytecode_only) {
  Tree good, bad;
  put(good, "usr/lib/a.pyc", std::string("\xa7\x0d\x0d\x0a\x03\0\0\0hashhash", 16));
  EXPECT_NE(read(good).find(at("usr/lib/a.pyc")), nullptr);
  fs::remove(dir_.path() / "contents");
  put(bad, "usr/lib/a.pyc", std::string("\xa7\x0d\x0d\x0a\0\0\0\0datesize", 16));
  try {
    read(bad);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(error.text().message, "bytecode '/usr/lib/a.pyc' embeds the date of its source");
    EXPECT_EQ(error.text().details[0].value, "a hash-based file (PEP 552)");
  }
}

TEST_F(InstalledRoot, a_hard_link_to_a_leak_keeps_its_bytes) {
  Tree tree;
  put(tree, "etc/hostname", "bytes");
  put_hard_link(tree, "etc/kept", "etc/hostname");
  const Tree read_back = read(tree);
  EXPECT_EQ(read_back.find(at("etc/kept"))->type, EntryType::file);
  EXPECT_EQ(text_of(read_back, "etc/kept"), "bytes");
}

// ---- hard links ----

TEST(HardLinks, survive_the_loss_of_their_file) {
  Tree tree;
  put(tree, "a", "bytes");
  put_hard_link(tree, "b", "a");
  put_hard_link(tree, "c", "a");
  remove_keeping_links(tree, at("a"));
  tree.seal("test");
  EXPECT_EQ(text_of(tree, "b"), "bytes");
  EXPECT_EQ(tree.find(at("c"))->link, "b");
}

TEST(HardLinks, first_name_in_order_is_the_file) {
  // A tar may name them in another order than ours.
  Tree::Map entries;
  entries.emplace(at("z"), Entry::file(literal("bytes"), 0755, "test"));
  Entry link{.type = EntryType::hardlink};
  link.link = "z";
  entries.emplace(at("a"), link);
  const Tree::Map sorted = with_hard_links(without_hard_links(entries));
  EXPECT_EQ(sorted.at(at("a")).type, EntryType::file);
  EXPECT_EQ(sorted.at(at("a")).mode, 0755u);
  EXPECT_EQ(sorted.at(at("z")).link, "a");
}

TEST(HardLinks, to_nothing_are_refused) {
  Tree::Map entries;
  Entry link{.type = EntryType::hardlink};
  link.link = "gone";
  entries.emplace(at("a"), link);
  try {
    without_hard_links(entries);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(error.text().message, "'a' is a hard link to 'gone', which is no regular file");
  }
}

// ---- difference ----

TEST(TreeDifference, of_equal_trees_is_empty) {
  Tree tree;
  put(tree, "etc/a", "1");
  put_hard_link(tree, "etc/b", "etc/a");
  tree.seal("test");
  EXPECT_TRUE(tree_difference(tree, tree).empty());
}

TEST(TreeDifference, has_new_and_changed_entries_with_their_folders) {
  Tree lower, upper;
  put(lower, "etc/same", "1");
  put(lower, "etc/text", "1");
  put(lower, "etc/mode", "1");
  put(lower, "etc/owner", "1");
  lower.seal("test");
  upper = lower;
  put(upper, "etc/text", "2");
  put(upper, "etc/mode", "1", 0755);
  Entry owned = Entry::file(literal("1"), 0644, "test");
  owned.uid = 7;
  upper.put(at("etc/owner"), owned);
  put_folder(upper, "opt/new", 0700);
  put(upper, "opt/new/file", "3");
  put_folder(upper, "etc", 0711);
  upper.seal("test");
  const Tree difference = tree_difference(lower, upper);
  EXPECT_EQ(paths_of(difference),
            (std::vector<std::string>{"etc", "etc/mode", "etc/owner", "etc/text", "opt", "opt/new",
                                      "opt/new/file"}));
  EXPECT_EQ(difference.find(at("etc"))->mode, 0711u);
  EXPECT_EQ(difference.find(at("opt/new"))->mode, 0700u);
}

TEST(TreeDifference, removed_paths_become_whiteouts_once) {
  Tree lower, upper;
  put_folder(lower, "etc", 0711);
  put(lower, "etc/gone", "1");
  put(lower, "usr/share/doc/a", "1");
  put(lower, "usr/share/doc/b", "1");
  lower.seal("test");
  put_folder(upper, "etc", 0711);
  put_folder(upper, "usr");
  const Tree difference = tree_difference(lower, upper);
  EXPECT_EQ(paths_of(difference),
            (std::vector<std::string>{"etc", "etc/.wh.gone", "usr", "usr/.wh.share"}));
  EXPECT_EQ(difference.find(at("etc"))->mode, 0711u);
}

TEST(TreeDifference, a_file_in_place_of_a_folder_needs_no_whiteouts) {
  Tree lower, upper;
  put(lower, "var/run/a", "1");
  lower.seal("test");
  upper.put(at("var/run"), Entry::symlink("/run", "test"));
  upper.seal("test");
  EXPECT_EQ(paths_of(tree_difference(lower, upper)), (std::vector<std::string>{"var", "var/run"}));
}

TEST(TreeDifference, hard_links_across_layers_become_files) {
  Tree lower, upper;
  put(lower, "a", "bytes");
  upper = lower;
  put_hard_link(upper, "b", "a");
  put_hard_link(upper, "c", "a");
  const Tree difference = tree_difference(lower, upper);
  EXPECT_EQ(paths_of(difference), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(text_of(difference, "b"), "bytes");
  EXPECT_EQ(difference.find(at("c"))->link, "b");
}

// ---- drops ----

TEST(ApplyDrops, removes_files_but_no_folders_and_counts_by_rule) {
  Tree tree;
  put(tree, "usr/share/man/man1/ls.1", "12345");
  put(tree, "usr/share/doc/libc6/copyright", "1");
  put(tree, "usr/share/doc/libc6/changelog", "123");
  put(tree, "usr/bin/ls", "x");
  tree.seal("test");
  const auto removed = apply_drops(tree,
                                   {{"/usr/share/man/**", "size"},
                                    {"/usr/share/doc/**", "size"},
                                    {"/usr/share/info/**", "size"}},
                                   {"/usr/share/doc/*/copyright"});
  EXPECT_EQ(removed,
            (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 5}, {1, 3}, {0, 0}}));
  EXPECT_EQ(paths_of(tree),
            (std::vector<std::string>{"usr", "usr/bin", "usr/bin/ls", "usr/share", "usr/share/doc",
                                      "usr/share/doc/libc6", "usr/share/doc/libc6/copyright",
                                      "usr/share/man", "usr/share/man/man1"}));
}

TEST(ApplyDrops, counts_for_every_rule_that_matches) {
  Tree tree;
  put(tree, "a/b", "12");
  tree.seal("test");
  EXPECT_EQ(apply_drops(tree, {{"/a/**", "x"}, {"/a/b", "y"}}, {}),
            (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 2}, {1, 2}}));
}

TEST(ApplyDrops, keeps_the_bytes_of_hard_links) {
  Tree tree;
  put(tree, "usr/bin/perl", "bytes");
  put_hard_link(tree, "usr/bin/perl5", "usr/bin/perl");
  tree.seal("test");
  apply_drops(tree, {{"/usr/bin/perl", "x"}}, {});
  EXPECT_EQ(text_of(tree, "usr/bin/perl5"), "bytes");
}

// ---- installation ----

TEST(SubordinateIds, are_found_by_name_or_number) {
  const TempDir dir(fs::temp_directory_path(), "subuid-test-");
  write_file(dir.path() / "subuid", "alice:100000:65536\n1001:200000:65536\n");
  require_subordinate_ids(dir.path() / "subuid", "alice", 5);
  require_subordinate_ids(dir.path() / "subuid", "bob", 1001);
  try {
    require_subordinate_ids(dir.path() / "subuid", "ali", 7);
    FAIL() << "accepted";
  } catch (const UnavailableError& error) {
    EXPECT_EQ(error.text().message, "user 'ali' has no range of subordinate ids in '" +
                                        (dir.path() / "subuid").string() + "'");
    EXPECT_EQ(
        error.text().hint,
        "run as root, or: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ali");
  }
}

TEST(InstallSpace, can_be_entered_by_others_and_goes_away) {
  const TempDir dir(fs::temp_directory_path(), "install-space-test-");
  const Store store(dir.path() / "store");
  fs::path path;
  {
    const auto space = InstallSpace::make(store, geteuid() == 0);
    path = space->path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms(0755));
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace img
