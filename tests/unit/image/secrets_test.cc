// SPDX-License-Identifier: Apache-2.0
// What counts as a secret, and what only looks like one.
#include "validators/image/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Made up; in pieces, so that no scanner takes this file for a leak.
std::string key(const std::string& kind, const std::string& end_of_line) {
  std::string text = "-----BEGIN " + kind + "PRIVATE" + " KEY-----" + end_of_line;
  for (int i = 0; i < 3; ++i) text += std::string(60, "MIIEvQ"[i]) + end_of_line;
  return text + "-----END " + kind + "PRIVATE" + " KEY-----" + end_of_line;
}

TEST(Secrets, FindsPrivateKeysWithTheirBody) {
  EXPECT_THAT(find_secrets("/root/.ssh/id_rsa", key("OPENSSH ", "\n")),
              ElementsAre("private key (PEM)"));
  EXPECT_THAT(find_secrets("/k.pem", "text\n" + key("", "\r\n")), ElementsAre("private key (PEM)"));
  EXPECT_THAT(find_secrets("/sa.json", "{\"private_key\": \"" + key("", "\\n") + "\"}"),
              ElementsAre("private key (PEM)"));
}

TEST(Secrets, TheMarkerAloneIsNoKey) {
  const std::string marker = "-----BEGIN PRIVATE" + std::string(" KEY-----");
  EXPECT_THAT(find_secrets("/a.py", "if text.startswith('" + marker + "'): load(text)\n"),
              IsEmpty());
  EXPECT_THAT(find_secrets("/a.pem", marker + "\n...\n"), IsEmpty());
  EXPECT_THAT(find_secrets("/a.pem", "-----BEGIN PUBLIC" + std::string(" KEY-----\n") +
                                         std::string(200, 'A')),
              IsEmpty());
}

TEST(Secrets, FindsCredentialsByFile) {
  EXPECT_THAT(find_secrets("/root/.netrc", "machine a login b password c\n"),
              ElementsAre("password in a netrc file"));
  EXPECT_THAT(find_secrets("/etc/apt/auth.conf.d/x.conf", "machine a login b password c"),
              ElementsAre("password for an apt source"));
  EXPECT_THAT(
      find_secrets("/root/.docker/config.json", R"({"auths": {"r": {"auth": "dXNlcg=="}}})"),
      ElementsAre("login for a container registry"));
  EXPECT_THAT(
      find_secrets("/run/containers/0/auth.json", R"({"auths":{"r":{"identitytoken":"x"}}})"),
      ElementsAre("login for a container registry"));
  EXPECT_THAT(find_secrets("/etc/pip.conf",
                           "[global]\nindex-url = https://user:secret@example.com/simple\n"),
              ElementsAre("password for a package index"));
  EXPECT_THAT(find_secrets("/root/.aws/credentials", "[default]\naws_secret_access_key = abc\n"),
              ElementsAre("secret key of AWS"));
  EXPECT_THAT(find_secrets("/root/.cache/huggingface/token", "anything"),
              ElementsAre("token of Hugging Face"));
  EXPECT_THAT(find_secrets("/etc/shadow", "root:$y$j9T$abc:1::::::\n"),
              ElementsAre("password hash of a user"));
  EXPECT_THAT(find_secrets("/root/.git-credentials", "https://user:secret@example.com\n"),
              ElementsAre("password for a git server"));
}

TEST(Secrets, FilesWithoutCredentialsAreFine) {
  EXPECT_THAT(find_secrets("/root/.netrc", "# machine a password b\n"), IsEmpty());
  EXPECT_THAT(
      find_secrets("/root/.docker/config.json", R"({"auths": {"r": {}}, "credsStore": "x"})"),
      IsEmpty());
  EXPECT_THAT(find_secrets("/etc/pip.conf", "index-url = https://example.com/simple\n"), IsEmpty());
  EXPECT_THAT(
      find_secrets("/etc/pip.conf", "index-url = https://user:${TOKEN}@example.com/simple\n"),
      IsEmpty());
  EXPECT_THAT(find_secrets("/etc/pip.conf", "index-url = https://__token__@example.com/simple\n"),
              IsEmpty());
  EXPECT_THAT(find_secrets("/etc/shadow", "root:*:1::::::\ndaemon:!:1::::::\n"), IsEmpty());
  EXPECT_THAT(find_secrets("/doc/README", "machine a login b password c\n"), IsEmpty());
}

TEST(Secrets, FindsTokensThatTellWhatTheyAre) {
  EXPECT_THAT(find_secrets("/app/.env", "TOKEN=ghp_" + std::string(36, 'a') + "\n"),
              ElementsAre("token of GitHub"));
  EXPECT_THAT(find_secrets("/app/x.py", "t = 'hf_" + std::string(34, 'b') + "'\n"),
              ElementsAre("token of Hugging Face"));
  EXPECT_THAT(find_secrets("/app/x.py", "ghp_short and xghp_" + std::string(36, 'a')), IsEmpty());
}

}  // namespace
}  // namespace img
