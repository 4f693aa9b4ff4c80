// SPDX-License-Identifier: Apache-2.0
// Runs the probes of a plan in containers of an image and brings back what they saw.
#pragma once

#include "builder/base/file.h"
#include "builder/base/progress.h"
#include "builder/layout/image_layout.h"
#include "validators/judge/container_tier.h"
#include "validators/runner/runtime.h"

#include <functional>
#include <string>
#include <vector>

namespace img {

struct RunnerOptions {
  fs::path store;   ///< unpacked layers live in `<store>/unpacked/<diff id>`
  fs::path bundle;  ///< folder with the probes; mounted read-only at /.imgcheck
  unsigned threads = 0;
  Progress* progress = nullptr;
};

/// An image that is ready to start: layers unpacked (once per DiffID), mounted when a run needs it.
class PreparedImage {
 public:
  /// UnavailableError with a hint when this machine cannot: no runtime, no right to mount, disk
  /// full. IntegrityError when the bytes are not what the image says.
  static PreparedImage prepare(LayoutReader& layout, const SelectedImage& image, Runtime& runtime,
                               const RunnerOptions& options);
  PreparedImage(PreparedImage&&) noexcept;
  ~PreparedImage();  ///< unmounts and removes what is this process's own; unpacked layers stay

  /// One container for one call. Never throws for what happens inside; see ProbeRun::end.
  ProbeRun run(const ProbeCall& call);
  /// Drops the image's own files from the page cache (posix_fadvise), for cold samples.
  void drop_page_cache() const;

 private:
  struct State;
  explicit PreparedImage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace img
