// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM: a flag that long work polls.
#pragma once

namespace img {

/// Installs handlers for SIGINT and SIGTERM; the second signal ends the process at once. SIGPIPE is
/// ignored. Call once, from main.
void install_interrupt_handlers();

/// Throws InterruptedError when a signal has arrived. Long loops call it at least every 100 ms.
void check_interrupt();
bool interrupted() noexcept;

/// While it lives, a second signal (which ends this process at once) kills this process group too.
class KilledWithUs {
 public:
  explicit KilledWithUs(int process_group) noexcept;
  ~KilledWithUs();
  KilledWithUs(const KilledWithUs&) = delete;
  KilledWithUs& operator=(const KilledWithUs&) = delete;

 private:
  int slot_;
};

}  // namespace img
