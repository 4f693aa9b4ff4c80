// SPDX-License-Identifier: Apache-2.0
// Recognises credentials that should never be in an image.
#include "validators/image/secrets.h"

#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace img {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_base64(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/' || c == '=';
}

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// memmem is several times faster than string_view::find, and every small file passes here.
std::size_t find(std::string_view text, std::string_view what, std::size_t from = 0) {
  if (from > text.size()) return kNone;
  const void* found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  if (found == nullptr) return kNone;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

/// A PEM key has a body; the mere marker is in every library that reads such keys. In JSON the
/// lines are joined by "\n" in letters.
bool has_private_key(std::string_view content) {
  constexpr std::string_view kMarker = "PRIVATE KEY-----";
  constexpr std::size_t kShortestBody = 64;
  for (std::size_t at = find(content, kMarker); at != kNone; at = find(content, kMarker, at + 1)) {
    const std::size_t dashes = content.substr(0, at).rfind("-----BEGIN ");
    if (dashes == kNone || at - dashes > 40) continue;
    std::size_t letters = 0;
    std::size_t i = at + kMarker.size();
    for (; i < content.size() && letters < kShortestBody; ++i) {
      const char c = content[i];
      if (c == '\\' && i + 1 < content.size() && (content[i + 1] == 'n' || content[i + 1] == 'r')) {
        ++i;
      } else if (is_base64(c)) {
        ++letters;
      } else if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
        break;
      }
    }
    if (letters == kShortestBody) return true;
  }
  return false;
}

/// A token of `length` characters at least behind a prefix that only such tokens have.
bool has_token(std::string_view content, std::string_view prefix, std::size_t length) {
  for (std::size_t at = find(content, prefix); at != kNone; at = find(content, prefix, at + 1)) {
    if (at > 0 && is_token_character(content[at - 1])) continue;
    std::size_t end = at + prefix.size();
    while (end < content.size() && is_token_character(content[end])) ++end;
    if (end - at - prefix.size() >= length) return true;
  }
  return false;
}

/// "scheme://user:password@host"; a password that is a variable is none.
bool has_password_in_address(std::string_view content) {
  for (std::size_t at = find(content, "://"); at != kNone; at = find(content, "://", at + 1)) {
    const std::string_view rest = content.substr(at + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/ \t\r\n\"'<>"));
    const std::size_t sign = authority.rfind('@');
    if (sign == kNone) continue;
    const std::size_t colon = authority.substr(0, sign).find(':');
    if (colon == kNone || colon + 1 == sign) continue;
    const char first = authority[colon + 1];
    if (first != '$' && first != '{' && first != '<' && first != '*') return true;
  }
  return false;
}

/// Lines like "password hunter2", "aws_secret_access_key = …", with something behind the word.
bool has_value_for(std::string_view content, std::string_view word) {
  for (std::size_t at = find(content, word); at != kNone; at = find(content, word, at + 1)) {
    const std::size_t line = content.substr(0, at).rfind('\n');
    const std::string_view before =
        trim(content.substr(line == kNone ? 0 : line + 1, at - (line == kNone ? 0 : line + 1)));
    if (before.starts_with('#') || before.starts_with(';')) continue;
    std::string_view rest = content.substr(at + word.size());
    rest = rest.substr(0, rest.find('\n'));
    const std::size_t value = rest.find_first_not_of(" \t\"':=\r");
    const bool separated = !rest.empty() && std::strchr(" \t\"':=", rest[0]) != nullptr;
    if (separated && value != kNone) return true;
  }
  return false;
}

/// JSON that holds `"key": "…"` with a value.
bool has_json_value(std::string_view content, std::string_view key) {
  const std::string quoted = '"' + std::string(key) + '"';
  for (std::size_t at = find(content, quoted); at != kNone; at = find(content, quoted, at + 1)) {
    std::string_view rest = content.substr(at + quoted.size());
    const std::size_t quote = rest.find_first_not_of(" \t\r\n:");
    if (quote == kNone || rest[quote] != '"') continue;
    if (quote + 1 < rest.size() && rest[quote + 1] != '"') return true;
  }
  return false;
}

/// "user:$y$…": a password that is neither locked nor empty.
bool has_password_hash(std::string_view content) {
  for (const std::string& line : split(content, '\n')) {
    const std::vector<std::string> fields = split(line, ':');
    if (fields.size() > 1 && fields[1].starts_with('$')) return true;
  }
  return false;
}

struct NamedRule {
  bool (*is_file)(std::string_view path, std::string_view name);
  bool (*holds)(std::string_view content);
  const char* what;
};

/// Files that are credentials by their name, as far as they hold any.
const NamedRule kNamedRules[] = {
    {[](std::string_view, std::string_view name) { return name == ".netrc" || name == "_netrc"; },
     [](std::string_view content) { return has_value_for(content, "password"); },
     "password in a netrc file"},
    {[](std::string_view path, std::string_view name) {
       return path == "/etc/apt/auth.conf" ||
              (path.starts_with("/etc/apt/auth.conf.d/") && name.ends_with(".conf"));
     },
     [](std::string_view content) { return has_value_for(content, "password"); },
     "password for an apt source"},
    {[](std::string_view path, std::string_view name) {
       return name == "auth.json" || name == ".dockercfg" || path.ends_with("/.docker/config.json");
     },
     [](std::string_view content) {
       return has_json_value(content, "auth") || has_json_value(content, "identitytoken") ||
              has_json_value(content, "password");
     },
     "login for a container registry"},
    {[](std::string_view, std::string_view name) {
       return name == "pip.conf" || name == "pip.ini" || name == ".pydistutils.cfg" ||
              name == "uv.toml";
     },
     has_password_in_address, "password for a package index"},
    {[](std::string_view, std::string_view name) { return name == ".pypirc"; },
     [](std::string_view content) { return has_value_for(content, "password"); },
     "password for a package index"},
    {[](std::string_view, std::string_view name) { return name == ".git-credentials"; },
     has_password_in_address, "password for a git server"},
    {[](std::string_view, std::string_view name) { return name == ".npmrc"; },
     [](std::string_view content) { return has_value_for(content, "_authToken"); },
     "token for a package index"},
    {[](std::string_view path, std::string_view) { return path.ends_with("/.aws/credentials"); },
     [](std::string_view content) { return has_value_for(content, "aws_secret_access_key"); },
     "secret key of AWS"},
    {[](std::string_view path, std::string_view) { return path.ends_with("/.kube/config"); },
     [](std::string_view content) {
       return has_value_for(content, "client-key-data") || has_value_for(content, "token");
     },
     "login for Kubernetes"},
    {[](std::string_view path, std::string_view) { return path.ends_with("/huggingface/token"); },
     [](std::string_view content) { return !trim(content).empty(); }, "token of Hugging Face"},
    {[](std::string_view path, std::string_view) {
       return path == "/etc/shadow" || path == "/etc/shadow-";
     },
     has_password_hash, "password hash of a user"},
};

struct TokenRule {
  std::string_view prefix;
  std::size_t length;  ///< of what follows, at least
  const char* what;
};

/// Tokens that tell what they are, wherever they stand.
constexpr std::array<TokenRule, 7> kTokenRules = {{
    {"ghp_", 36, "token of GitHub"},
    {"github_pat_", 60, "token of GitHub"},
    {"glpat-", 20, "token of GitLab"},
    {"hf_", 34, "token of Hugging Face"},
    {"xoxb-", 40, "token of Slack"},
    {"pypi-AgEIc", 60, "token of a package index"},
    {"sk-ant-api", 60, "key of Anthropic"},
}};

}  // namespace

std::vector<std::string> find_secrets(std::string_view path, std::string_view content) {
  std::vector<std::string> found;
  const std::string_view name = last_part(path);
  if (has_private_key(content)) found.push_back("private key (PEM)");
  for (const NamedRule& rule : kNamedRules) {
    if (rule.is_file(path, name) && rule.holds(content)) found.push_back(rule.what);
  }
  for (const TokenRule& rule : kTokenRules) {
    if (has_token(content, rule.prefix, rule.length)) found.push_back(rule.what);
  }
  return found;
}

}  // namespace img
