// SPDX-License-Identifier: Apache-2.0
// Lock → verified blobs: what is missing, workers that fetch it, and what none could.
#include "builder/fetch/fetch.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/base/thread_pool.h"
#include "builder/fetch/download.h"
#include "builder/fetch/wheel_facts.h"
#include "builder/inputs/wheel.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include <sys/stat.h>

namespace img {
namespace {

/// Room for stamps, facts and the file system's own needs beside the files.
constexpr std::uint64_t kSpareBytes = 16ull << 20;

struct Absence {
  const WantedFile* file = nullptr;
  std::vector<std::string> reasons;
};

/// One entry for each digest, the big files first: they decide when all is done.
std::vector<const WantedFile*> distinct_files(const std::vector<WantedFile>& files) {
  std::map<Digest, const WantedFile*> by_digest;
  for (const WantedFile& file : files) {
    const auto [place, is_new] = by_digest.emplace(file.digest, &file);
    if (!is_new && file.is_wheel) place->second = &file;
  }
  std::vector<const WantedFile*> result;
  for (const auto& [digest, file] : by_digest) result.push_back(file);
  std::stable_sort(result.begin(), result.end(),
                   [](const WantedFile* a, const WantedFile* b) { return a->size > b->size; });
  return result;
}

/// The work of one fetch_all: a queue that the workers empty, and what they found.
class Fetcher {
 public:
  Fetcher(const Sources& sources, Store& store, Progress& progress, const FetchOptions& options)
      : store_(store),
        progress_(progress),
        options_(options),
        context_{sources, store, progress, options, cancelled_} {}

  FetchResult run(const std::vector<WantedFile>& files) {
    find_work(distinct_files(files));
    require_space();
    run_workers();
    if (!absences_.empty()) fail_absences();
    return result_;
  }

 private:
  /// Fills the queue with what is missing or not verified yet.
  void find_work(const std::vector<const WantedFile*>& files) {
    result_.files = files.size();
    std::vector<char> work(files.size(), 0);
    std::vector<std::function<void()>> looks;
    for (std::size_t i = 0; i < files.size(); ++i) {
      looks.push_back([&, i] {
        check_interrupt();
        const WantedFile& file = *files[i];
        if (!store_.contains(file.digest)) {
          work[i] = 'm';
        } else if (file.is_wheel && !has_wheel_facts(store_, file.digest)) {
          work[i] = 'v';
        }
      });
    }
    run_parallel(std::move(looks), available_cores());
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (work[i] != 0) queue_.push_back(files[i]);
      if (work[i] == 'm') missing_.push_back(files[i]);
    }
  }

  void require_space() const {
    if (missing_.empty()) return;
    store_.require_writable();
    std::uint64_t needed = kSpareBytes;
    for (const WantedFile* file : missing_) {
      struct stat info {};
      const bool begun = lstat(store_.partial_path(file->digest).c_str(), &info) == 0;
      const std::uint64_t there = begun ? static_cast<std::uint64_t>(info.st_size) : 0;
      needed += file->size - std::min(there, file->size);
    }
    const std::uint64_t free = free_bytes(store_.root());
    if (free >= needed) return;
    throw SystemError(
        ENOSPC, ErrorText{.message = "not enough room in the cache '" + store_.root().string() +
                                     "' for " + std::to_string(missing_.size()) +
                                     (missing_.size() == 1 ? " file" : " files"),
                          .details = {{"needed", human_size(needed)}, {"free", human_size(free)}},
                          .hint = "free some space ('imgbuild cache gc') or use --cache-dir DIR"});
  }

  void run_workers() {
    const std::size_t count =
        std::min<std::size_t>(queue_.size(), static_cast<std::size_t>(std::max(options_.jobs, 1)));
    std::vector<std::function<void()>> workers(count, [this] { work(); });
    run_parallel(std::move(workers), count);
  }

  void work() {
    try {
      Downloader downloader(context_, options_.make_client());
      while (const WantedFile* file = next_now()) {
        const std::optional<FileLock> lock = try_lock(*file);
        if (!lock && !store_.read_only()) {
          defer(file);  // another builder is at it: do something else meanwhile
        } else {
          process(downloader, *file);
        }
      }
      while (const WantedFile* file = next_deferred()) {
        const FileLock lock = wait_for(*file);
        process(downloader, *file);
      }
    } catch (const Cancelled&) {
      // Another worker has said why.
    } catch (...) {
      cancelled_ = true;
      throw;
    }
  }

  const WantedFile* next_now() { return next(queue_); }
  const WantedFile* next_deferred() { return next(deferred_); }
  const WantedFile* next(std::deque<const WantedFile*>& queue) {
    const std::lock_guard guard(mutex_);
    if (queue.empty() || cancelled_) return nullptr;
    const WantedFile* file = queue.front();
    queue.pop_front();
    return file;
  }
  void defer(const WantedFile* file) {
    const std::lock_guard guard(mutex_);
    deferred_.push_back(file);
  }

  /// A read-only store has nothing to lock: whatever is missing was refused before.
  std::optional<FileLock> try_lock(const WantedFile& file) const {
    if (store_.read_only()) return std::nullopt;
    return store_.try_lock(std::string(file.digest.hex()));
  }

  /// Waits for the builder that is at this file, showing how far it is.
  FileLock wait_for(const WantedFile& file) {
    struct Held {
      int pid;
    };
    const std::string key(file.digest.hex());
    try {
      return store_.lock(key, [](int pid) { throw Held{pid}; });
    } catch (const Held& held) {
      const std::string who =
          held.pid == 0 ? "another process" : "process " + std::to_string(held.pid);
      progress_.log("waiting for " + who + ", which is fetching '" + printable(file.name) + "'");
    }
    ProgressTask task = progress_.task("waiting for", file.name, file.size);
    while (true) {
      check_interrupt();
      if (cancelled_) throw Cancelled{};
      if (std::optional<FileLock> lock = store_.try_lock(key)) {
        task.finish();
        return std::move(*lock);
      }
      struct stat info {};
      if (lstat(store_.partial_path(file.digest).c_str(), &info) == 0) {
        task.reset_to(static_cast<std::uint64_t>(info.st_size));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  /// The file's lock is held: nobody else fetches or verifies it.
  void process(Downloader& downloader, const WantedFile& file) {
    if (!store_.contains(file.digest)) {
      Absence absence{&file, {}};
      if (!downloader.download(file, absence.reasons)) {
        const std::lock_guard guard(mutex_);
        absences_.push_back(std::move(absence));
        return;
      }
      const std::lock_guard guard(mutex_);
      ++result_.fetched_files;
      result_.fetched_bytes += file.size;
    }
    if (file.is_wheel && !has_wheel_facts(store_, file.digest)) verify_wheel(file);
  }

  void verify_wheel(const WantedFile& file) {
    ProgressTask task = progress_.task("verifying", file.name);
    wheel_facts(store_, file.digest, file.name, [&](std::uint64_t bytes) {
      check_interrupt();
      if (cancelled_) throw Cancelled{};
      task.advance(bytes);
    });
    task.finish();
  }

  [[noreturn]] void fail_absences() {
    std::sort(absences_.begin(), absences_.end(),
              [](const Absence& a, const Absence& b) { return a.file->name < b.file->name; });
    ErrorText text;
    text.message = "no source has " + std::to_string(absences_.size()) + " of " +
                   std::to_string(result_.files) + " locked files";
    std::string update;
    for (const Absence& absence : absences_) {
      text.details.push_back({"missing", absence.file->name, join(absence.reasons, "; ")});
      update += " --update " + name_of(*absence.file);
    }
    text.hint = context_.sources.offline
                    ? "leave out --offline, or name a folder that has them: --source folder=DIR"
                    : "imgbuild lock" + update;
    throw UnavailableError(std::move(text));
  }

  /// What `lock --update` calls the distribution or the package.
  static std::string name_of(const WantedFile& file) {
    if (!file.project.empty()) return printable(file.project);
    return printable(file.name.substr(0, file.name.find('_')));
  }

  Store& store_;
  Progress& progress_;
  const FetchOptions& options_;
  std::atomic<bool> cancelled_{false};
  FetchContext context_;
  std::vector<const WantedFile*> missing_;
  std::mutex mutex_;  ///< guards what follows, once workers run
  std::deque<const WantedFile*> queue_, deferred_;
  std::vector<Absence> absences_;
  FetchResult result_;
};

}  // namespace

std::vector<WantedFile> wanted_files(const LockFile& lock) {
  std::vector<WantedFile> files;
  for (const LockedWheel& wheel : lock.wheels) {
    files.push_back({.name = wheel.file,
                     .source = wheel.index,
                     .path = {},
                     .project = wheel.name,
                     .size = wheel.size,
                     .digest = wheel.sha256,
                     .is_wheel = true});
  }
  for (const LockedDeb& deb : lock.debs) {
    files.push_back({.name = fs::path(deb.path).filename(),
                     .source = deb.archive,
                     .path = deb.path,
                     .project = {},
                     .size = deb.size,
                     .digest = deb.sha256,
                     .is_wheel = false});
  }
  return files;
}

FetchResult fetch_all(const std::vector<WantedFile>& files, const Sources& sources, Store& store,
                      Progress& progress, const FetchOptions& options) {
  return Fetcher(sources, store, progress, options).run(files);
}

}  // namespace img
