// SPDX-License-Identifier: Apache-2.0
// Children with pipes, a deadline and a bound on what they may write.
#include "validators/inside/run_call.h"

#include "builder/base/text.h"
#include "validators/judge/event_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::size_t kTail = 4096;

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// Both ends of a pipe, closed at the end of scope.
struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
      read_end = ends[0];
      write_end = ends[1];
    }
  }
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

/// Environment and arguments are made before the fork: the child only calls what is safe there.
struct Image {
  explicit Image(const LimitedProgram& program) {
    for (const std::string& argument : program.argv) texts.push_back(argument);
    const std::size_t arguments = texts.size();
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view assignment = *entry;
      const std::string name(assignment.substr(0, assignment.find('=')));
      const bool removed =
          std::find(program.unset.begin(), program.unset.end(), name) != program.unset.end();
      if (!removed && !program.env.contains(name)) texts.emplace_back(assignment);
    }
    for (const auto& [name, value] : program.env) texts.push_back(name + "=" + value);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i == arguments) pointers.push_back(nullptr);
      pointers.push_back(texts[i].data());
    }
    if (arguments == texts.size()) pointers.push_back(nullptr);
    pointers.push_back(nullptr);
    envp = pointers.data() + arguments + 1;
  }
  std::vector<std::string> texts;
  std::vector<char*> pointers;
  char** envp = nullptr;
};

[[noreturn]] void become(const Image& image, const Pipe& out, const Pipe& err) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(out.write_end, STDOUT_FILENO);
  ::dup2(err.write_end, STDERR_FILENO);
  ::execve(image.pointers[0], image.pointers.data(), image.envp);
  ::_exit(errno == ENOENT ? 127 : 126);
}

/// Reads what is there; false at the end of the stream.
bool drain(int descriptor, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  text.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

/// Takes both streams until they end, the deadline comes or too much was written.
RunEnd read_until_end(const LimitedProgram& program, Pipe& out, Pipe& err, ProgramRun& run) {
  const std::int64_t deadline = run.began_ns + program.timeout.count() * 1'000'000'000;
  while (out.read_end >= 0 || err.read_end >= 0) {
    const std::int64_t left = (deadline - now_ns()) / 1'000'000;
    if (left <= 0) return RunEnd::timed_out;
    std::array<pollfd, 2> ready{{{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), static_cast<int>(std::min<std::int64_t>(left, 1000))) <=
        0) {
      continue;
    }
    if (ready[0].revents != 0 && !drain(out.read_end, run.stdout_text)) {
      Pipe::close_end(out.read_end);
    }
    if (ready[1].revents != 0 && !drain(err.read_end, run.stderr_tail)) {
      Pipe::close_end(err.read_end);
    }
    if (run.stdout_text.size() > program.stdout_bytes) return RunEnd::output_limit;
    if (run.stderr_tail.size() > 16 * kTail) {
      run.stderr_tail.erase(0, run.stderr_tail.size() - kTail);
    }
  }
  return RunEnd::exited;
}

void finish(pid_t child, RunEnd end, const LimitedProgram& program, ProgramRun& run) {
  ::kill(-child, SIGKILL);  // the streams have ended: what is left is not wanted
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  run.end = end;
  if (end == RunEnd::timed_out) {
    run.reason = std::to_string(program.timeout.count()) + " s";
  } else if (end == RunEnd::output_limit) {
    run.reason = "more than " + with_commas(program.stdout_bytes) + " bytes";
  } else if (WIFSIGNALED(status)) {
    run.end = RunEnd::signalled;
    run.exit_code = 128 + WTERMSIG(status);
  } else {
    run.exit_code = WEXITSTATUS(status);
  }
}

/// Seconds from the making of the process to the probe's first event, which has a clock in it.
double start_seconds(const ProbeRun& run, std::int64_t began_ns) {
  if (run.events.empty() || !is_event(run.events.front(), "start")) return 0;
  const std::optional<std::int64_t> started = integer_of(run.events.front(), "monotonic_ns");
  if (!started || *started < began_ns || *started > now_ns()) return 0;
  return static_cast<double>(*started - began_ns) / 1e9;
}

}  // namespace

ProgramRun run_limited(const LimitedProgram& program) {
  ProgramRun run;
  run.began_ns = now_ns();
  Pipe out, err;
  const Image image(program);
  if (out.read_end < 0 || err.read_end < 0) {
    run.reason = std::string("no pipe: ") + ::strerror(errno);
    return run;
  }
  const pid_t child = ::fork();
  if (child == 0) become(image, out, err);
  if (child < 0) {
    run.reason = std::string("no process: ") + ::strerror(errno);
    return run;
  }
  ::setpgid(child, child);  // here too: it may be killed before it did that itself
  Pipe::close_end(out.write_end);
  Pipe::close_end(err.write_end);
  RunEnd end = read_until_end(program, out, err, run);
  // A program that closed its streams may still have work to do, and leave with its own code.
  const std::int64_t deadline = run.began_ns + program.timeout.count() * 1'000'000'000;
  siginfo_t info{};
  while (end == RunEnd::exited &&
         ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
         info.si_pid == 0) {
    if (now_ns() > deadline) end = RunEnd::timed_out;
    const timespec pause{0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  finish(child, end, program, run);
  run.seconds = static_cast<double>(now_ns() - run.began_ns) / 1e9;
  if (run.stderr_tail.size() > kTail) {
    run.stderr_tail.erase(0, run.stderr_tail.size() - kTail);
  }
  return run;
}

ProbeRun run_call(const std::string& bundle, const ProbeCall& call) {
  LimitedProgram program{.argv = {bundle + "/" + call.probe},
                         .env = call.env,
                         .unset = call.unset,
                         .timeout = call.timeout};
  program.argv.insert(program.argv.end(), call.arguments.begin(), call.arguments.end());
  const ProgramRun ended = run_limited(program);
  ProbeRun run;
  run.probe = call.probe;
  run.label = call.label;
  run.end = ended.end;
  run.exit_code = ended.exit_code;
  run.reason = ended.reason;
  run.stderr_tail = ended.stderr_tail;
  run.seconds = ended.seconds;
  read_events(ended.stdout_text, run);
  run.start_seconds = start_seconds(run, ended.began_ns);
  return run;
}

}  // namespace img
