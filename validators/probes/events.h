// SPDX-License-Identifier: Apache-2.0
// Writes what a probe sees: one JSON object a line, on the standard output that it was started
// with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace probe {

/// Takes standard output for events alone, so that nothing a library prints gets between them (it
/// goes to standard error), and writes {"event":"start","probe":…,"monotonic_ns":…}. Once, first.
void start(std::string_view probe);
/// {"event":"end"}: everything was written.
void end();
/// The descriptor of events; closed on exec.
int event_descriptor();

/// One event. Each is written whole by one call, so that children may write too.
class Event {
 public:
  explicit Event(std::string_view name);
  /// Bytes that are no UTF-8 become U+FFFD; text beyond 8 KiB is cut.
  Event& text(std::string_view key, std::string_view value);
  Event& integer(std::string_view key, std::int64_t value);
  Event& number(std::string_view key, double value);  ///< null when not finite
  Event& flag(std::string_view key, bool value);
  void emit();

 private:
  void key(std::string_view name);
  std::string line_;
};

/// Nanoseconds of the monotonic clock, which all processes of a machine share.
std::int64_t monotonic_ns();

}  // namespace probe
