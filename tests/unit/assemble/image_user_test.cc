// SPDX-License-Identifier: Apache-2.0
// The user of the image config is one of the image's own.
#include "builder/assemble/image_user.h"

#include <gtest/gtest.h>

namespace img {
namespace {

const Accounts kAccounts{.passwd = "root:x:0:0::/root:/bin/sh\nalice:x:1000:100::/home/alice:\n",
                         .group = "root:x:0:\nusers:x:100:\n"};

ConfigSpec config(const std::string& user) {
  ConfigSpec spec;
  spec.user = user;
  spec.user_position = {.file = "m.yaml", .line = 4, .column = 16, .source_line = {}};
  return spec;
}

std::string refusal(const std::string& user, const std::optional<Accounts>& accounts = kAccounts) {
  try {
    return "warning: " + check_user(config(user), accounts);
  } catch (const ManifestError& error) {
    return error.render();
  }
}

TEST(ImageUser, AcceptsNamesAndNumbersThatTheImageHas) {
  for (const char* user : {"", "alice", "alice:users", "1000", "1000:100", "alice:4711", "0"}) {
    EXPECT_EQ(check_user(config(user), kAccounts), "") << user;
  }
}

TEST(ImageUser, RefusesANameThatTheImageLacks) {
  EXPECT_EQ(
      refusal("alcie"),
      "error: m.yaml:4:16: config.user names user 'alcie', which the image's /etc/passwd does "
      "not have\n"
      "hint: did you mean 'alice'?");
  EXPECT_EQ(refusal("bob:users"),
            "error: m.yaml:4:16: config.user names user 'bob', which the image's /etc/passwd does "
            "not have\n"
            "hint: add it under 'users:' of a recipe of kind 'files'");
  EXPECT_EQ(
      refusal("alice:staff"),
      "error: m.yaml:4:16: config.user names group 'staff', which the image's /etc/group does "
      "not have\n"
      "hint: add it under 'users:' of a recipe of kind 'files'");
}

TEST(ImageUser, RefusesEveryNameInAnImageWithoutAccountFiles) {
  EXPECT_TRUE(refusal("root", std::nullopt).starts_with("error: ")) << refusal("root", {});
}

TEST(ImageUser, WarnsOfANumberThatHasNoName) {
  EXPECT_EQ(
      refusal("4711"),
      "warning: config.user 4711 has no line in the image's /etc/passwd: programs that ask for "
      "their user's name or home fail");
  EXPECT_NE(check_user(config("0"), std::nullopt), "");
}

}  // namespace
}  // namespace img
