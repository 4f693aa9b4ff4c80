// SPDX-License-Identifier: Apache-2.0
// A server that holds files and gives them whole or in ranges, well or badly.
#pragma once

#include "builder/base/error.h"
#include "builder/base/http.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace img::test {

struct RangedWeb {
  std::map<std::string, std::string> files;  ///< by URL
  bool ranges = true;
  bool sends_more = false;         ///< answers a range to the end of the file
  std::uint64_t cut_after = 0;     ///< each answer ends after so many bytes; 0: never
  int failures = 0;                ///< so many requests end before the first byte
  std::uint64_t sent = 0;          ///< bytes of all bodies
  std::vector<std::string> asked;  ///< "URL from-size"

  std::unique_ptr<HttpClient> client();
};

class RangedClient final : public HttpClient {
 public:
  explicit RangedClient(RangedWeb& web) : web_(web) {}

  HttpResponse get(const HttpRequest& request, Sink& body,
                   const std::function<void(const HttpResponse&)>& on_headers) override {
    web_.asked.push_back(request.url);
    if (web_.failures > 0) {
      --web_.failures;
      throw NetworkError(ErrorText{"cannot fetch '" + request.url + "': the connection ended"},
                         true);
    }
    HttpResponse response{.status = 200, .headers = {}, .final_url = request.url};
    const auto file = web_.files.find(request.url);
    if (file == web_.files.end()) response.status = 404;
    std::string part;
    if (response.status == 200) {
      const std::string& whole = file->second;
      const bool is_part = web_.ranges && (request.range_from > 0 || request.range_size);
      std::uint64_t count = whole.size();
      if (request.range_size && !web_.sends_more) count = *request.range_size;
      part = is_part ? whole.substr(request.range_from, count) : whole;
      if (is_part) {
        response.status = 206;
        response.headers["content-range"] = "bytes " + std::to_string(request.range_from) + "-" +
                                            std::to_string(request.range_from + part.size() - 1) +
                                            "/" + std::to_string(whole.size());
      }
    }
    if (on_headers) on_headers(response);
    const std::size_t length =
        web_.cut_after == 0 ? part.size() : std::min<std::size_t>(part.size(), web_.cut_after);
    for (std::size_t at = 0; at < length; at += kStep) {
      const std::string piece = part.substr(at, std::min(kStep, length - at));
      web_.sent += piece.size();
      body.write(as_bytes(piece));
    }
    if (length < part.size()) {
      throw NetworkError(ErrorText{"cannot fetch '" + request.url + "': the connection ended"},
                         true);
    }
    response.body_bytes = length;
    return response;
  }

 private:
  static constexpr std::size_t kStep = 1000;  // odd sizes cross every boundary of the format
  RangedWeb& web_;
};

inline std::unique_ptr<HttpClient> RangedWeb::client() {
  return std::make_unique<RangedClient>(*this);
}

}  // namespace img::test
