// SPDX-License-Identifier: Apache-2.0
// An HttpClient without a network: answers by URL, scripted in order, shared by all clients of a
// test.
#pragma once

#include "builder/base/error.h"
#include "builder/base/http.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace img::test {

struct FakeAnswer {
  int status = 200;
  std::map<std::string, std::string> headers = {};  ///< lower-case names
  std::string body = {};
  std::optional<std::size_t> cut_after =
      {};                                  ///< then the connection "ends": NetworkError(retryable)
  std::optional<NetworkError> error = {};  ///< instead of any answer
};

/// What the fake clients of one test know. Thread-safe.
class FakeWeb {
 public:
  /// In this order; the last one repeats. A URL that is not known answers 404.
  void on(const std::string& url, std::vector<FakeAnswer> answers) {
    const std::lock_guard guard(mutex_);
    answers_[url] = {std::move(answers), 0};
  }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard guard(mutex_);
    return requests_;
  }
  std::size_t count(const std::string& url) const {
    std::size_t result = 0;
    for (const HttpRequest& request : requests()) result += request.url == url;
    return result;
  }
  std::function<std::unique_ptr<HttpClient>()> factory();

  FakeAnswer answer(const HttpRequest& request) {
    const std::lock_guard guard(mutex_);
    requests_.push_back(request);
    const auto found = answers_.find(request.url);
    if (found == answers_.end()) return FakeAnswer{.status = 404};
    auto& [answers, next] = found->second;
    return answers[std::min(next++, answers.size() - 1)];
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::pair<std::vector<FakeAnswer>, std::size_t>> answers_;
  std::vector<HttpRequest> requests_;
};

class FakeHttpClient final : public HttpClient {
 public:
  explicit FakeHttpClient(FakeWeb& web) : web_(web) {}

  HttpResponse get(const HttpRequest& request, Sink& body,
                   const std::function<void(const HttpResponse&)>& on_headers) override {
    const FakeAnswer answer = web_.answer(request);
    if (answer.error) throw NetworkError(*answer.error);
    HttpResponse response{
        .status = answer.status, .headers = answer.headers, .final_url = request.url};
    if (on_headers) on_headers(response);
    if (answer.status < 200 || answer.status > 299) return response;
    const std::string sent = answer.body.substr(0, answer.cut_after.value_or(answer.body.size()));
    if (!sent.empty()) body.write(as_bytes(sent));
    response.body_bytes = sent.size();
    if (answer.cut_after) {
      throw NetworkError(
          ErrorText{"cannot fetch '" + displayable_url(request.url) +
                    "': the connection ended after " + std::to_string(sent.size()) + " bytes"},
          true);
    }
    return response;
  }

 private:
  FakeWeb& web_;
};

inline std::function<std::unique_ptr<HttpClient>()> FakeWeb::factory() {
  return [this] { return std::make_unique<FakeHttpClient>(*this); };
}

}  // namespace img::test
