// SPDX-License-Identifier: Apache-2.0
// A file on a server, read in ranges: bounded tries, each going on where the last one ended.
#include "builder/facts/remote_file.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/fetch/download.h"
#include "builder/fetch/http_status.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

namespace img {
namespace {

/// Enough was read: ends a transfer whose server sends more than it was asked for.
struct Enough {};

/// Passes at most `size` bytes on and counts them.
class CountingSink final : public Sink {
 public:
  CountingSink(Sink& next, std::uint64_t size) : next_(next), left_(size) {}

  void write(ByteView bytes) override {
    check_interrupt();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
    next_.write(bytes.first(count));
    left_ -= count;
    passed_ += count;
    if (count < bytes.size()) throw Enough{};
  }
  std::uint64_t passed() const { return passed_; }
  std::uint64_t left() const { return left_; }

 private:
  Sink& next_;
  std::uint64_t left_;
  std::uint64_t passed_ = 0;
};

void sleep_for(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    check_interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string header(const HttpResponse& response, const char* name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

NetworkError ended_early(const std::string& url, std::uint64_t got, std::uint64_t wanted) {
  return NetworkError(
      ErrorText{.message = "cannot fetch '" + displayable_url(url) + "': the answer ended after " +
                           with_commas(got) + " of " + with_commas(wanted) + " bytes"},
      true);
}

}  // namespace

void Tries::run(const std::function<void()>& attempt,
                const std::function<bool()>& progressed) const {
  RetryAllowance allowance(options_.attempts, options_.backoff_seconds,
                           static_cast<std::uint32_t>(std::random_device{}()));
  while (true) {
    check_interrupt();
    try {
      return attempt();
    } catch (const NetworkError& error) {
      if (progressed()) allowance.note_progress();
      const std::optional<double> seconds = allowance.pause_after(error);
      if (!seconds) throw;
      options_.pause ? options_.pause(*seconds) : sleep_for(*seconds);
    }
  }
}

RemoteFile::RemoteFile(std::string url, const RemoteOptions& options)
    : url_(std::move(url)), options_(options), client_(options.make_client()) {}

std::uint64_t RemoteFile::find_size() {
  std::uint64_t size = 0;
  const auto attempt = [&] {
    NullSink nowhere;
    CountingSink counted(nowhere, 1);
    const auto on_headers = [&](const HttpResponse& response) {
      if (response.status == 200) throw RangesRefused{};
      if (response.status != 206) return;
      const auto range = parse_content_range(header(response, "content-range"));
      if (!range || !range->whole || range->first != 0) throw RangesRefused{};
      size = *range->whole;
    };
    HttpRequest request;
    request.url = url_;
    request.range_size = 1;
    try {
      require_success(client_->get(request, counted, on_headers), url_);
    } catch (const Enough&) {
      // One byte was asked for, and one was taken.
    }
  };
  Tries(options_).run(attempt, [] { return false; });
  return size;
}

void RemoteFile::read(std::uint64_t offset, std::uint64_t size, Sink& to) {
  CountingSink counted(to, size);
  std::uint64_t before = 0;
  const auto attempt = [&] {
    if (counted.left() == 0) return;
    before = counted.passed();
    HttpRequest request;
    request.url = url_;
    request.range_from = offset + before;
    request.range_size = counted.left();
    const auto on_headers = [&](const HttpResponse& response) {
      if (response.status == 200) throw RangesRefused{};
      if (response.status != 206) return;
      const auto range = parse_content_range(header(response, "content-range"));
      if (!range || range->first != request.range_from) throw RangesRefused{};
    };
    try {
      const HttpResponse response = client_->get(request, counted, on_headers);
      if (response.status == 416) throw RangesRefused{};
      require_success(response, url_);
    } catch (const Enough&) {
      // Servers may send more than was asked for.
    }
    if (counted.left() > 0) throw ended_early(url_, counted.passed(), size);
  };
  try {
    Tries(options_).run(attempt, [&] { return counted.passed() > before; });
  } catch (...) {
    bytes_read_ += counted.passed();
    throw;
  }
  bytes_read_ += counted.passed();
}

void RemoteFile::read_whole(Sink& to) {
  CountingSink counted(to, UINT64_MAX);
  HttpRequest request;
  request.url = url_;
  const HttpResponse response = client_->get(request, counted);
  bytes_read_ += counted.passed();
  require_success(response, url_);
}

std::optional<std::string> RemoteFile::read_small(std::uint64_t limit) {
  std::optional<std::string> text;
  const auto attempt = [&] {
    HttpRequest request;
    request.url = url_;
    request.max_bytes = limit;
    StringSink body;
    const HttpResponse response = client_->get(request, body);
    bytes_read_ += response.body_bytes;
    if (response.status == 404 || response.status == 410) return;
    require_success(response, url_);
    text = body.take();
  };
  Tries(options_).run(attempt, [] { return false; });
  return text;
}

}  // namespace img
