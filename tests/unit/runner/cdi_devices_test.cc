// SPDX-License-Identifier: Apache-2.0
// Devices chosen by name, and what their specifications add to a container.
#include "validators/runner/cdi_devices.h"

#include "builder/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace img {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CdiDevicesTest : public ::testing::Test {
 protected:
  CdiDevicesTest() : dir_(fs::temp_directory_path(), "cdi-") {
    create_folders(etc());
    create_folders(run());
    write_file(library(), "library");
  }
  fs::path etc() const { return dir_.path() / "etc"; }
  fs::path run() const { return dir_.path() / "run"; }
  fs::path library() const { return dir_.path() / "libcuda.so.1"; }

  /// A file with devices that set a variable each.
  void spec(const fs::path& file, const std::vector<std::string>& names,
            const std::string& kind = "nvidia.com/gpu", const std::string& edits = "") {
    std::string text = "cdiVersion: 1.0.0\nkind: " + kind + "\ndevices:\n";
    for (const std::string& name : names) {
      text += "- name: \"" + name + "\"\n  containerEdits: {env: [\"D_" + name + "=" +
              file.filename().string() + "\"]}\n";
    }
    write_file(file,
               text + "containerEdits:\n  env: [ALL=" + file.filename().string() + "]\n" + edits);
  }
  ContainerEdits edits(std::vector<std::string> names, bool rootless = false) {
    return edits_for_devices(
        {.names = std::move(names), .folders = {etc(), run()}, .rootless = rootless});
  }
  std::vector<std::string> variables(std::vector<std::string> names) {
    std::vector<std::string> list;
    for (const auto& [name, value] : edits(std::move(names)).env) {
      list.push_back(name + "=" + value);
    }
    return list;
  }
  std::string error_of(std::vector<std::string> names) {
    try {
      edits(std::move(names));
      return "no error";
    } catch (const UnavailableError& error) {
      std::string text = error.render();
      for (std::size_t at = 0; (at = text.find(dir_.path().string())) != std::string::npos;) {
        text.replace(at, dir_.path().string().size(), "DIR");
      }
      return text;
    }
  }
  TempDir dir_;
};

TEST_F(CdiDevicesTest, AreChosenByIndexUuidAndFullName) {
  spec(etc() / "nvidia.yaml", {"0", "1", "GPU-aa", "all"});
  spec(etc() / "other.yaml", {"x"}, "vendor.com/thing");
  EXPECT_THAT(variables({"1"}), ElementsAre("ALL=nvidia.yaml", "D_1=nvidia.yaml"));
  EXPECT_THAT(variables({"0", "GPU-aa", "0"}),
              ElementsAre("ALL=nvidia.yaml", "D_0=nvidia.yaml", "D_GPU-aa=nvidia.yaml"));
  EXPECT_THAT(variables({"all"}), ElementsAre("ALL=nvidia.yaml", "D_all=nvidia.yaml"));
  EXPECT_THAT(variables({"nvidia.com/gpu=0"}), ElementsAre("ALL=nvidia.yaml", "D_0=nvidia.yaml"));
  EXPECT_THAT(variables({"vendor.com/thing=x"}), ElementsAre("ALL=other.yaml", "D_x=other.yaml"));
}

TEST_F(CdiDevicesTest, AllAreTheDevicesOfTheKindWhereNoneHasThatName) {
  spec(etc() / "a.yaml", {"gpu0", "gpu1"});
  EXPECT_THAT(variables({"all"}), ElementsAre("ALL=a.yaml", "D_gpu0=a.yaml", "D_gpu1=a.yaml"));
  EXPECT_THAT(variables({"1"}), ElementsAre("ALL=a.yaml", "D_gpu1=a.yaml"));
}

TEST_F(CdiDevicesTest, TheLaterFolderCounts) {
  spec(etc() / "a.yaml", {"0", "1"});
  spec(run() / "b.yaml", {"0"});
  EXPECT_THAT(variables({"0"}), ElementsAre("ALL=b.yaml", "D_0=b.yaml"));
  EXPECT_THAT(variables({"1"}), ElementsAre("ALL=a.yaml", "D_1=a.yaml"));
}

TEST_F(CdiDevicesTest, OneDeviceInTwoFilesOfAFolderIsNoDevice) {
  spec(etc() / "a.yaml", {"0"});
  spec(etc() / "b.yaml", {"0"});
  EXPECT_EQ(error_of({"0"}),
            "error: two CDI specifications have the device 'nvidia.com/gpu=0'\n"
            "  one:   DIR/etc/a.yaml\n"
            "  other: DIR/etc/b.yaml\n"
            "hint: remove one of them");
  spec(run() / "c.yaml", {"0"});
  EXPECT_THAT(variables({"0"}), ElementsAre("ALL=c.yaml", "D_0=c.yaml"));
}

TEST_F(CdiDevicesTest, NoSpecificationSaysTheCommandThatMakesOne) {
  EXPECT_EQ(error_of({"all"}),
            "error: there is no CDI specification of GPUs on this machine\n"
            "  wanted:   nvidia.com/gpu=all\n"
            "  searched: DIR/etc, DIR/run\n"
            "hint: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml");
  spec(etc() / "a.yaml", {"x"}, "vendor.com/thing");
  write_file(etc() / "nvidia.yml", "not read");
  EXPECT_EQ(error_of({"0"}),
            "error: there is no CDI specification of GPUs on this machine\n"
            "  wanted:    nvidia.com/gpu=0\n"
            "  searched:  DIR/etc, DIR/run\n"
            "  there are: vendor.com/thing=x\n"
            "hint: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml");
}

TEST_F(CdiDevicesTest, AnUnknownDeviceSaysWhichThereAre) {
  spec(etc() / "a.yaml", {"0", "1"});
  EXPECT_EQ(error_of({"0", "7"}),
            "error: the CDI specification has no device '7'\n"
            "  wanted:    nvidia.com/gpu=7\n"
            "  searched:  DIR/etc, DIR/run\n"
            "  there are: 0, 1\n"
            "hint: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml");
  EXPECT_EQ(error_of({"GPU-4cf8db2d"}),
            "error: the CDI specification has no device 'GPU-4cf8db2d'\n"
            "  wanted:    nvidia.com/gpu=GPU-4cf8db2d\n"
            "  searched:  DIR/etc, DIR/run\n"
            "  there are: 0, 1\n"
            "hint: nvidia-ctk cdi generate --device-name-strategy=index "
            "--device-name-strategy=uuid --output=/etc/cdi/nvidia.yaml");
}

TEST_F(CdiDevicesTest, ABrokenFileIsToldAndHoldsUpOnlyWhatItMayHave) {
  spec(etc() / "a.yaml", {"0"});
  write_file(etc() / "b.json", "{\"kind\": 1, \"kind\": 2}");
  EXPECT_THAT(edits({"0"}).notes,
              ElementsAre("a CDI specification is left out: " + (etc() / "b.json").string() +
                          ":1: duplicate key 'kind'"));
  EXPECT_EQ(error_of({"1"}),
            "error: DIR/etc/b.json:1:13: duplicate key 'kind'\n"
            "    1 | {\"kind\": 1, \"kind\": 2}\n"
            "      |             ^~~~~~");
}

TEST_F(CdiDevicesTest, NamesThatNoDeviceCanHaveAreTheCallersSlip) {
  for (const std::string name : {"", "-1", "a b", "x=0", "/y=0", "a/b=", "0/1"}) {
    EXPECT_THROW(require_device_names({name}), UsageError) << name;
  }
  require_device_names({"all", "0", "0:1", "GPU-4c", "MIG-1", "nvidia.com/gpu=all"});
  try {
    require_device_names({"0", ""});
  } catch (const UsageError& error) {
    EXPECT_EQ(error.render(),
              "error: '' is no name of a GPU\n"
              "hint: use all, an index (0), a UUID (GPU-…, MIG-…) or a full name "
              "(vendor.com/class=x), several with commas");
  }
}

TEST_F(CdiDevicesTest, MountsAreReadOnlyAndDevicesHaveTheNumbersOfTheHost) {
  spec(etc() / "a.yaml", {"0"}, kGpuKind,
       "  deviceNodes:\n  - {path: /dev/nvidia0, hostPath: /dev/null, major: 9, fileMode: 438}\n"
       "  mounts:\n  - {hostPath: " +
           library().string() +
           ", containerPath: /usr/lib/libcuda.so.1, options: [rw, rbind]}\n"
           "  additionalGids: [44]\n");
  const ContainerEdits edits = this->edits({"0"});
  EXPECT_EQ(edits.devices, Json::array({{{"path", "/dev/nvidia0"},
                                         {"type", "c"},
                                         {"major", 1},
                                         {"minor", 3},
                                         {"fileMode", 0666}}}));
  EXPECT_EQ(edits.device_rules,
            Json::array(
                {{{"allow", true}, {"type", "c"}, {"major", 1}, {"minor", 3}, {"access", "rw"}}}));
  ASSERT_EQ(edits.mounts.size(), 1u);
  EXPECT_EQ(edits.mounts[0]["source"], library().string());
  EXPECT_EQ(edits.mounts[0]["options"][0], "bind");
  EXPECT_EQ(edits.mounts[0]["options"][1], "ro");
  EXPECT_THAT(edits.groups, ElementsAre(44));
  EXPECT_THAT(edits.notes, ElementsAre("'/usr/lib/libcuda.so.1' of a device is read-only"));

  const ContainerEdits rootless = this->edits({"0"}, true);
  EXPECT_THAT(rootless.devices, IsEmpty());
  EXPECT_THAT(rootless.groups, IsEmpty());
  EXPECT_EQ(rootless.mounts[0], Json({{"destination", "/dev/nvidia0"},
                                      {"type", "bind"},
                                      {"source", "/dev/null"},
                                      {"options", {"bind"}}}));
  EXPECT_THAT(rootless.notes,
              ElementsAre("'/usr/lib/libcuda.so.1' of a device is read-only",
                          "a device asks for group 44, which only root can give",
                          "device files in the container are this machine's own, with the rights "
                          "of this user"));
}

TEST_F(CdiDevicesTest, WhatIsNotThereAnyMoreIsToldWithTheFile) {
  spec(etc() / "a.yaml", {"0"}, kGpuKind,
       "  mounts:\n  - {hostPath: /nowhere/libcuda.so.1, containerPath: /usr/lib/x}\n");
  EXPECT_EQ(error_of({"0"}),
            "error: a file of the CDI specification is not there\n"
            "  path:          /nowhere/libcuda.so.1\n"
            "  specification: DIR/etc/a.yaml\n"
            "hint: make the specification again, e.g. nvidia-ctk cdi generate "
            "--output=/etc/cdi/nvidia.yaml");
  const std::string again =
      "  specification: DIR/etc/a.yaml\n"
      "hint: make the specification again, e.g. nvidia-ctk cdi generate "
      "--output=/etc/cdi/nvidia.yaml";
  const std::string missing = "error: a device file of the CDI specification is not there\n";
  const std::string other = "error: a device file of the CDI specification is of another type\n";
  const std::string outside = "error: the CDI specification wants a device file outside of /dev\n";
  for (const auto& [node, text] : std::vector<std::pair<std::string, std::string>>{
           {"path: /dev/nowhere", missing + "  path:          /dev/nowhere\n"},
           {"path: /dev/x, hostPath: /dev", other + "  path:          /dev\n"},
           {"path: /dev/null, type: b", other + "  path:          /dev/null\n"},
           {"path: /srv/null", outside + "  path:          /srv/null\n"}}) {
    spec(etc() / "a.yaml", {"0"}, kGpuKind, "  deviceNodes:\n  - {" + node + "}\n");
    EXPECT_EQ(error_of({"0"}), text + again);
  }
}

std::string hook(const std::string& path, const std::string& arguments) {
  return "  hooks:\n  - {hookName: createContainer, path: " + path + ", args: [" + arguments +
         "]}\n";
}

TEST_F(CdiDevicesTest, HooksOfNvidiaAreDoneByUs) {
  spec(etc() / "a.yaml", {"0"}, kGpuKind,
       hook("/usr/bin/nvidia-cdi-hook",
            "nvidia-cdi-hook, create-symlinks, --link, \"libcuda.so.1::/usr/lib/libcuda.so\", "
            "\"--link=../a::/usr/lib/b\""));
  ContainerEdits edits = this->edits({"0"});
  ASSERT_EQ(edits.links.size(), 2u);
  EXPECT_EQ(edits.links[0].path, "/usr/lib/libcuda.so");
  EXPECT_EQ(edits.links[0].target, "libcuda.so.1");
  EXPECT_EQ(edits.links[1].target, "../a");
  spec(etc() / "a.yaml", {"0"}, kGpuKind,
       hook("/opt/nvidia-ctk",
            "nvidia-ctk, hook, update-ldcache, --ldconfig-path, /sbin/ldconfig, "
            "--folder, /usr/lib64/, --folder=/usr/lib"));
  edits = this->edits({"0"});
  EXPECT_THAT(edits.linker_folders, ElementsAre("/usr/lib64", "/usr/lib"));
  for (const char* arguments :
       {"x, chmod, --mode, \"755\", --path, /dev/dri", "x, disable-device-node-modification"}) {
    spec(etc() / "a.yaml", {"0"}, kGpuKind, hook("/usr/bin/nvidia-cdi-hook", arguments));
    EXPECT_THAT(this->edits({"0"}).notes, IsEmpty()) << arguments;
  }
}

TEST_F(CdiDevicesTest, OtherHooksAreNotRunAndSaidSo) {
  const std::string foreign =
      "it would be a foreign program with root's rights outside of the container";
  for (const auto& [path, arguments, note] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"/usr/bin/nvidia-cdi-hook", "x, enable-cuda-compat, --host-driver-version=575.57",
            "hook 'nvidia-cdi-hook enable-cuda-compat' of a device is not run: a driver library "
            "that the image brings for newer CUDA is not put before the machine's"},
           {"/usr/bin/nvidia-cdi-hook", "x, chmod, --mode, \"777\", --path, /etc",
            "hook 'nvidia-cdi-hook chmod' of a device is not run: " + foreign},
           {"/usr/bin/nvidia-cdi-hook", "x, create-symlinks, --link, \"a::../../etc/x\"",
            "hook 'nvidia-cdi-hook create-symlinks' of a device is not run: " + foreign},
           {"/bin/sh", "sh, -c, \"touch /x\"", "hook 'sh' of a device is not run: " + foreign},
           {"/usr/bin/nvidia-ctk", "nvidia-ctk, update-ldcache",
            "hook 'nvidia-ctk' of a device is not run: " + foreign}}) {
    spec(etc() / "a.yaml", {"0"}, kGpuKind, hook(path, arguments));
    const ContainerEdits edits = this->edits({"0"});
    EXPECT_THAT(edits.notes, ElementsAre(note));
    EXPECT_THAT(edits.links, IsEmpty());
  }
}

}  // namespace
}  // namespace img
