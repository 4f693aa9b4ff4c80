// SPDX-License-Identifier: Apache-2.0
// IMG-SECRET: credentials in files, environment, labels and history; never repeats what it found.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace img {
namespace {

/// Forms of well-known tokens: a prefix and how many more characters of the alphabet follow.
struct TokenForm {
  std::string_view prefix;
  std::size_t length;
  std::string_view what;
};
constexpr std::array<TokenForm, 13> kTokens{{
    {"ghp_", 36, "a GitHub token"},
    {"gho_", 36, "a GitHub token"},
    {"ghs_", 36, "a GitHub token"},
    {"github_pat_", 40, "a GitHub token"},
    {"glpat-", 20, "a GitLab token"},
    {"hf_", 30, "a Hugging Face token"},
    {"AKIA", 16, "an AWS access key"},
    {"ASIA", 16, "an AWS access key"},
    {"xoxb-", 20, "a Slack token"},
    {"xoxp-", 20, "a Slack token"},
    {"sk-ant-", 30, "an API key"},
    {"sk-proj-", 30, "an API key"},
    {"pypi-AgE", 50, "an upload token of a package index"},
}};

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// What `text` holds that looks like a credential; empty: nothing.
std::string credential_in(std::string_view text) {
  for (const TokenForm& form : kTokens) {
    for (std::size_t at = text.find(form.prefix); at != std::string_view::npos;
         at = text.find(form.prefix, at + 1)) {
      if (at != 0 && is_token_character(text[at - 1])) continue;
      std::size_t end = at + form.prefix.size();
      while (end < text.size() && is_token_character(text[end])) ++end;
      if (end - at - form.prefix.size() >= form.length) return std::string(form.what);
    }
  }
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return "a private key";
  return {};
}

/// "https://user:password@host": a password in an address; a bare user name is none.
bool has_password_in_address(std::string_view text) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos;
       at = text.find("://", at + 3)) {
    const std::string_view rest = text.substr(at + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/ \t\"'"));
    const std::size_t sign = authority.rfind('@');
    if (sign == std::string_view::npos) continue;
    const std::string_view user = authority.substr(0, sign);
    const std::size_t colon = user.find(':');
    if (colon == std::string_view::npos || colon + 1 == user.size()) continue;
    if (user[colon + 1] != '$') return true;  // "$TOKEN" is the name of one
  }
  return false;
}

/// Names of variables whose value is a secret whenever there is one.
bool is_secret_name(std::string_view name) {
  constexpr std::array suffixes{"PASSWORD", "PASSWD",     "SECRET",      "_TOKEN",     "API_KEY",
                                "APIKEY",   "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIALS"};
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&upper](const char* suffix) { return upper.ends_with(suffix); });
}

std::string secret_in_assignment(const std::string& name, const std::string& value) {
  if (value.empty()) return {};
  if (is_secret_name(name)) return "a value under a name of secrets";
  if (std::string found = credential_in(value); !found.empty()) return found;
  return has_password_in_address(value) ? "a password in an address" : "";
}

void judge_config(const CheckContext& context, std::vector<Finding>& findings) {
  const ImageConfig& config = context.image().image.config;
  for (const auto& [name, value] : context.view.environment()) {
    if (const std::string found = secret_in_assignment(name, value); !found.empty()) {
      findings.push_back(fail_finding(context, "variable '" + name + "' holds " + found));
    }
  }
  for (const auto& [name, value] : config.labels) {
    if (const std::string found = secret_in_assignment(name, value); !found.empty()) {
      findings.push_back(fail_finding(context, "label '" + name + "' holds " + found));
    }
  }
}

/// Build arguments stand in the history as "|1 TOKEN=… /bin/sh -c …".
std::string secret_in_history(const std::string& line) {
  if (std::string found = credential_in(line); !found.empty()) return found;
  if (has_password_in_address(line)) return "a password in an address";
  for (const std::string& word : split(line, ' ')) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals + 1 == word.size()) continue;
    const std::string name = word.substr(0, equals);
    const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
    if (is_name && is_secret_name(name) && word[equals + 1] != '$') {
      return "a value of '" + name + "'";
    }
  }
  return {};
}

void judge_history(const CheckContext& context, std::vector<Finding>& findings) {
  const std::vector<History>& history = context.image().image.config.history;
  for (std::size_t at = 0; at < history.size(); ++at) {
    const std::string found = secret_in_history(history[at].created_by + " " + history[at].comment);
    if (found.empty()) continue;
    findings.push_back(
        fail_finding(context, "line " + std::to_string(at + 1) + " of the history holds " + found));
  }
}

/// Whether a file of this name holds credentials by nature.
bool is_credential_file(const std::string& path) {
  static const std::vector<std::string> globs{"/**/.netrc",
                                              "/**/.pypirc",
                                              "/**/.npmrc",
                                              "/**/.git-credentials",
                                              "/**/.ssh/id_*",
                                              "/**/.aws/credentials",
                                              "/**/.docker/config.json",
                                              "/**/.kube/config",
                                              "/**/containers/auth.json",
                                              "/**/huggingface/token",
                                              "/etc/apt/auth.conf",
                                              "/etc/apt/auth.conf.d/*"};
  if (path.ends_with(".pub")) return false;
  return std::any_of(globs.begin(), globs.end(),
                     [&path](const std::string& glob) { return glob_match(glob, path); });
}

/// A whiteout does not remove: whoever pulls the image has the lower layer too.
void judge_hidden(const CheckContext& context, std::vector<Finding>& findings) {
  for (const HiddenFile& hidden : context.image().hidden) {
    if (hidden.size == 0 || !is_credential_file(hidden.path)) continue;
    findings.push_back(fail_finding(context, "'" + hidden.path + "' is hidden by layer " +
                                                 std::to_string(hidden.hidden_by + 1) +
                                                 " and can still be read in layer " +
                                                 std::to_string(hidden.layer + 1)));
    findings.back().path = hidden.path;
  }
}

void judge_files(const CheckContext& context, std::vector<Finding>& findings) {
  for (const std::string& secret : context.image().secrets) {
    const std::size_t colon = secret.find(": ");
    const std::string path = secret.substr(0, colon);
    const std::string what =
        colon == std::string::npos ? "something secret" : secret.substr(colon + 2);
    findings.push_back(fail_finding(context, "'" + path + "' holds " + what, path));
  }
}

}  // namespace

CheckResult check_secrets(const CheckContext& context) {
  std::vector<Finding> findings;
  judge_files(context, findings);
  judge_hidden(context, findings);
  judge_config(context, findings);
  judge_history(context, findings);
  if (findings.empty() && context.view.incomplete()) {
    return blocked("IMG-SECRET", Tier::image, *context.view.incomplete());
  }
  if (findings.empty()) {
    findings.push_back(pass_finding(
        context, "no credential in " + count_of(context.image().files.size(), "path") + ", " +
                     count_of(context.image().hidden.size(), "hidden file") + ", " +
                     count_of(context.view.environment().size(), "variable") + " and " +
                     count_of(context.image().image.config.history.size(), "line") +
                     " of history"));
  }
  return finish("IMG-SECRET", std::move(findings));
}

}  // namespace img
