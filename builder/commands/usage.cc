// SPDX-License-Identifier: Apache-2.0
// Rewrites the parser's errors by their kind.

#include "builder/commands/usage.h"

#include "builder/base/text.h"

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace img {
namespace {

/// The innermost command that was on the command line, and its full name: "imgbuild cache gc".
struct ChosenCommand {
  const CLI::App* app;
  std::string name;
};

ChosenCommand chosen_command(const CLI::App& app) {
  ChosenCommand chosen{&app, app.get_name()};
  while (!chosen.app->get_subcommands().empty()) {
    chosen.app = chosen.app->get_subcommands().front();
    chosen.name += " " + chosen.app->get_name();
  }
  return chosen;
}

std::string help_of(const ChosenCommand& chosen) { return "see '" + chosen.name + " --help'"; }

/// "--output" of "--output: 1 required TEXT missing" or of "--output is required".
std::string first_word(const std::string& text) { return text.substr(0, text.find_first_of(": ")); }

std::vector<std::string> long_options(const ChosenCommand& chosen) {
  std::vector<std::string> names;
  for (const CLI::App* app = chosen.app; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

UsageError unexpected(const CLI::App& app, const ChosenCommand& chosen) {
  const std::vector<std::string> words = app.remaining(true);
  const std::string word = words.empty() ? std::string() : words.front();
  if (!word.starts_with('-')) {
    return UsageError(
        ErrorText{.message = "'" + word + "' is one argument too many for '" + chosen.name + "'",
                  .hint = help_of(chosen)});
  }
  const std::string option = word.substr(0, word.find('='));
  const auto near = did_you_mean(option, long_options(chosen));
  return UsageError(ErrorText{.message = "'" + chosen.name + "' has no option '" + option + "'",
                              .hint = near ? "did you mean '" + *near + "'?" : help_of(chosen)});
}

/// "Could not convert: --jobs = x" → option and value; "--json: Should be true/false or a number".
UsageError not_convertible(const std::string& text, const ChosenCommand& chosen) {
  constexpr std::string_view kPrefix = "Could not convert: ";
  const std::size_t equals = text.find(" = ");
  if (!text.starts_with(kPrefix) || equals == std::string::npos) {
    return UsageError(
        ErrorText{.message = "'" + first_word(text) + "' takes no value", .hint = help_of(chosen)});
  }
  const std::string option = text.substr(kPrefix.size(), equals - kPrefix.size());
  return UsageError(
      ErrorText{.message = "'" + text.substr(equals + 3) + "' is no value for '" + option + "'",
                .hint = help_of(chosen)});
}

UsageError no_command(const CLI::App& app, const ChosenCommand& chosen) {
  // Options are taken at every level, so what nobody knows ends at the program itself.
  const std::vector<std::string> words = app.remaining(true);
  if (words.empty()) {
    return UsageError(
        ErrorText{.message = "'" + chosen.name + "' needs a command", .hint = help_of(chosen)});
  }
  if (words.front().starts_with('-')) return unexpected(app, chosen);
  std::vector<std::string> commands;
  for (const CLI::App* command :
       chosen.app->get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  const auto near = did_you_mean(words.front(), commands);
  return UsageError(
      ErrorText{.message = "'" + chosen.name + "' has no command '" + words.front() + "'",
                .hint = near ? "did you mean '" + *near + "'?" : help_of(chosen)});
}

/// "--output: 1 required TEXT missing", "--output: At Most 1 required but received 2", "--json was
/// given a disallowed flag override".
UsageError wrong_count(const std::string& text, const ChosenCommand& chosen) {
  const std::string problem = text.find("flag override") != std::string::npos ? "takes no value"
                              : text.find("At Most") != std::string::npos
                                  ? "is given more than once"
                                  : "needs a value";
  return UsageError(
      ErrorText{.message = "'" + first_word(text) + "' " + problem, .hint = help_of(chosen)});
}

template <typename Kind>
bool is(const CLI::ParseError& error) {
  return dynamic_cast<const Kind*>(&error) != nullptr;
}

/// Kinds that none of our options can raise today: at least in lower case.
UsageError other(std::string text, const ChosenCommand& chosen) {
  if (!text.empty()) {
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  }
  return UsageError(ErrorText{.message = std::move(text), .hint = help_of(chosen)});
}

}  // namespace

UsageError usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const ChosenCommand chosen = chosen_command(app);
  const std::string text = error.what();
  // By type: the name that an error carries is sometimes that of the command.
  if (is<CLI::ExtrasError>(error)) return unexpected(app, chosen);
  if (is<CLI::ConversionError>(error)) return not_convertible(text, chosen);
  if (is<CLI::ArgumentMismatch>(error)) return wrong_count(text, chosen);
  if (is<CLI::RequiredError>(error)) {
    if (text.starts_with("A subcommand")) return no_command(app, chosen);
    return UsageError(ErrorText{.message = "'" + chosen.name + "' needs '" + first_word(text) + "'",
                                .hint = help_of(chosen)});
  }
  return other(text, chosen);
}

}  // namespace img
