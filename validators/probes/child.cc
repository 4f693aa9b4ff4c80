// SPDX-License-Identifier: Apache-2.0
// Children with a time limit of their own, their standard error kept in memory.
#include "validators/probes/child.h"

#include "validators/probes/events.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr std::size_t kTail = 4096;
constexpr std::size_t kOutput = 4 << 20;

/// A file in memory, or /dev/null where the kernel refuses one.
int memory_file(const char* name) {
  const int descriptor = ::memfd_create(name, MFD_CLOEXEC);
  return descriptor >= 0 ? descriptor : ::open("/dev/null", O_RDWR | O_CLOEXEC);
}

std::string content(int descriptor, bool tail, std::size_t limit) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  if (size <= 0) return {};
  const auto length = std::min<std::size_t>(static_cast<std::size_t>(size), limit);
  std::string text(length, '\0');
  const off_t from = tail ? size - static_cast<off_t>(length) : 0;
  const ssize_t got = ::pread(descriptor, text.data(), length, from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Blocks SIGCHLD while it lives, so that waiting for it can have a time limit without a race.
class ChildSignal {
 public:
  ChildSignal() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  ~ChildSignal() { restore(); }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;
  void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  /// Waits for the child or the deadline; false at the deadline.
  bool wait(pid_t child, std::int64_t deadline_ns, int& status, rusage& usage) const {
    while (true) {
      const pid_t ended = ::wait4(child, &status, WNOHANG, &usage);
      if (ended == child) return true;
      if (ended < 0 && errno != EINTR) return true;
      const std::int64_t left = deadline_ns - monotonic_ns();
      if (left <= 0) return false;
      const timespec timeout{static_cast<time_t>(left / 1'000'000'000),
                             static_cast<long>(left % 1'000'000'000)};
      ::sigtimedwait(&set_, nullptr, &timeout);
    }
  }

 private:
  sigset_t set_{}, before_{};
};

/// What the child does before its own work: dies with the parent, has its own group, own output.
void become_child(const ChildSignal& signal, int output, int errors) {
  signal.restore();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
}

/// A child that was started, and where its output goes.
struct Started {
  pid_t pid = -1;
  int output = -1, errors = -1;
  std::int64_t began = 0;
};

Started start_child(const std::function<int()>& body, const ChildSignal& signal) {
  Started started{.output = memory_file("stdout"), .errors = memory_file("stderr")};
  started.began = monotonic_ns();
  started.pid = ::fork();
  if (started.pid == 0) {
    become_child(signal, started.output, started.errors);
    ::_exit(body());
  }
  return started;
}

void wait_for(const Started& started, const ChildSignal& signal, std::chrono::seconds timeout,
              ChildEnd& end) {
  int status = 0;
  rusage usage{};
  const std::int64_t deadline = started.began + timeout.count() * 1'000'000'000;
  const bool in_time = signal.wait(started.pid, deadline, status, usage);
  end.seconds = static_cast<double>(monotonic_ns() - started.began) / 1e9;
  ::kill(-started.pid, SIGKILL);  // what it left behind goes with it
  if (!in_time) ::wait4(started.pid, &status, 0, &usage);
  end.kind = !in_time              ? ChildEnd::Kind::timed_out
             : WIFSIGNALED(status) ? ChildEnd::Kind::signalled
                                   : ChildEnd::Kind::exited;
  end.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  end.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  end.minor_faults = usage.ru_minflt;
  end.major_faults = usage.ru_majflt;
  end.read_bytes = static_cast<std::int64_t>(usage.ru_inblock) * 512;
  end.max_rss_bytes = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

ChildEnd finish_child(const Started& started, const ChildSignal& signal,
                      std::chrono::seconds timeout) {
  ChildEnd end;
  if (started.pid < 0) {
    end.code = 71;
    end.stderr_tail = "cannot start a process";
  } else {
    wait_for(started, signal, timeout, end);
    end.stderr_tail = content(started.errors, true, kTail);
    end.output = content(started.output, false, kOutput);
  }
  ::close(started.output);
  ::close(started.errors);
  return end;
}

int execute(const Program& program) {
  std::vector<char*> argv;
  for (const std::string& argument : program.argv) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  for (const std::string& assignment : program.env) {
    ::putenv(const_cast<char*>(assignment.c_str()));
  }
  if (program.writes_events) ::dup2(event_descriptor(), 3);
  if (program.errors_in_output) ::dup2(STDOUT_FILENO, STDERR_FILENO);
  ::execv(argv[0], argv.data());
  return 127;
}

/// The last line that is not empty: where Python and the loader say what went wrong.
std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string_view end_name(ChildEnd::Kind kind) {
  switch (kind) {
    case ChildEnd::Kind::exited:
      return "exited";
    case ChildEnd::Kind::signalled:
      return "signalled";
    case ChildEnd::Kind::timed_out:
      break;
  }
  return "timed_out";
}

}  // namespace

ChildEnd run_forked(const std::function<int()>& body, std::chrono::seconds timeout) {
  const ChildSignal signal;
  return finish_child(start_child(body, signal), signal, timeout);
}

ChildEnd run_program(const Program& program) {
  return run_forked([&] { return execute(program); }, program.timeout);
}

std::vector<ChildEnd> run_group(int count, const std::function<int(int)>& body,
                                std::chrono::seconds timeout) {
  const ChildSignal signal;
  std::vector<Started> started;
  for (int i = 0; i < count; ++i) started.push_back(start_child([&] { return body(i); }, signal));
  std::vector<ChildEnd> ends;
  for (const Started& one : started) ends.push_back(finish_child(one, signal, timeout));
  return ends;
}

std::string why_ill(const ChildEnd& end) {
  if (end.good()) return {};
  if (end.kind == ChildEnd::Kind::timed_out) return "does not end in time";
  if (end.kind == ChildEnd::Kind::signalled) return "dies of signal " + std::to_string(end.code);
  const std::string line = last_line(end.stderr_tail);
  return line.empty() ? "ends with exit code " + std::to_string(end.code) : line;
}

void report(std::string_view of, const ChildEnd& end) {
  Event event("child");
  event.text("of", of)
      .text("end", end_name(end.kind))
      .integer("code", end.code)
      .number("seconds", end.seconds);
  if (!end.good()) event.text("stderr", end.stderr_tail);
  event.emit();
}

}  // namespace probe
