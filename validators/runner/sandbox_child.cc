// SPDX-License-Identifier: Apache-2.0
// Namespaces, mounts and exec, without allocating and without locks.
#include "validators/runner/sandbox_child.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

// Where the two descriptors of the sandbox are moved to; everything above them is closed.
constexpr int kControl = 3;
constexpr int kStatus = 4;
constexpr int kFailed = 126;

[[noreturn]] void fail(SandboxStep step) {
  const SandboxFailure failure{step, errno};
  // Smaller than a pipe's atomic size; if nobody reads it there is nobody to tell.
  if (write(kStatus, &failure, sizeof(failure)) < 0) _exit(kFailed);
  _exit(kFailed);
}

void require(bool good, SandboxStep step) {
  if (!good) fail(step);
}

void close_from(int first) {
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < most; ++fd) close(fd);
}

/// Standard descriptors, control and status; nothing else of this program is inherited.
void take_descriptors(const ChildPlan& plan) {
  // Copies above all targets first, so that none overwrites another.
  constexpr int kSafe = 16;
  const int sources[] = {plan.null_fd, plan.stdout_fd, plan.stderr_fd, plan.control_fd,
                         plan.status_fd};
  int copies[5];
  for (int i = 0; i < 5; ++i) {
    copies[i] = fcntl(sources[i], F_DUPFD, kSafe);
    require(copies[i] >= 0, SandboxStep::prepare);
  }
  for (int target = 0; target < 5; ++target) {
    require(dup2(copies[target], target) == target, SandboxStep::prepare);
  }
  close_from(kStatus + 1);
  require(fcntl(kControl, F_SETFD, FD_CLOEXEC) == 0 && fcntl(kStatus, F_SETFD, FD_CLOEXEC) == 0,
          SandboxStep::prepare);
}

/// As a fresh program has them: this process ignores SIGPIPE and handles Ctrl-C.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool write_file(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t size = static_cast<ssize_t>(strlen(text));
  const bool good = write(fd, text, strlen(text)) == size;
  const int error = errno;
  close(fd);
  errno = error;
  return good;
}

void make_namespaces(const ChildPlan& plan) {
  if (plan.uid_map != nullptr) {
    require(unshare(CLONE_NEWUSER) == 0, SandboxStep::user_namespace);
    require(write_file("/proc/self/setgroups", "deny") &&
                write_file("/proc/self/uid_map", plan.uid_map) &&
                write_file("/proc/self/gid_map", plan.gid_map),
            SandboxStep::map_ids);
  }
  require(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0, SandboxStep::namespaces);
}

void make_mounts(const ChildPlan& plan) {
  require(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
          SandboxStep::private_mounts);
  // The runtime finds its processes through /proc, which must be that of their namespace.
  require(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0,
          SandboxStep::proc);
  require(chdir(plan.folder) == 0, SandboxStep::folder);
  require(mount("overlay", "rootfs", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV,
                plan.overlay_options) == 0,
          SandboxStep::overlay);
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// Waits for `child` and, as the first process of a pid namespace has to, for whatever else ends.
[[noreturn]] void reap_until_end(pid_t child) {
  while (true) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == child) _exit(code_of(status));  // the kernel ends everything else with us
    if (ended < 0 && errno != EINTR) _exit(kFailed);
  }
}

/// The first process of the namespaces.
[[noreturn]] void run_init(const ChildPlan& plan, int alive_fd) {
  // After the last change of credentials, which would undo it. Whoever started us may have died
  // before; then the pipe says so.
  require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, SandboxStep::prepare);
  char alive = 0;
  if (read(alive_fd, &alive, 1) != 1) _exit(kFailed);
  close(alive_fd);
  close(kControl);
  make_mounts(plan);
  const pid_t program = fork();
  require(program >= 0, SandboxStep::program);
  if (program == 0) {
    execve(plan.argv[0], plan.argv, plan.envp);
    fail(SandboxStep::program);
  }
  close(kStatus);
  reap_until_end(program);
}

/// Ends with the sandbox, or ends it when the other side hangs up.
[[noreturn]] void supervise(pid_t init) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, init, 0U));
  require(process >= 0, SandboxStep::prepare);
  close(kStatus);
  pollfd fds[2] = {{process, POLLIN, 0}, {kControl, POLLIN, 0}};
  while (true) {
    if (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
    // Not reaped yet, so the id still is the sandbox's. Its first process takes all others along.
    if (fds[0].revents == 0) kill(init, SIGKILL);
    break;
  }
  int status = 0;
  while (waitpid(init, &status, 0) < 0) {
    if (errno != EINTR) _exit(kFailed);
  }
  _exit(code_of(status));
}

}  // namespace

void run_sandbox_child(const ChildPlan& plan) {
  setsid();  // Ctrl-C is for the parent, which then ends the sandbox
  reset_signals();
  take_descriptors(plan);
  make_namespaces(plan);
  int alive[2];
  require(pipe2(alive, O_CLOEXEC) == 0, SandboxStep::prepare);
  const pid_t init = fork();
  require(init >= 0, SandboxStep::namespaces);
  if (init == 0) {
    close(alive[1]);
    run_init(plan, alive[0]);
  }
  close(alive[0]);
  if (write(alive[1], "", 1) != 1) kill(init, SIGKILL);
  close(alive[1]);
  supervise(init);
}

}  // namespace img
