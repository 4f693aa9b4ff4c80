// SPDX-License-Identifier: Apache-2.0
// A static program that the tests start in a probe's place; its first argument says how it behaves.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace {

void start_event() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  std::printf("{\"event\":\"start\",\"monotonic_ns\":%lld}\n",
              now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}
void end_event() { std::printf("{\"event\":\"end\"}\n"); }

void say(const char* name, const std::string& value) {
  std::printf("{\"event\":\"%s\",\"value\":\"%s\"}\n", name, value.c_str());
}
/// "ok", or the name of the error.
void say_result(const char* name, long result) {
  say(name, result >= 0 ? "ok" : strerrorname_np(errno));
}

std::string status_line(const char* key) {
  FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  std::string found;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, key, std::strlen(key)) != 0) continue;
    found = line + std::strlen(key) + 1;
    while (!found.empty() && std::isspace(found.back())) found.pop_back();
    while (!found.empty() && std::isspace(found.front())) found.erase(0, 1);
  }
  return found;
}

std::string names_in(const char* folder) {
  std::string names;
  DIR* dir = opendir(folder);
  if (dir == nullptr) return strerrorname_np(errno);
  const std::string own = std::to_string(dirfd(dir));
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name != own) names += name + " ";
  }
  closedir(dir);
  return names;
}

int look_around() {
  char folder[4096] = "";
  say("uid", std::to_string(getuid()));
  say("gid", std::to_string(getgid()));
  say("cwd", getcwd(folder, sizeof folder) != nullptr ? folder : strerrorname_np(errno));
  say("descriptors", names_in("/proc/self/fd"));
  say("interfaces", names_in("/sys/class/net"));
  say("capabilities", status_line("CapEff:") + " " + status_line("CapBnd:"));
  say("no-new-privileges", status_line("NoNewPrivs:"));
  say("seccomp", status_line("Seccomp:"));
  say("pid", std::to_string(getpid()));
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  say("core", std::to_string(core.rlim_max));
  const char* value = std::getenv("CALL");
  say("env-call", value != nullptr ? value : "");
  value = std::getenv("IMAGE");
  say("env-image", value != nullptr ? value : "");
  say("env-unset", std::getenv("GONE") == nullptr ? "unset" : "set");
  struct stat info {};
  stat("/.imgcheck", &info);
  say_result("passwd", access("/etc/passwd", R_OK));
  return 0;
}

int try_to_write() {
  say_result("root", open("/new", O_CREAT | O_WRONLY, 0600));
  say_result("bundle", open("/.imgcheck/new", O_CREAT | O_WRONLY, 0600));
  say_result("image", open("/etc/file", O_WRONLY));
  say_result("sysctl", open("/proc/sys/kernel/hostname", O_WRONLY));
  say_result("sysrq", open("/proc/sysrq-trigger", O_WRONLY));
  say_result("sys", open("/sys/kernel/mm/transparent_hugepage/enabled", O_WRONLY));
  say_result("dev", open("/dev/new", O_CREAT | O_WRONLY, 0600));
  say_result("tmp", open("/tmp/new", O_CREAT | O_WRONLY, 0600));
  say_result("kcore", [] {
    const int fd = open("/proc/kcore", O_RDONLY);
    char byte = 0;
    return fd < 0 ? fd : static_cast<int>(read(fd, &byte, 1)) == 1 ? 0 : (errno = EPERM, -1);
  }());
  return 0;
}

int try_to_get_out() {
  say_result("mount", mount("tmpfs", "/tmp", "tmpfs", 0, nullptr));
  say_result("mknod", mknod("/tmp/disk", S_IFBLK | 0600, (8 << 8) | 0));
  say_result("chroot", chroot("/tmp"));
  say_result("setuid", setuid(0));
  say_result("bpf", syscall(SYS_bpf, 0, nullptr, 0));
  say_result("keyctl", syscall(SYS_keyctl, 0, 0));
  say_result("ptrace", syscall(SYS_ptrace, 0, 0, 0, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(0xC0000201);  // 192.0.2.1, for documentation
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  say_result("connect", connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  return 0;
}

/// What there is: "file <first bytes>", "folder", "device c 1:3 <readable>", or the error's name.
std::string what_is(const char* path) {
  struct stat info {};
  if (stat(path, &info) != 0) return strerrorname_np(errno);
  if (S_ISDIR(info.st_mode)) return "folder";
  char text[16] = "";
  const int fd = open(path, O_RDONLY);
  const bool good = fd >= 0 && read(fd, text, sizeof text - 1) >= 0;
  const std::string result = good ? "" : strerrorname_np(errno);
  close(fd);
  if (S_ISCHR(info.st_mode)) {
    return "device " + std::to_string(major(info.st_rdev)) + ":" +
           std::to_string(minor(info.st_rdev)) + " " + (good ? "ok" : result);
  }
  // Of a program only its magic number, which JSON takes.
  return good ? "file " + std::string(text[0] == 0x7f ? "ELF" : text) : result;
}

/// Paths and NAME= of variables.
int see(int count, char** names) {
  for (int i = 0; i < count; ++i) {
    std::string name = names[i];
    if (name.back() != '=') {
      say(names[i], what_is(names[i]));
      say_result(("write " + name).c_str(), open(names[i], O_WRONLY));
      continue;
    }
    name.pop_back();
    const char* value = std::getenv(name.c_str());
    say(names[i], value != nullptr ? value : "unset");
  }
  return 0;
}

[[noreturn]] void fork_bomb() {
  while (true) {
    if (fork() < 0) usleep(1000);
  }
}

[[noreturn]] void endless_output(int fd) {
  const std::string line(4096, 'x');
  while (write(fd, line.data(), line.size()) >= 0) {
  }
  _exit(0);
}

/// Leaves a process in a session of its own that keeps standard output open.
int leave_a_daemon() {
  if (fork() == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    pause();
    _exit(0);
  }
  return 0;
}

int use_memory(unsigned long long bytes) {
  for (unsigned long long done = 0; done < bytes; done += 16 << 20) {
    void* block = std::malloc(16 << 20);
    if (block == nullptr) return 9;
    std::memset(block, 1, 16 << 20);
  }
  return 0;
}

int tell_lies() {
  std::printf("{\"event\":\"start\",\"monotonic_ns\":1}\n");
  std::printf("{\"event\":\"end\"}\n{\"event\":\"pass\"}\nnot json\n{\"event\":\n");
  std::printf("[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");
  std::printf("{\"event\":\"x\",\"event\":\"y\"}\n\xff\xfe{\"event\":\"utf\"}\n");
  std::fprintf(stderr, "\x1b[2Jred \xff line\nnext\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "lies") return tell_lies();
  start_event();
  int code = 0;
  if (mode == "look") code = look_around();
  if (mode == "write") code = try_to_write();
  if (mode == "out") code = try_to_get_out();
  if (mode == "exit") code = std::atoi(argv[2]);
  if (mode == "daemon") code = leave_a_daemon();
  if (mode == "memory") code = use_memory(std::strtoull(argv[2], nullptr, 10));
  if (mode == "see") code = see(argc - 2, argv + 2);
  if (mode == "arguments") {
    for (int i = 0; i < argc; ++i) say("argument", argv[i]);
  }
  std::fflush(stdout);
  if (mode == "abort") std::abort();
  if (mode == "sleep") pause();
  if (mode == "stop") raise(SIGSTOP);
  if (mode == "fork-bomb") fork_bomb();
  if (mode == "endless") endless_output(STDOUT_FILENO);
  if (mode == "endless-error") endless_output(STDERR_FILENO);
  end_event();
  std::fflush(stdout);
  return code;
}
