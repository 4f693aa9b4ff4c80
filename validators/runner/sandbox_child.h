// SPDX-License-Identifier: Apache-2.0
// What the processes of a sandbox do between fork and exec, by system calls only.
#pragma once

namespace img {

/// Steps that can fail, in order.
enum class SandboxStep : int {
  prepare,
  user_namespace,
  map_ids,
  namespaces,
  private_mounts,
  proc,
  folder,
  overlay,
  program,
};

/// Written to the status pipe by whichever process of the sandbox fails.
struct SandboxFailure {
  SandboxStep step;
  int error;  ///< errno
};

/// Everything that a child needs, prepared before the fork: a child of a process with threads may
/// not allocate.
struct ChildPlan {
  const char* folder;
  const char* overlay_options;
  char* const* argv;
  char* const* envp;
  const char* uid_map;  ///< nullptr: no user namespace
  const char* gid_map;
  int null_fd, stdout_fd, stderr_fd;
  int control_fd;  ///< hangs up when the sandbox shall end
  int status_fd;   ///< takes a SandboxFailure
};

/// The body of the forked child. Makes the namespaces, starts their first process, which mounts and
/// starts the program; waits for it and ends with its exit code (128 + signal), after everything in
/// the sandbox is gone.
[[noreturn]] void run_sandbox_child(const ChildPlan& plan);

}  // namespace img
