// SPDX-License-Identifier: Apache-2.0
// Reading Packages indexes.
#include "builder/resolve/packages.h"

#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;
using testing::ElementsAre;

std::string stanza(const std::string& more = "", const std::string& path = "pool/t_1_amd64.deb",
                   char hash = 'a') {
  return "Package: t\nVersion: 1\nArchitecture: amd64\nDescription: x\n continued: y\n" + more +
         "Filename: " + path + "\nSize: 12\nSHA256: " + std::string(64, hash) + "\n\n";
}

TEST(PackageIndexes, FindsDebsByTheirBytes) {
  PackageIndexes indexes;
  indexes.add(stanza("Essential: yes\nProvides: mail-agent, other (= 2)\n"), "debian", "bookworm");
  indexes.add(stanza() + stanza("", "pool/t_1+b_amd64.deb", 'b'), "debian-security", "sec");
  const IndexedDeb* deb = indexes.find(std::string(64, 'a'));
  ASSERT_NE(deb, nullptr);
  EXPECT_EQ(deb->suite, "bookworm");  // of two suites the one added first
  EXPECT_EQ(deb->size, 12u);
  EXPECT_EQ(indexes.find(std::string(64, 'b'))->archive, "debian-security");
  EXPECT_EQ(indexes.find(std::string(64, 'c')), nullptr);
  EXPECT_THAT(indexes.essential(), ElementsAre("t"));
  EXPECT_TRUE(indexes.is_known("mail-agent"));
  EXPECT_TRUE(indexes.is_known("other"));
  EXPECT_FALSE(indexes.is_known("continued"));
  EXPECT_TRUE(indexes.has("t", "1"));
  EXPECT_FALSE(indexes.has("t", "2"));
}

TEST(PackageIndexes, RefusesStanzasThatCannotBeLocked) {
  const auto message = [](const std::string& text) {
    return error_of<InputError>([&] { PackageIndexes().add(text, "debian", "bookworm"); });
  };
  const std::string head = "error: Packages of suite 'bookworm': package 't' ";
  EXPECT_EQ(message(stanza("", "../x.deb")), head + "has the path '../x.deb'");
  EXPECT_EQ(message(stanza("", "/x.deb")), head + "has the path '/x.deb'");
  EXPECT_EQ(message(stanza("", "pool/x.sh")), head + "has the path 'pool/x.sh'");
  EXPECT_EQ(message(stanza("Size: 13\n")), head + "has two fields Size");
  EXPECT_EQ(message("Package: t\nVersion: 1\n"), head + "has no Architecture");
  EXPECT_EQ(
      message("Package: t\nVersion: 1\nArchitecture: all\nFilename: a.deb\nSize: 1\nMD5sum: 3\n"),
      head + "has no SHA256");
  EXPECT_EQ(
      message("Package: t\nVersion: 1\nArchitecture: all\nFilename: a.deb\nSize: -1\nSHA256: " +
              std::string(64, 'a') + "\n"),
      head + "has a malformed Size");
}

}  // namespace
}  // namespace img
