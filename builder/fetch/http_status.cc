// SPDX-License-Identifier: Apache-2.0
// Judging HTTP statuses and Retry-After.
#include "builder/fetch/http_status.h"

#include "builder/base/text.h"

#include <array>
#include <ctime>
#include <string_view>

namespace img {
namespace {

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may send.
std::optional<std::int64_t> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") {
    return std::nullopt;
  }
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  std::string number = std::to_string(month / 3 + 1);
  if (number.size() == 1) number = "0" + number;
  return parse_rfc3339(std::string(text.substr(12, 4)) + "-" + number + "-" +
                       std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) +
                       "Z");
}

}  // namespace

bool HttpStatusError::is_retryable(int status) {
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status < 600);
}

std::optional<double> parse_retry_after(std::string_view value, std::int64_t now) {
  value = trim(value);
  if (const auto seconds = parse_decimal(value)) return static_cast<double>(*seconds);
  const auto date = parse_http_date(value);
  if (!date || *date <= now) return std::nullopt;
  return static_cast<double>(*date - now);
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  if (!value.starts_with("bytes ")) return std::nullopt;
  value = trim(value.substr(6));
  const std::size_t dash = value.find('-');
  const std::size_t slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = parse_decimal(value.substr(0, dash));
  if (!first) return std::nullopt;
  return ContentRange{*first, parse_decimal(value.substr(slash + 1))};
}

void require_success(const HttpResponse& response, const std::string& url) {
  if (response.status == 200 || response.status == 206) return;
  std::optional<double> retry_after;
  const auto header = response.headers.find("retry-after");
  if (header != response.headers.end()) {
    retry_after = parse_retry_after(header->second, std::time(nullptr));
  }
  throw HttpStatusError(
      ErrorText{.message = "cannot fetch '" + displayable_url(url) + "': the server answers " +
                           std::to_string(response.status)},
      response.status, retry_after);
}

}  // namespace img
