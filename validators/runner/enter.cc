// SPDX-License-Identifier: Apache-2.0
// The first process of a container: starts a program as a user, waits for it, and tells its end.
//
//   enter                              ends at once with 0: proves that a container starts
//   enter UID GID PROGRAM [ARGUMENT…]  runs PROGRAM and ends as it did (128 + signal)
//
// As the first process PROGRAM would not die of its own abort(), could not be stopped, and had to
// wait for children of others. And a rootless container has one id, which runtimes insist is
// root's: when this process has not the ids that were asked for, it takes them by one more user
// namespace, which needs no privilege. It runs in any image, so it needs nothing: no libc, no
// loader, no memory but its stack.

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "no system calls for this machine"
#endif

namespace {

#if defined(__x86_64__)
enum Call : long {
  kWrite = 1,
  kClose = 3,
  kClone = 56,
  kExecve = 59,
  kWait4 = 61,
  kGetuid = 102,
  kGetgid = 104,
  kExit = 231,
  kOpenat = 257,
  kUnshare = 272
};

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  long result = 0;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}
#else
enum Call : long {
  kOpenat = 56,
  kClose = 57,
  kWrite = 64,
  kExit = 94,
  kUnshare = 97,
  kGetuid = 174,
  kGetgid = 176,
  kClone = 220,
  kExecve = 221,
  kWait4 = 260
};

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#endif

constexpr long kCurrentFolder = -100;  // AT_FDCWD
constexpr long kWriteOnly = 1;         // O_WRONLY
constexpr long kNewUser = 0x10000000;  // CLONE_NEWUSER
constexpr long kChildSignal = 17;      // SIGCHLD
constexpr long kInterrupted = -4;      // EINTR
constexpr long kCannotStart = 125;
constexpr long kMaxNumber = 10;  // digits of an id

long length_of(const char* text) {
  long length = 0;
  while (text[length] != 0) ++length;
  return length;
}

[[noreturn]] void fail(const char* what) {
  call(kWrite, 2, reinterpret_cast<long>(what), length_of(what));
  call(kExit, kCannotStart);
  __builtin_unreachable();
}

void put(const char* path, const char* text, long length, const char* problem) {
  const long file = call(kOpenat, kCurrentFolder, reinterpret_cast<long>(path), kWriteOnly);
  if (file < 0) fail(problem);
  if (call(kWrite, file, reinterpret_cast<long>(text), length) != length) fail(problem);
  call(kClose, file);
}

/// "<id> 0 1": the id that was asked for is the one that there is.
void map(const char* path, const char* id, const char* problem) {
  char text[kMaxNumber + 4];
  long length = length_of(id);
  if (length > kMaxNumber) fail(problem);
  for (long i = 0; i < length; ++i) text[i] = id[i];
  for (const char* rest = " 0 1"; *rest != 0; ++rest) text[length++] = *rest;
  put(path, text, length, problem);
}

/// True when `id` is the decimal text of `number`.
bool is_number(const char* id, long number) {
  long value = 0;
  for (const char* digit = id; *digit != 0; ++digit) value = value * 10 + (*digit - '0');
  return value == number;
}

void take_ids(const char* uid, const char* gid) {
  if (is_number(uid, call(kGetuid)) && is_number(gid, call(kGetgid))) return;
  if (call(kUnshare, kNewUser) != 0) fail("enter: cannot make a user namespace\n");
  put("/proc/self/setgroups", "deny", 4, "enter: cannot give up groups\n");
  map("/proc/self/uid_map", uid, "enter: cannot map the user id\n");
  map("/proc/self/gid_map", gid, "enter: cannot map the group id\n");
}

/// Waits for every process that ends, and ends with the code of `child`.
[[noreturn]] void wait_for(long child) {
  while (true) {
    int status = 0;
    const long ended = call(kWait4, -1, reinterpret_cast<long>(&status), 0, 0);
    if (ended == child) {
      const int signal = status & 0x7f;
      call(kExit, signal == 0 ? (status >> 8) & 0xff : 128 + signal);
    }
    if (ended < 0 && ended != kInterrupted) call(kExit, kCannotStart);
  }
}

}  // namespace

extern "C" [[noreturn]] void enter(long* stack) {
  const long count = stack[0];
  char** const arguments = reinterpret_cast<char**>(stack + 1);
  char** const environment = arguments + count + 1;
  if (count == 1) {
    call(kExit, 0);
    __builtin_unreachable();
  }
  if (count < 4) fail("enter: wrong arguments\n");
  take_ids(arguments[1], arguments[2]);
  const long child = call(kClone, kChildSignal);
  if (child < 0) fail("enter: cannot start a process\n");
  if (child > 0) wait_for(child);
  call(kExecve, reinterpret_cast<long>(arguments[3]), reinterpret_cast<long>(arguments + 3),
       reinterpret_cast<long>(environment));
  fail("enter: cannot start the program\n");
}

#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call enter\n");
#else
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x0, sp\n"
    "  bl enter\n");
#endif
