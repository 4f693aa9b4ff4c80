// SPDX-License-Identifier: Apache-2.0
// A runtime with runc's command line (runc, crun), started in a sandbox.
#pragma once

#include "validators/runner/runtime.h"

#include <string>

namespace img {

class OciRuntime final : public Runtime {
 public:
  /// `program`: absolute path. `name`: for reports.
  OciRuntime(fs::path program, std::string name, RuntimeTraits traits)
      : program_(std::move(program)), name_(std::move(name)), traits_(traits) {}

  std::string name() const override { return name_; }
  RuntimeTraits traits() const override { return traits_; }
  ContainerEnd run(const ContainerStart& start) override;

 private:
  fs::path program_;
  std::string name_;
  RuntimeTraits traits_;
};

/// Where a runtime keeps the state of its containers, in the folder of a run.
inline constexpr const char* kRuntimeState = "state";

}  // namespace img
