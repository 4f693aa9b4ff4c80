// SPDX-License-Identifier: Apache-2.0
// The first program of a container: starts another under a user id that its user namespace lacks.
//
//   enter                              ends at once with 0: proves that a container starts
//   enter UID GID PROGRAM [ARGUMENT…]  runs PROGRAM as UID and GID in a user namespace of its own
//
// A rootless container has one id, and runtimes insist that it is root's. What runs here gets the
// id that was asked for by one more user namespace around it, which needs no privilege. Runs in
// any image, so it needs nothing: no libc, no loader, no memory but its stack.

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "no system calls for this machine"
#endif

namespace {

#if defined(__x86_64__)
enum Call : long {
  kWrite = 1,
  kClose = 3,
  kExecve = 59,
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
  kWrite = 64,
  kClose = 57,
  kExecve = 221,
  kExit = 94,
  kOpenat = 56,
  kUnshare = 97
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
  if (call(kUnshare, kNewUser) != 0) fail("enter: cannot make a user namespace\n");
  put("/proc/self/setgroups", "deny", 4, "enter: cannot give up groups\n");
  map("/proc/self/uid_map", arguments[1], "enter: cannot map the user id\n");
  map("/proc/self/gid_map", arguments[2], "enter: cannot map the group id\n");
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
