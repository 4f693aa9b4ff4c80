// SPDX-License-Identifier: Apache-2.0
// Runs the probes of a plan in containers of an image and brings back what they saw.
#pragma once

#include "builder/base/file.h"
#include "builder/base/progress.h"
#include "builder/layout/image_layout.h"
#include "validators/judge/container_tier.h"
#include "validators/runner/runtime.h"
#include "validators/runner/runtime_config.h"
#include "validators/runner/unpack_layer.h"
#include "validators/runner/unpacked_store.h"

#include <memory>
#include <string>
#include <vector>

namespace img {

struct RunnerOptions {
  fs::path store;        ///< unpacked layers live in `<store>/unpacked` (unpacked_store.h)
  fs::path bundle;       ///< folder with the probes; mounted read-only at /.imgcheck
  unsigned threads = 0;  ///< that unpack layers; 0: one for each core
  Progress* progress = nullptr;
  UnpackLimits limits = {};
  ContainerEdits edits = {};      ///< devices, and what they need (cdi_devices.h)
  std::uint64_t processes = 512;  ///< in one container
};

/// An image that is ready to start: layers unpacked (once per DiffID), mounted when a run needs it.
class PreparedImage {
 public:
  /// UnavailableError with a hint when this machine cannot: no runtime, no right to mount, disk
  /// full. IntegrityError when the bytes are not what the image says. InputError for an image that
  /// must not be started: no proper layers, limits exceeded, something else than folders at mount
  /// points, a working directory in /proc, /sys or /dev.
  /// `layout` and `runtime` are used no longer than prepare, and this image, live.
  static PreparedImage prepare(LayoutReader& layout, const SelectedImage& image, Runtime& runtime,
                               const RunnerOptions& options);
  PreparedImage(PreparedImage&&) noexcept;
  ~PreparedImage();  ///< removes what is this process's own; unpacked layers stay

  /// One container for one call. Never throws for what happens inside; see ProbeRun::end.
  /// Not thread-safe. InterruptedError passes through.
  ProbeRun run(const ProbeCall& call);
  /// Drops the image's own files from the page cache (posix_fadvise), for cold samples.
  void drop_page_cache() const;

  /// What a report should say: what of the image was left out (devices), `weaknesses` of the
  /// runtime, and notes of the edits. One sentence each.
  const std::vector<std::string>& notes() const;

 private:
  struct State;
  explicit PreparedImage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace img
