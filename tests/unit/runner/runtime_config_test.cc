// SPDX-License-Identifier: Apache-2.0
// The document that a runtime is given.
#include "validators/runner/runtime_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

const RuntimeTraits kRoot{};
const RuntimeTraits kRootless{.rootless = true, .cgroups = false};

ContainerProcess probe() {
  return {.arguments = {"/.imgcheck/p", "x"},
          .env = {"A=1"},
          .working_dir = "/w",
          .uid = 65532,
          .gid = 65532,
          .writable_tmp = true,
          .bundle = "/host/bundle"};
}

Json mount_at(const Json& config, const std::string& place) {
  for (const Json& mount : config["mounts"]) {
    if (mount["destination"] == place) return mount;
  }
  return nullptr;
}

std::vector<std::string> rlimits(const Json& config) {
  std::vector<std::string> names;
  for (const Json& limit : config["process"]["rlimits"]) names.push_back(limit["type"]);
  return names;
}

TEST(RuntimeConfig, RunsTheProbeAsTheUserOfTheCallWithNoRightAtAll) {
  const Json process = runtime_config(probe(), {}, kRoot)["process"];
  EXPECT_EQ(process["args"], Json({"/.imgcheck-enter", "65532", "65532", "/.imgcheck/p", "x"}));
  EXPECT_EQ(process["env"], Json({"A=1"}));
  EXPECT_EQ(process["cwd"], "/w");
  EXPECT_EQ(process["user"], Json({{"uid", 65532}, {"gid", 65532}}));
  EXPECT_EQ(process["noNewPrivileges"], true);
  EXPECT_EQ(process["terminal"], false);
  ASSERT_EQ(process["capabilities"].size(), 5u);
  for (const Json& set : process["capabilities"]) EXPECT_THAT(set, IsEmpty());
}

TEST(RuntimeConfig, OneIdIsRootsSoTheEnterProgramTakesTheOther) {
  const Json process = runtime_config(probe(), {}, kRootless)["process"];
  EXPECT_EQ(process["args"], Json({"/.imgcheck-enter", "65532", "65532", "/.imgcheck/p", "x"}));
  EXPECT_EQ(process["user"], Json({{"uid", 0}, {"gid", 0}}));
}

TEST(RuntimeConfig, WithoutAProgramTheEnterProgramIsAlone) {
  EXPECT_EQ(runtime_config({}, {}, kRoot)["process"]["args"], Json::array({"/.imgcheck-enter"}));
}

TEST(RuntimeConfig, RootAndBundleAreReadOnlyAndNothingOfTheHostIsMounted) {
  const Json config = runtime_config(probe(), {}, kRoot);
  EXPECT_EQ(config["root"], Json({{"path", "rootfs"}, {"readonly", true}}));
  const Json bundle = mount_at(config, "/.imgcheck");
  EXPECT_EQ(bundle["source"], "/host/bundle");
  EXPECT_THAT(bundle["options"], Contains("ro"));
  int binds = 0;
  for (const Json& mount : config["mounts"]) binds += mount["type"] == "bind" ? 1 : 0;
  EXPECT_EQ(binds, 1);
}

TEST(RuntimeConfig, TmpIsWritableOnlyWhenTheCallAsksForIt) {
  ContainerProcess process = probe();
  EXPECT_EQ(mount_at(runtime_config(process, {}, kRoot), "/tmp")["type"], "tmpfs");
  process.writable_tmp = false;
  EXPECT_EQ(mount_at(runtime_config(process, {}, kRoot), "/tmp"), nullptr);
}

TEST(RuntimeConfig, EveryNamespaceIsItsOwn) {
  const Json namespaces = runtime_config(probe(), {}, kRoot)["linux"]["namespaces"];
  for (const char* type : {"pid", "network", "ipc", "uts", "mount"}) {
    EXPECT_THAT(namespaces, Contains(Json({{"type", type}})));
  }
}

TEST(RuntimeConfig, LimitsAreOfTheGroupWhereThereIsOneElseOfTheProcess) {
  const ContainerLimits limits{.memory_bytes = 123456, .processes = 77};
  const Json grouped = runtime_config(probe(), limits, kRoot);
  EXPECT_EQ(grouped["linux"]["resources"]["memory"]["limit"], 123456);
  EXPECT_EQ(grouped["linux"]["resources"]["pids"]["limit"], 77);
  EXPECT_THAT(rlimits(grouped), Not(Contains("RLIMIT_NPROC")));
  const Json single = runtime_config(probe(), limits, kRootless);
  EXPECT_THAT(single["linux"]["resources"], IsEmpty());
  EXPECT_THAT(rlimits(single), Contains("RLIMIT_NPROC"));
  EXPECT_THAT(rlimits(single), Contains("RLIMIT_DATA"));
  EXPECT_THAT(rlimits(single), Contains("RLIMIT_CORE"));
}

TEST(RuntimeConfig, SystemCallsAreFilteredWhereTheRuntimeCan) {
  const Json filter = runtime_config(probe(), {}, kRoot)["linux"]["seccomp"];
  const Json names = filter["syscalls"][0]["names"];
  for (const char* name : {"mount", "bpf", "keyctl", "unshare", "setns", "io_uring_setup"}) {
    EXPECT_THAT(names, Contains(name));
  }
  const Json rootless = runtime_config(probe(), {}, kRootless)["linux"]["seccomp"];
  EXPECT_THAT(rootless["syscalls"][0]["names"], Not(Contains("unshare")));
  EXPECT_FALSE(runtime_config(probe(), {}, {.seccomp = false})["linux"].contains("seccomp"));
}

TEST(RuntimeConfig, EditsOfADeviceAreAdded) {
  ContainerEdits edits;
  edits.mounts.push_back({{"destination", "/usr/lib/libgpu.so"}, {"source", "/x"}});
  edits.devices.push_back({{"path", "/dev/gpu0"}, {"type", "c"}, {"major", 195}, {"minor", 0}});
  edits.device_rules.push_back({{"allow", true}, {"access", "rw"}});
  edits.env = {{"GPU", "all"}, {"A", "2"}};
  const Json config = runtime_config(probe(), {}, kRoot, edits);
  EXPECT_EQ(mount_at(config, "/usr/lib/libgpu.so")["source"], "/x");
  EXPECT_EQ(config["linux"]["devices"][0]["path"], "/dev/gpu0");
  EXPECT_EQ(config["linux"]["resources"]["devices"][0]["access"], "rw");
  EXPECT_EQ(config["process"]["env"], Json({"A=2", "GPU=all"}));
}

TEST(RuntimeConfig, FoldersOfDriversComeAfterTheImagesOwn) {
  ContainerEdits edits;
  edits.library_path = {"/a", "/b"};
  ContainerProcess process = probe();
  EXPECT_EQ(runtime_config(process, {}, kRoot, edits)["process"]["env"],
            Json({"A=1", "LD_LIBRARY_PATH=/a:/b"}));
  process.env = {"LD_LIBRARY_PATH="};
  EXPECT_EQ(runtime_config(process, {}, kRoot, edits)["process"]["env"],
            Json::array({"LD_LIBRARY_PATH=/a:/b"}));
  process.env = {"LD_LIBRARY_PATH=/x"};
  EXPECT_EQ(runtime_config(process, {}, kRoot, edits)["process"]["env"],
            Json::array({"LD_LIBRARY_PATH=/x:/a:/b"}));
}

TEST(RuntimeConfig, GroupsAndRulesOfDevicesAreRootsToGive) {
  ContainerEdits edits;
  edits.groups = {44};
  edits.device_rules.push_back({{"allow", true}});
  EXPECT_EQ(runtime_config(probe(), {}, kRoot, edits)["process"]["user"],
            Json({{"uid", 65532}, {"gid", 65532}, {"additionalGids", {44}}}));
  const Json rootless = runtime_config(probe(), {}, kRootless, edits);
  EXPECT_EQ(rootless["process"]["user"], Json({{"uid", 0}, {"gid", 0}}));
  EXPECT_FALSE(rootless["linux"]["resources"].contains("devices"));
}

TEST(CallEnvironment, IsTheImagesThenWithoutSomeThenWithOthers) {
  EXPECT_EQ(
      call_environment({"A=1", "B=2", "A=3", "C=x=y", "D="}, {"B", "Z"}, {{"E", "5"}, {"C", "6"}}),
      (std::vector<std::string>{"A=3", "C=6", "D=", "E=5"}));
}

TEST(CallEnvironment, WhatIsNoVariableIsLeftOut) {
  EXPECT_EQ(call_environment({"", "=x", "NOVALUE", std::string("A=\0b", 4), "B=1"}, {}, {}),
            std::vector<std::string>{"B=1"});
}

}  // namespace
}  // namespace img
