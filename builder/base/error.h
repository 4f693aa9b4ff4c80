// SPDX-License-Identifier: Apache-2.0
// The errors that reach a user: one text form, one exit code for each class.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace img {

/// Exit codes of both programs; scripts rely on them.
enum class ExitCode : int {
  ok = 0,
  difference = 1,     ///< a check failed, or two compared things differ
  usage = 2,          ///< command line, manifest or lock invalid or stale
  unavailable = 3,    ///< could not be done: network, disk, missing program; a retry can help
  integrity = 4,      ///< bytes are not what their digest or signature says; a retry does not help
  internal = 70,      ///< a bug
  interrupted = 130,  ///< SIGINT
  terminated = 143,   ///< SIGTERM
};

/// A position in a text file; line and column count from 1, column in bytes.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
  std::string source_line;  ///< text of that line without the newline; empty: no excerpt is shown
  int width = 1;            ///< bytes to underline from `column`
};

/// One aligned line under the message, e.g. {"expected", "sha256:…", "manifests/x.lock.json"}.
struct ErrorDetail {
  std::string label;
  std::string value;
  std::string origin = {};  ///< how the value was obtained; printed in parentheses when not empty
};

/// What an error says. Form: lower case, present tense, subject in single quotes, no full stop.
struct ErrorText {
  std::string message;
  std::vector<ErrorDetail> details = {};
  std::optional<Position> position = {};
  std::string hint = {};  ///< at most one: a command or an edit
};

/// Base of all errors that name something a user can act on. Thrown by value, caught by reference.
class Error : public std::exception {
 public:
  Error(ErrorText text, ExitCode code) : text_(std::move(text)), code_(code) {}

  const char* what() const noexcept override { return text_.message.c_str(); }
  const ErrorText& text() const noexcept { return text_; }
  ExitCode exit_code() const noexcept { return code_; }

  /// What was being done, innermost first; rendered as "while: …" lines.
  const std::vector<std::string>& frames() const noexcept { return frames_; }
  void add_frame(std::string frame) { frames_.push_back(std::move(frame)); }

  /// The whole multi-line text as `main` prints it, without a final newline:
  ///   error: [file:line:col: ]message
  ///      31 |     pakages: [numpy]
  ///         |     ^~~~~~~
  ///     expected: …   (origin)
  ///     got:      …   (origin)
  ///     while: …
  ///   hint: …
  /// Control characters in values are shown as \xNN, so hostile names cannot move the cursor.
  std::string render() const;

 private:
  ErrorText text_;
  ExitCode code_;
  std::vector<std::string> frames_;
};

/// Wrong command line.
class UsageError : public Error {
 public:
  explicit UsageError(ErrorText text) : Error(std::move(text), ExitCode::usage) {}
  explicit UsageError(std::string message) : UsageError(ErrorText{std::move(message)}) {}
};

/// Invalid manifest, recipe or lock (usually with a position), or a stale lock.
class ManifestError : public Error {
 public:
  explicit ManifestError(ErrorText text) : Error(std::move(text), ExitCode::usage) {}
  explicit ManifestError(std::string message) : ManifestError(ErrorText{std::move(message)}) {}
};

/// Foreign input (wheel, deb, archive, image) that breaks its format or our rules for it.
class InputError : public Error {
 public:
  explicit InputError(ErrorText text) : Error(std::move(text), ExitCode::usage) {}
  explicit InputError(std::string message) : InputError(ErrorText{std::move(message)}) {}
};

/// Bytes are not what their digest, size or signature says.
class IntegrityError : public Error {
 public:
  explicit IntegrityError(ErrorText text) : Error(std::move(text), ExitCode::integrity) {}
  explicit IntegrityError(std::string message) : IntegrityError(ErrorText{std::move(message)}) {}
};

/// A needed program, file, source or service is not there, or did not do its work.
class UnavailableError : public Error {
 public:
  explicit UnavailableError(ErrorText text) : Error(std::move(text), ExitCode::unavailable) {}
  explicit UnavailableError(std::string message)
      : UnavailableError(ErrorText{std::move(message)}) {}
};

/// A transfer did not succeed. `retryable` says whether trying the same source again can help.
class NetworkError : public Error {
 public:
  NetworkError(ErrorText text, bool retryable)
      : Error(std::move(text), ExitCode::unavailable), retryable_(retryable) {}
  bool retryable() const noexcept { return retryable_; }

 private:
  bool retryable_;
};

/// A system call failed; errno is captured by the thrower before anything else runs.
class SystemError : public Error {
 public:
  /// message: what was attempted, e.g. "cannot write '/x'"; ": <strerror>" is appended.
  SystemError(int errno_value, std::string message);
  SystemError(int errno_value, ErrorText text);
  int errno_value() const noexcept { return errno_; }

 private:
  int errno_;
};

/// A broken promise inside the program.
class InternalError : public Error {
 public:
  explicit InternalError(std::string message)
      : Error(ErrorText{std::move(message)}, ExitCode::internal) {}
};

/// The user (or the system) asked to stop; carries 130 or 143.
class InterruptedError : public Error {
 public:
  explicit InterruptedError(ExitCode code) : Error(ErrorText{"interrupted"}, code) {}
};

/// Runs `body`; an Error that passes through gets `frame` added and goes on. The only annotator.
template <typename Body>
auto with_context(const std::string& frame, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_frame(frame);
    throw;
  }
}

}  // namespace img
