// SPDX-License-Identifier: Apache-2.0
// Trees of wheel layers: ownership decided, bytecode made, wheels installed.
#pragma once

#include "builder/assemble/bytecode.h"
#include "builder/assemble/ownership.h"
#include "builder/assemble/plan.h"
#include "builder/base/progress.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace img {

/// All wheels of one image. Thread-safe after construction, but for add_bytecode_jobs.
class WheelLayers {
 public:
  WheelLayers(const BuildManifest& manifest, const LockFile& lock, Store& store, Progress& progress,
              int jobs);
  ~WheelLayers();

  /// What decides the layer's bytes, for its cache key.
  Json key_inputs(const PlannedLayer& layer, Compression compression);

  /// Jobs that compile what the layers need; `python` runs the image's interpreter and must outlive
  /// them.
  std::vector<std::function<void()>> bytecode_jobs(const std::vector<const PlannedLayer*>& layers,
                                                   const ImagePython& python);

  /// The sealed tree of a layer; its bytecode must have been made.
  Tree tree(const PlannedLayer& layer);

 private:
  std::vector<DropRule> drops_of(const PlannedLayer& layer, const LockedWheel& wheel);
  const Wheel& opened(const LockedWheel& wheel);
  const YieldedPaths& yielded();
  YieldedPaths compute_yielded();
  void add_venv(const PlannedLayer& layer, Tree& tree) const;

  const BuildManifest& manifest_;
  const LockFile& lock_;
  Store& store_;
  Progress& progress_;
  int jobs_;
  InstallTarget target_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Wheel>> wheels_;  // by file name
  std::map<std::string, BytecodePack> bytecode_;          // by file name
  std::unique_ptr<YieldedPaths> yielded_;
};

}  // namespace img
