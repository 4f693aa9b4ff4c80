// SPDX-License-Identifier: Apache-2.0
// A file on a server, read in ranges: bounded tries, each going on where the last one ended.
#pragma once

#include "builder/base/http.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace img {

struct RemoteOptions {
  int attempts = 5;              ///< in a row without any byte
  double backoff_seconds = 0.5;  ///< first pause; doubles, jittered, capped at 30 s
  /// How to wait before the next try; empty: it sleeps (Ctrl-C ends that). For tests.
  std::function<void(double seconds)> pause = {};
  std::function<std::unique_ptr<HttpClient>()> make_client = make_curl_client;
};

/// The server does not give parts of the file. Internal: the file is then read as a stream.
struct RangesRefused {};

/// Runs `attempt` until it returns, with pauses; NetworkErrors that no other try can help are
/// passed on, and so is the last one. An attempt that returns normally is the last.
class Tries {
 public:
  explicit Tries(const RemoteOptions& options) : options_(options) {}
  /// `progressed` tells whether the failed attempt got somewhere, which makes its failure not
  /// count.
  void run(const std::function<void()>& attempt, const std::function<bool()>& progressed) const;

 private:
  const RemoteOptions& options_;
};

/// Not thread-safe.
class RemoteFile {
 public:
  RemoteFile(std::string url, const RemoteOptions& options);

  /// Size of the file, from a request for its first byte. RangesRefused.
  std::uint64_t find_size();
  /// Passes exactly the bytes [offset, offset + size) to `to`, each once, whatever happens to
  /// connections. RangesRefused before the first byte; NetworkError.
  void read(std::uint64_t offset, std::uint64_t size, Sink& to);
  /// The whole file in one answer, one try: what the sink has got cannot be taken back.
  void read_whole(Sink& to);
  /// A small whole file with tries; nullopt: 404 or 410.
  std::optional<std::string> read_small(std::uint64_t limit);

  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  std::string url_;
  const RemoteOptions& options_;
  std::unique_ptr<HttpClient> client_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace img
