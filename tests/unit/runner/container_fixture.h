// SPDX-License-Identifier: Apache-2.0
// An image and a bundle of one hostile program, run by the machine's runtime.
#pragma once

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "tests/support/raw_image.h"
#include "validators/runner/runner.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace img::testing {

class ContainerFixture : public ::testing::Test {
 protected:
  ContainerFixture()
      : dir_(fs::temp_directory_path(), "container-"),
        image_(std::make_unique<RawImage>(dir_.path())) {
    create_folders(bundle());
    fs::copy_file(IMG_HOSTILE_PROBE, bundle() / "probe");
    image_->layer(tar_folder("etc") + tar_file("etc/passwd", "root:x:0:0::/root:/bin/sh\n") +
                  tar_file("etc/file", "x", "0000666") + tar_end());
  }

  void SetUp() override {
    try {
      shared_runtime();
    } catch (const UnavailableError& error) {
      GTEST_SKIP() << error.render();
    }
  }

  static Runtime& shared_runtime() {
    static const std::unique_ptr<Runtime> runtime = find_runtime();
    return *runtime;
  }
  virtual Runtime& runtime() { return shared_runtime(); }
  RawImage& image() { return *image_; }
  fs::path folder() const { return dir_.path(); }
  fs::path bundle() const { return dir_.path() / "bundle"; }
  fs::path store() const { return dir_.path() / "store"; }

  PreparedImage& prepare() {
    layout_ = image_->open();
    prepared_.emplace(PreparedImage::prepare(
        *layout_, select_image(*layout_), runtime(),
        {.store = store(), .bundle = bundle(), .threads = 2, .edits = device_edits}));
    return *prepared_;
  }
  ProbeRun run(std::vector<std::string> arguments, ProbeCall call = {}) {
    if (!prepared_) prepare();
    call.label = "test";
    if (call.probe.empty()) call.probe = "probe";
    call.arguments = std::move(arguments);
    return prepared_->run(call);
  }

  ContainerEdits device_edits;  ///< for prepare()

  static std::string value(const ProbeRun& run, const std::string& name) {
    for (const Json& event : run.events) {
      if (event["event"] == name) return event["value"];
    }
    return "no event '" + name + "': " + run.reason + run.stderr_tail;
  }

  /// Processes anywhere whose program is this test's probe.
  int processes_of_probe() const {
    struct stat probe {};
    if (stat((bundle() / "probe").c_str(), &probe) != 0) return -1;
    int count = 0;
    for (const std::string& name : sorted_names("/proc")) {
      struct stat info {};
      if (!parse_decimal(name) || stat(("/proc/" + name + "/exe").c_str(), &info) != 0) continue;
      count += info.st_dev == probe.st_dev && info.st_ino == probe.st_ino ? 1 : 0;
    }
    return count;
  }
  /// No process, no mount, no control group of ours.
  void expect_nothing_left() const {
    EXPECT_EQ(processes_of_probe(), 0);
    const std::string mounts = read_file("/proc/self/mountinfo");
    EXPECT_EQ(mounts.find(dir_.path().string()), std::string::npos);
  }

 private:
  TempDir dir_;
  std::unique_ptr<RawImage> image_;
  std::unique_ptr<LayoutReader> layout_;
  std::optional<PreparedImage> prepared_;
};

}  // namespace img::testing
