// SPDX-License-Identifier: Apache-2.0
// Runs independent jobs on N threads; the first failure stops the rest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

namespace img {

/// Starts a thread that runs `body`. SystemError "cannot start a thread: …" when the machine gives
/// no more threads, or no memory for one more.
std::jthread start_thread(std::function<void(std::stop_token)> body);

/// Runs all jobs on at most `threads` threads, started in the given order. When one throws, jobs
/// that have not started are dropped, running ones are awaited, and the first exception is
/// rethrown. threads <= 1 runs them in order on the calling thread. A thread that cannot be started
/// is such a failure (SystemError).
void run_parallel(std::vector<std::function<void()>> jobs, std::size_t threads);

/// Cores this process may use (affinity and cgroup quota considered), at least 1.
std::size_t available_cores();
/// The part of available_cores() that reads control groups: `cores`, lowered to the processor quota
/// (v1 or v2) of the groups in the text of /proc/self/cgroup below the given mount, at least 1.
std::size_t cores_within_quota(std::size_t cores, std::string_view proc_self_cgroup,
                               const std::filesystem::path& cgroup_mount);

}  // namespace img
