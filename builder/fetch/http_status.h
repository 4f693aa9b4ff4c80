// SPDX-License-Identifier: Apache-2.0
// HTTP statuses as errors: which of them are worth another try, and how long the server asks to
// wait.
#pragma once

#include "builder/base/error.h"
#include "builder/base/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace img {

/// A server's answer that is no success.
class HttpStatusError : public NetworkError {
 public:
  HttpStatusError(ErrorText text, int status, std::optional<double> retry_after)
      : NetworkError(std::move(text), is_retryable(status)),
        status_(status),
        retry_after_(retry_after) {}

  int status() const { return status_; }
  /// Not there (404, 410), as opposed to not allowed or not now.
  bool is_absence() const { return status_ == 404 || status_ == 410; }
  /// Seconds that the server asks to wait, when it does.
  std::optional<double> retry_after() const { return retry_after_; }

  static bool is_retryable(int status);

 private:
  int status_;
  std::optional<double> retry_after_;
};

/// HttpStatusError unless the status is 200 or 206.
void require_success(const HttpResponse& response, const std::string& url);

/// "bytes 100-199/200": where the answer's bytes start, and the length of the whole file ("*":
/// nullopt).
struct ContentRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> whole;
};
/// nullopt: no such range.
std::optional<ContentRange> parse_content_range(std::string_view value);

/// Value of a Retry-After header in seconds from `now` (seconds since 1970): a number or an HTTP
/// date; nullopt for anything else and for the past.
std::optional<double> parse_retry_after(std::string_view value, std::int64_t now);

}  // namespace img
