// SPDX-License-Identifier: Apache-2.0
// What the fake GPU libraries share: they compute on host memory, and behave as the environment
// says.
//
// FAKE_FAULT is a list of words with commas; each library knows its own. Other variables:
// FAKE_GPUS, FAKE_GPU_NAME, FAKE_GPU_CAPABILITY, FAKE_GPU_MEMORY, FAKE_CUINIT, FAKE_CUDA_VERSION,
// FAKE_DRIVER_VERSION, FAKE_CUDNN_VERSION, FAKE_ELAPSED_MS, FAKE_CHOICE.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include <unistd.h>

namespace fake {

inline std::string text(const char* name, const char* fallback) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

inline long number(const char* name, long fallback) {
  const char* const value = std::getenv(name);
  return value != nullptr ? std::atol(value) : fallback;
}

inline bool has_fault(const std::string& word) {
  return ("," + text("FAKE_FAULT", "") + ",").find("," + word + ",") != std::string::npos;
}

/// What a broken library does in the middle of work.
inline void misbehave(const std::string& prefix) {
  if (has_fault(prefix + "-abort")) std::abort();
  while (has_fault(prefix + "-hang")) ::usleep(100'000);
}

}  // namespace fake

extern "C" inline __attribute__((used, visibility("default"))) int imgcheck_stand_in() { return 1; }
