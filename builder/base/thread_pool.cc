// SPDX-License-Identifier: Apache-2.0
// Runs jobs on threads, and finds out how many threads are worth having.
#include "builder/base/thread_pool.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <algorithm>
#include <exception>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include <sched.h>

namespace img {
namespace {

/// The jobs that no thread has taken yet, and the first failure.
class JobQueue {
 public:
  explicit JobQueue(std::vector<std::function<void()>> jobs) : jobs_(std::move(jobs)) {}

  void work() {
    while (const std::optional<std::size_t> index = take()) {
      try {
        check_interrupt();
        jobs_[*index]();
        jobs_[*index] = nullptr;  // what a finished job holds is freed now, not at the very end
      } catch (...) {
        fail(std::current_exception());
      }
    }
  }

  /// No job is handed out any more; the first failure is the one that rethrow() throws.
  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::optional<std::size_t> take() {
    const std::lock_guard lock(mutex_);
    if (failure_ || next_ == jobs_.size()) return std::nullopt;
    return next_++;
  }

  std::vector<std::function<void()>> jobs_;
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::exception_ptr failure_;
};

std::size_t affinity_cores() {
  // Machines with more than 1024 processors need a larger mask than cpu_set_t.
  for (int processors = CPU_SETSIZE; processors <= 1 << 16; processors *= 4) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(processors));
    if (set == nullptr) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(processors));
    const int result = sched_getaffinity(0, size, set);
    const int count = result == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return static_cast<std::size_t>(count);
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::size_t> ceil_ratio(std::string_view quota, std::string_view period) {
  const std::optional<std::uint64_t> numerator = parse_decimal(trim(quota));
  const std::optional<std::uint64_t> denominator = parse_decimal(trim(period));
  if (!numerator || !denominator || *numerator == 0 || *denominator == 0) return std::nullopt;
  return static_cast<std::size_t>((*numerator - 1) / *denominator + 1);
}

/// "max 100000" (no limit) or "150000 100000".
std::optional<std::size_t> v2_limit(const std::filesystem::path& folder) {
  const std::vector<std::string> parts = split(first_line(folder / "cpu.max"), ' ');
  return parts.size() == 2 ? ceil_ratio(parts[0], parts[1]) : std::nullopt;
}

/// Quota -1 is no limit.
std::optional<std::size_t> v1_limit(const std::filesystem::path& folder) {
  return ceil_ratio(first_line(folder / "cpu.cfs_quota_us"),
                    first_line(folder / "cpu.cfs_period_us"));
}

using LimitReader = std::optional<std::size_t> (*)(const std::filesystem::path&);

/// The smallest limit of the group and of all its parents up to `mount`. In a container the path of
/// the group may not exist below the mount; then its parents there still say the truth.
std::size_t smallest_limit(const std::filesystem::path& mount, std::string_view group,
                           LimitReader read, std::size_t cores) {
  std::filesystem::path relative(
      group.substr(std::min(group.size(), group.find_first_not_of('/'))));
  while (true) {
    if (const auto limit = read(mount / relative)) cores = std::min(cores, *limit);
    if (relative.empty()) return cores;
    relative = relative.parent_path();
  }
}

}  // namespace

std::jthread start_thread(std::function<void(std::stop_token)> body) {
  try {
    return std::jthread(std::move(body));
  } catch (const std::system_error& error) {
    throw SystemError(error.code().value(),
                      ErrorText{.message = "cannot start a thread",
                                .hint = "raise the limits of processes and memory (ulimit -u, "
                                        "ulimit -v), or use fewer threads: -j 1"});
  }
}

void run_parallel(std::vector<std::function<void()>> jobs, std::size_t threads) {
  threads = std::min(threads, jobs.size());
  JobQueue queue(std::move(jobs));
  {
    std::vector<std::jthread> pool;
    try {
      for (std::size_t i = 1; i < threads; ++i) {
        pool.push_back(start_thread([&queue](const std::stop_token&) { queue.work(); }));
      }
    } catch (...) {
      queue.fail(std::current_exception());  // those that run stop after their job
    }
    queue.work();  // the calling thread is one of them
  }
  queue.rethrow();
}

std::size_t cores_within_quota(std::size_t cores, std::string_view proc_self_cgroup,
                               const std::filesystem::path& cgroup_mount) {
  for (const std::string& line : split(proc_self_cgroup, '\n')) {
    // "hierarchy:controllers:path"; version 2 is hierarchy 0 without controllers.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      cores = smallest_limit(cgroup_mount, group, v2_limit, cores);
      continue;
    }
    const std::vector<std::string> names = split(controllers, ',');
    if (std::find(names.begin(), names.end(), "cpu") == names.end()) continue;
    cores = smallest_limit(cgroup_mount / controllers, group, v1_limit, cores);
    cores = smallest_limit(cgroup_mount / "cpu", group, v1_limit, cores);
  }
  return std::max<std::size_t>(cores, 1);
}

std::size_t available_cores() {
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream text;
  text << file.rdbuf();
  return cores_within_quota(affinity_cores(), text.str(), "/sys/fs/cgroup");
}

}  // namespace img
