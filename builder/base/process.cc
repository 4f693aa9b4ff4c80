// SPDX-License-Identifier: Apache-2.0
// Runs programs through posix_spawn and collects what they print.
//
// posix_spawn instead of Boost.Process v2: version 1.81 of that forks (slow for a process with much
// memory), leaves a program that cannot be executed as a zombie, and ends its child by exit(),
// which runs our exit handlers a second time; its hook against that cannot be used, because the
// library looks for it with other arguments than it calls it with.
#include "builder/base/process.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval(50);  // how soon an interrupt is noticed
constexpr std::chrono::seconds kGrace(2);               // between SIGTERM and SIGKILL
constexpr std::size_t kTailLines = 12;

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

/// A descriptor above the standard ones, so that no dup2() in the child overwrites another.
Fd above_standard(Fd fd) {
  if (!fd || fd.get() > STDERR_FILENO) return fd;
  Fd moved(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved) {
    const int error = errno;
    throw SystemError(error, "cannot duplicate a file descriptor");
  }
  return moved;
}

/// The text as a file without a name: unlike a pipe it needs nobody to feed it.
Fd file_of(const std::string& text) {
  Fd fd(memfd_create("stdin", MFD_CLOEXEC));
  std::size_t done = 0;
  while (fd && done < text.size()) {
    const ssize_t count =
        pwrite(fd.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    done += static_cast<std::size_t>(count);
  }
  if (!fd || done < text.size()) {
    const int error = errno;
    throw SystemError(error, "cannot prepare the input of a program");
  }
  return fd;
}

Fd input_of(const ProcessSpec& spec) {
  if (!spec.stdin_file.empty()) return Fd::open(spec.stdin_file, O_RDONLY);
  if (!spec.stdin_text.empty()) return file_of(spec.stdin_text);
  return Fd::open("/dev/null", O_RDONLY);
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot create a pipe");
  }
  Pipe result{Fd(fds[0]), Fd(fds[1])};
  result.write_end = above_standard(std::move(result.write_end));
  // Only our end: the program must not meet a pipe that does not block.
  fcntl(result.read_end.get(), F_SETFL, O_NONBLOCK);
  return result;
}

/// argv or envp of the child; points into strings that outlive it.
std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) {
    if (text.find('\0') != std::string::npos) {
      throw InternalError("argument " + in_quotes(text) + " of a program contains a NUL byte");
    }
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// What posix_spawn is told to do in the child before it executes the program.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void connect(const Fd& fd, int target) {
    require(posix_spawn_file_actions_adddup2(&actions_, fd.get(), target));
  }

  void finish(const fs::path& cwd) {
    require(posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1));
    require(posix_spawn_file_actions_addchdir_np(&actions_, cwd.c_str()));
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    // Ignored signals (SIGPIPE) would stay ignored in the program.
    require(posix_spawnattr_setsigdefault(&attributes_, &all));
    require(posix_spawnattr_setsigmask(&attributes_, &none));
    require(posix_spawnattr_setpgroup(&attributes_, 0));
    require(posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP));
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  static void require(int error) {
    if (error != 0) throw SystemError(error, "cannot prepare the start of a program");
  }
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// A started program with its process group. Destroyed while it runs, it is stopped first.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), killed_with_us_(pid) {}
  ~Child() {
    if (!ended_) stop();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Exit code once it has ended; 128 + signal when one killed it.
  std::optional<int> poll_end() {
    siginfo_t info{};
    // WNOWAIT keeps the process id taken until its group has been signalled.
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
      const int error = errno;
      if (error == EINTR) return std::nullopt;
      ended_ = true;
      throw SystemError(error, "cannot wait for a program");
    }
    if (info.si_pid != pid_) return std::nullopt;
    kill(-pid_, SIGKILL);  // what it left running in the background
    reap();
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  }

 private:
  /// SIGTERM lets mmdebstrap unmount and apt free its locks.
  void stop() noexcept {
    kill(-pid_, SIGTERM);
    const Clock::time_point end = Clock::now() + kGrace;
    while (Clock::now() < end) {
      siginfo_t info{};
      const int result = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
      if ((result != 0 && errno != EINTR) || info.si_pid == pid_) break;
      poll(nullptr, 0, 5);
    }
    kill(-pid_, SIGKILL);
    reap();
  }

  void reap() noexcept {
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    ended_ = true;
  }

  pid_t pid_;
  bool ended_ = false;
  KilledWithUs killed_with_us_;
};

/// One captured output.
struct Capture {
  Fd fd;  // closed at the end of the output
  std::string text;
  std::size_t lines_from = 0;  // start of the line that is not complete yet
};

class Run {
 public:
  explicit Run(const ProcessSpec& spec) : spec_(spec) {}

  ProcessResult run() {
    const Clock::time_point end = Clock::now() + spec_.timeout;
    Child child(start());
    while (true) {
      check_interrupt();
      if (Clock::now() >= end) fail_timeout();
      wait_for_output();
      if (const std::optional<int> code = child.poll_end()) return finish(*code);
    }
  }

 private:
  const std::string& name() const { return spec_.argv.front(); }

  pid_t start() {
    if (spec_.argv.empty()) throw InternalError("no program given to run");
    const fs::path program = find();
    const Fd input = above_standard(input_of(spec_));
    Pipe out;
    if (spec_.stdout_file.empty()) {
      out = make_pipe();
    } else {
      out.write_end =
          above_standard(Fd::open(spec_.stdout_file, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    }
    Pipe err = make_pipe();
    SpawnPlan plan;
    plan.connect(input, STDIN_FILENO);
    plan.connect(out.write_end, STDOUT_FILENO);
    plan.connect(err.write_end, STDERR_FILENO);
    plan.finish(spec_.cwd);
    const pid_t pid = spawn(program, plan);
    stdout_.fd = std::move(out.read_end);
    stderr_.fd = std::move(err.read_end);
    return pid;
  }

  fs::path find() const {
    if (name().find('/') != std::string::npos) return name();
    if (const std::optional<fs::path> path = find_program(name())) return *path;
    throw UnavailableError("cannot find program " + in_quotes(name()));
  }

  pid_t spawn(const fs::path& program, const SpawnPlan& plan) const {
    std::vector<std::string> arguments = spec_.argv;
    std::vector<std::string> variables;
    for (const auto& [key, value] : spec_.env) variables.push_back(key + "=" + value);
    const std::vector<char*> argv = pointers_to(arguments);
    const std::vector<char*> envp = pointers_to(variables);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, program.c_str(), plan.actions(), plan.attributes(),
                                  argv.data(), envp.data());
    if (error == 0) return pid;
    // The same ENOENT is given for a missing folder.
    const bool folder_missing = access(spec_.cwd.c_str(), X_OK) != 0;
    throw UnavailableError(
        SystemError(error,
                    "cannot run " + in_quotes(program.string()) +
                        (folder_missing ? " in folder " + in_quotes(spec_.cwd.string()) : ""))
            .text());
  }

  void wait_for_output() {
    std::array<pollfd, 2> fds{{{stdout_.fd.get(), POLLIN, 0}, {stderr_.fd.get(), POLLIN, 0}}};
    const int ready = poll(fds.data(), fds.size(), static_cast<int>(pause_.count()));
    // Short pauses after output: its end often is the end of the program.
    pause_ = ready > 0 ? kFirstPause : std::min(pause_ * 2, kPollInterval);
    if (ready <= 0) return;
    drain(stdout_);
    drain(stderr_);
    report_lines(false);
  }

  /// Reads what is there now.
  void drain(Capture& capture) {
    std::array<char, 64 * 1024> buffer;
    while (capture.fd) {
      const ssize_t count = read(capture.fd.get(), buffer.data(), buffer.size());
      if (count < 0) {
        const int error = errno;
        if (error == EAGAIN) return;
        if (error == EINTR) continue;
        throw SystemError(error, "cannot read the output of " + in_quotes(name()));
      }
      if (count == 0) {
        capture.fd.reset();
        return;
      }
      keep(capture, {buffer.data(), static_cast<std::size_t>(count)});
    }
  }

  void keep(Capture& capture, std::string_view text) const {
    if (text.size() > spec_.output_limit - capture.text.size()) {
      throw UnavailableError(
          ErrorText{"program " + in_quotes(name()) + " printed more than allowed",
                    {{"limit", with_commas(spec_.output_limit) + " bytes"}}});
    }
    capture.text += text;
  }

  void report_lines(bool at_end) {
    if (!spec_.on_stderr_line) return;
    while (true) {
      const std::size_t newline = stderr_.text.find('\n', stderr_.lines_from);
      const bool last = newline == std::string::npos;
      if (last && (!at_end || stderr_.lines_from == stderr_.text.size())) return;
      const std::string_view rest = std::string_view(stderr_.text).substr(stderr_.lines_from);
      const std::string_view line = rest.substr(0, newline - stderr_.lines_from);
      stderr_.lines_from += last ? line.size() : line.size() + 1;
      spec_.on_stderr_line(line);
    }
  }

  /// Outputs that a daemon still holds open are not waited for.
  ProcessResult finish(int code) {
    drain(stdout_);
    drain(stderr_);
    report_lines(true);
    return {code, std::move(stdout_.text), std::move(stderr_.text)};
  }

  [[noreturn]] void fail_timeout() const;

  static constexpr std::chrono::milliseconds kFirstPause{1};
  const ProcessSpec& spec_;
  Capture stdout_;
  Capture stderr_;
  std::chrono::milliseconds pause_{kFirstPause};
};

/// The last lines of what a program said, one detail each.
std::vector<ErrorDetail> tail_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view trimmed = trim(line);
    if (!trimmed.empty()) lines.emplace_back(trimmed);
  }
  const std::size_t from = lines.size() - std::min(lines.size(), kTailLines);
  std::vector<ErrorDetail> details;
  for (std::size_t i = from; i < lines.size(); ++i) {
    details.push_back({details.empty() ? "stderr" : "", lines[i]});
  }
  return details;
}

void Run::fail_timeout() const {
  throw UnavailableError(
      ErrorText{"program " + in_quotes(name()) + " did not end within " +
                    with_commas(static_cast<std::uint64_t>(spec_.timeout.count())) + " seconds",
                tail_of(stderr_.text)});
}

std::string ending(int exit_code) {
  if (exit_code <= 128) return "exited with code " + std::to_string(exit_code);
  const int number = exit_code - 128;
  const char* const name = sigdescr_np(number);
  if (name == nullptr) return "exited with code " + std::to_string(exit_code);
  return "was ended by signal " + std::to_string(number) + " (" + name + ")";
}

bool is_program(const fs::path& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

ProcessResult run_process(const ProcessSpec& spec) { return Run(spec).run(); }

ProcessResult run_checked(const ProcessSpec& spec, const std::string& what) {
  ProcessResult result = run_process(spec);
  if (result.exit_code == 0) return result;
  check_interrupt();  // then the program has not failed by itself
  throw UnavailableError(
      ErrorText{what + ": program " + in_quotes(spec.argv.front()) + " " + ending(result.exit_code),
                tail_of(result.stderr_text)});
}

std::optional<fs::path> find_program(std::string_view name) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string_view::npos) {
    return is_program(name) ? std::optional(fs::absolute(name)) : std::nullopt;
  }
  const char* const variable = std::getenv("PATH");
  std::vector<std::string> folders = split(variable != nullptr ? variable : "/usr/bin:/bin", ':');
  folders.insert(folders.end(), {"/usr/sbin", "/sbin"});
  for (const std::string& folder : folders) {
    // Relative ones (also the empty one, the current folder) would make the result depend on it.
    if (!folder.starts_with("/")) continue;
    const fs::path path = fs::path(folder) / name;
    if (is_program(path)) return path;
  }
  return std::nullopt;
}

fs::path require_program(std::string_view name, std::string_view how_to_install) {
  if (std::optional<fs::path> path = find_program(name)) return *path;
  const bool is_package = how_to_install.find_first_of(" /") == std::string_view::npos;
  throw UnavailableError(
      ErrorText{.message = "cannot find program '" + std::string(name) + "'",
                .hint = "install it: " + std::string(is_package ? "apt-get install " : "") +
                        std::string(how_to_install)});
}

}  // namespace img
