// SPDX-License-Identifier: Apache-2.0
// One wanted file at a time: its candidates in order, tries with pauses, resumption, verification.
#pragma once

#include "builder/fetch/fetch.h"
#include "builder/fetch/http_status.h"
#include "builder/fetch/part_file.h"

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace img {

/// Another worker has failed: this one stops. Internal to fetch_all.
struct Cancelled {};

/// What all workers of one fetch_all share.
struct FetchContext {
  const Sources& sources;
  Store& store;
  Progress& progress;
  const FetchOptions& options;
  std::atomic<bool>& cancelled;
};

/// How long to wait after which failure, and when to give up on a source.
class RetryAllowance {
 public:
  RetryAllowance(int attempts, double backoff_seconds, std::uint32_t seed)
      : attempts_(attempts), backoff_(backoff_seconds), random_(seed) {}

  /// Seconds to wait before the next try; nullopt: there is none.
  std::optional<double> pause_after(const NetworkError& error);
  /// The last try got somewhere: its failure does not count, and those before are forgotten.
  void note_progress() { failures_ = -1; }

 private:
  int attempts_;
  double backoff_;
  int failures_ = 0;
  std::minstd_rand random_;
};

/// Fetches files with one client. Not thread-safe: one a worker.
class Downloader {
 public:
  Downloader(const FetchContext& context, std::unique_ptr<HttpClient> client);

  /// True: the file is in the store now. False: no source has it; `absences` says what each one
  /// said. The caller holds the digest's lock.
  bool download(const WantedFile& file, std::vector<std::string>& absences);

 private:
  struct Job;
  bool try_folders(Job& job);
  bool try_address(Job& job, const std::string& root);
  std::optional<std::string> find_url(Job& job, const std::string& root);
  bool try_url(Job& job, const std::string& url);
  void try_once(Job& job, const std::string& url);
  void copy_from(Job& job, const fs::path& path);
  void pause_or_rethrow(Job& job, const NetworkError& error, RetryAllowance& allowance);
  void check_cancelled() const;
  RetryAllowance new_allowance();

  FetchContext context_;
  std::unique_ptr<HttpClient> client_;
  std::minstd_rand random_;
};

}  // namespace img
