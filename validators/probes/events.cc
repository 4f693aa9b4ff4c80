// SPDX-License-Identifier: Apache-2.0
// The NDJSON writer of the probes: no library but libc.
#include "validators/probes/events.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr std::size_t kLongestText = 8192;
int descriptor = STDOUT_FILENO;

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(74);  // nobody listens: there is no one to tell
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Bytes of the UTF-8 sequence at the start of `text`; 0 when it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool beyond = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || beyond ? 0 : length;
}

void append_escaped(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto c = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      line += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      line += '\\';
      line += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
      line += escape.data();
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace

void start(std::string_view probe) {
  const int kept = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
  if (kept >= 0) {
    descriptor = kept;
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  Event("start").text("probe", probe).integer("monotonic_ns", monotonic_ns()).emit();
}

void end() { Event("end").emit(); }

int event_descriptor() { return descriptor; }

Event::Event(std::string_view name) : line_("{\"event\":\"") {
  append_escaped(line_, name);
  line_ += '"';
}

void Event::key(std::string_view name) {
  line_ += ",\"";
  append_escaped(line_, name);
  line_ += "\":";
}

Event& Event::text(std::string_view name, std::string_view value) {
  key(name);
  line_ += '"';
  append_escaped(line_, value.substr(0, kLongestText));
  line_ += '"';
  return *this;
}

Event& Event::integer(std::string_view name, std::int64_t value) {
  key(name);
  line_ += std::to_string(value);
  return *this;
}

Event& Event::number(std::string_view name, double value) {
  key(name);
  if (!std::isfinite(value)) {
    line_ += "null";
    return *this;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.17g", value);
  line_ += text.data();
  return *this;
}

Event& Event::flag(std::string_view name, bool value) {
  key(name);
  line_ += value ? "true" : "false";
  return *this;
}

void Event::emit() { write_all(line_ + "}\n"); }

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace probe
