// SPDX-License-Identifier: Apache-2.0
// Signal handlers that set a flag, and the flag.
#include "builder/base/interrupt.h"

#include "builder/base/error.h"

#include <array>
#include <atomic>
#include <csignal>

#include <signal.h>
#include <unistd.h>

namespace img {
namespace {

/// The first signal that arrived; lock-free, so the handler may write it.
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

/// Process groups of running programs; 0 is a free slot. More than these are not killed, only the
/// pipes they write to break.
std::array<std::atomic<int>, 64> groups{};

extern "C" void on_signal(int number) {
  int none = 0;
  if (first_signal.compare_exchange_strong(none, number)) return;
  // The second one means "now". Unwinding is not possible here; the kernel drops the locks.
  for (const std::atomic<int>& group : groups) {
    if (const int id = group.load()) kill(-id, SIGKILL);
  }
  _exit(128 + number);
}

void install(int number) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a blocking call returns, so that its loop can look at the flag.
  sigaction(number, &action, nullptr);
}

}  // namespace

void install_interrupt_handlers() {
  install(SIGINT);
  install(SIGTERM);
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() noexcept { return first_signal.load(std::memory_order_relaxed) != 0; }

void check_interrupt() {
  const int number = first_signal.load(std::memory_order_relaxed);
  if (number == 0) return;
  throw InterruptedError(number == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
}

KilledWithUs::KilledWithUs(int process_group) noexcept : slot_(-1) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    int free = 0;
    if (!groups[i].compare_exchange_strong(free, process_group)) continue;
    slot_ = static_cast<int>(i);
    return;
  }
}

KilledWithUs::~KilledWithUs() {
  if (slot_ >= 0) groups[static_cast<std::size_t>(slot_)] = 0;
}

}  // namespace img
