// SPDX-License-Identifier: Apache-2.0
// Forks a sandbox, collects what it prints within limits, and ends it in time.
#include "validators/runner/sandbox.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "validators/runner/sandbox_child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC

constexpr std::chrono::milliseconds kPollInterval(50);  // how soon an interrupt is noticed
constexpr std::chrono::milliseconds kFirstPause(1);

struct Pipe {
  Fd read_end, write_end;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot create a pipe");
  }
  return {Fd(fds[0]), Fd(fds[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The forked child. Destroyed while it runs, it is ended first.
class SandboxProcess {
 public:
  SandboxProcess(pid_t pid, Fd control) : pid_(pid), control_(std::move(control)) {}
  ~SandboxProcess() {
    control_.reset();
    while (!ended_ && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  SandboxProcess(const SandboxProcess&) = delete;
  SandboxProcess& operator=(const SandboxProcess&) = delete;

  /// Its exit code once it, and with it the whole sandbox, has ended.
  std::optional<int> poll_end(int flags = WNOHANG) {
    int status = 0;
    pid_t found = 0;
    do {
      found = waitpid(pid_, &status, flags);
    } while (found < 0 && errno == EINTR);
    if (found == 0) return std::nullopt;
    ended_ = true;
    return found == pid_ && WIFEXITED(status) ? WEXITSTATUS(status) : 128 + SIGKILL;
  }
  int end() {
    control_.reset();
    return poll_end(0).value_or(128 + SIGKILL);
  }

 private:
  pid_t pid_;
  Fd control_;
  bool ended_ = false;
};

/// One captured output.
struct Capture {
  const char* name;
  std::uint64_t limit;
  Fd fd;
  std::string text;
  bool over = false;

  /// Reads what is there now.
  void drain() {
    std::array<char, 64 * 1024> buffer;
    while (fd && !over) {
      const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        fd.reset();
        return;
      }
      const auto room = static_cast<std::size_t>(
          std::min<std::uint64_t>(limit - text.size(), static_cast<std::uint64_t>(count)));
      text.append(buffer.data(), room);
      over = room < static_cast<std::size_t>(count);
    }
  }
};

std::string overlay_options(const std::vector<std::string>& layers) {
  // `userxattr`: opaque folders are marked by attributes that need no right.
  return "userxattr,lowerdir=" + join(layers, ":");
}

std::string what_failed(const SandboxFailure& failure, const SandboxPlan& plan) {
  const std::string why = std::string(": ") + std::strerror(failure.error);
  switch (failure.step) {
    case SandboxStep::prepare:
      return "cannot prepare a process for the container" + why;
    case SandboxStep::user_namespace:
      return "cannot make a user namespace" + why;
    case SandboxStep::map_ids:
      return "cannot map this user into a user namespace" + why;
    case SandboxStep::namespaces:
      return "cannot make mount and process namespaces" + why;
    case SandboxStep::private_mounts:
      return "cannot make mounts private" + why;
    case SandboxStep::proc:
      return "cannot mount /proc for the runtime" + why;
    case SandboxStep::folder:
      return "cannot enter folder '" + plan.folder.string() + "'" + why;
    case SandboxStep::overlay:
      return "cannot mount the layers of the image as an overlay" + why;
    case SandboxStep::program:
      return "cannot start '" + plan.argv.front() + "'" + why;
  }
  return "cannot prepare a container" + why;
}

/// What would make the step work.
std::string hint_for(SandboxStep step, bool user_namespace) {
  switch (step) {
    case SandboxStep::user_namespace:
    case SandboxStep::map_ids:
      return "allow user namespaces (sysctl user.max_user_namespaces, "
             "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or "
             "run this as root";
    case SandboxStep::namespaces:
    case SandboxStep::private_mounts:
    case SandboxStep::proc:
      return user_namespace ? "run this as root, or outside of a container"
                            : "run this outside of a container, or in one that has CAP_SYS_ADMIN";
    case SandboxStep::overlay:
      return user_namespace
                 ? "run this as root: only Linux 5.11 and newer let users mount overlays"
                 : "put the cache on a file system that overlayfs can stack, e.g. ext4 or "
                   "xfs, on Linux 5.11 or newer";
    default:
      return "";
  }
}

class Sandbox {
 public:
  explicit Sandbox(const SandboxPlan& plan) : plan_(plan) {}

  ContainerEnd run() {
    const Clock::time_point start = Clock::now();
    end_.started_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(start.time_since_epoch()).count();
    collect(start + plan_.limits.timeout);
    end_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    end_.stdout_text = std::move(stdout_.text);
    end_.stderr_text = std::move(stderr_.text);
    return std::move(end_);
  }

 private:
  void collect(Clock::time_point deadline) {
    Pipe control = make_pipe();
    Pipe status = make_pipe();
    SandboxProcess process(start(control, status), std::move(control.write_end));
    status.write_end.reset();
    control.read_end.reset();
    std::chrono::milliseconds pause = kFirstPause;
    while (true) {
      check_interrupt();
      pause = wait_for_output(pause);
      stdout_.drain();
      stderr_.drain();
      if (over_limit()) {
        process.end();
        return;
      }
      if (Clock::now() >= deadline) return end_at_deadline(process);
      if (const std::optional<int> code = process.poll_end()) return finish(*code, status.read_end);
    }
  }

  pid_t start(const Pipe& control, const Pipe& status) {
    std::vector<std::string> arguments = plan_.argv;
    std::vector<std::string> variables;
    for (const auto& [name, value] : plan_.env) variables.push_back(name + "=" + value);
    const std::vector<char*> argv = pointers_to(arguments);
    const std::vector<char*> envp = pointers_to(variables);
    const std::string options = overlay_options(plan_.layers);
    const std::string uid_map = "0 " + std::to_string(geteuid()) + " 1";
    const std::string gid_map = "0 " + std::to_string(getegid()) + " 1";
    const Fd null = Fd::open("/dev/null", O_RDONLY);
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    const ChildPlan child{.folder = plan_.folder.c_str(),
                          .overlay_options = options.c_str(),
                          .argv = argv.data(),
                          .envp = envp.data(),
                          .uid_map = plan_.user_namespace ? uid_map.c_str() : nullptr,
                          .gid_map = gid_map.c_str(),
                          .null_fd = null.get(),
                          .stdout_fd = out.write_end.get(),
                          .stderr_fd = err.write_end.get(),
                          .control_fd = control.read_end.get(),
                          .status_fd = status.write_end.get()};
    const pid_t pid = fork();
    if (pid < 0) {
      const int error = errno;
      throw SystemError(error, "cannot start a process");
    }
    // The copy of the control pipe's other end that the child got is closed there with the rest.
    if (pid == 0) run_sandbox_child(child);
    for (const Fd* fd : {&out.read_end, &err.read_end}) fcntl(fd->get(), F_SETFL, O_NONBLOCK);
    stdout_.fd = std::move(out.read_end);
    stderr_.fd = std::move(err.read_end);
    return pid;
  }

  std::chrono::milliseconds wait_for_output(std::chrono::milliseconds pause) const {
    std::array<pollfd, 2> fds{{{stdout_.fd.get(), POLLIN, 0}, {stderr_.fd.get(), POLLIN, 0}}};
    const int ready = poll(fds.data(), fds.size(), static_cast<int>(pause.count()));
    // Short pauses after output: its end often is the end of the program.
    return ready > 0 ? kFirstPause : std::min(pause * 2, kPollInterval);
  }

  bool over_limit() {
    for (const Capture* capture : {&stdout_, &stderr_}) {
      if (!capture->over) continue;
      end_.kind = ContainerEnd::Kind::output_limit;
      end_.reason = "wrote more than " + with_commas(capture->limit) + " bytes to " + capture->name;
      return true;
    }
    return false;
  }

  void end_at_deadline(SandboxProcess& process) {
    process.end();
    stdout_.drain();
    stderr_.drain();
    end_.kind = ContainerEnd::Kind::timed_out;
    end_.reason = "did not end within " +
                  with_commas(static_cast<std::uint64_t>(plan_.limits.timeout.count())) +
                  " seconds";
  }

  void finish(int code, const Fd& status) {
    stdout_.drain();
    stderr_.drain();
    SandboxFailure failure{};
    if (read(status.get(), &failure, sizeof(failure)) == sizeof(failure)) {
      end_.kind = ContainerEnd::Kind::not_started;
      end_.reason = what_failed(failure, plan_);
      end_.hint = hint_for(failure.step, plan_.user_namespace);
      return;
    }
    if (over_limit()) return;
    end_.kind = code > 128 && code <= 128 + SIGRTMAX ? ContainerEnd::Kind::signalled
                                                     : ContainerEnd::Kind::exited;
    end_.exit_code = code;
  }

  const SandboxPlan& plan_;
  ContainerEnd end_;
  Capture stdout_{"standard output", plan_.limits.stdout_bytes, {}, {}};
  Capture stderr_{"standard error", plan_.limits.stderr_bytes, {}, {}};
};

}  // namespace

ContainerEnd run_in_sandbox(const SandboxPlan& plan) { return Sandbox(plan).run(); }

}  // namespace img
