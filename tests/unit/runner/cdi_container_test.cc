// SPDX-License-Identifier: Apache-2.0
// Devices of specifications in real containers. The driver is a small library and its device files
// are copies of /dev/null and /dev/zero.
#include "tests/unit/runner/container_fixture.h"
#include "validators/runner/cdi_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make images of
using ::testing::Contains;

class CdiContainerTest : public ContainerFixture {
 protected:
  CdiContainerTest() {
    create_folders(folder() / "cdi");
    create_folders(folder() / "driver/firmware");
    fs::copy_file(IMG_FAKE_DRIVER, folder() / "driver/libcuda.so.575.57.08");
    write_file(folder() / "driver/nvidia-smi", "tool", 0777);
    // Everybody might write to them, were it not for the mounts.
    fs::permissions(folder() / "driver/libcuda.so.575.57.08", fs::perms::all);
    write_file(folder() / "driver/firmware/gsp.bin", "firmware");
  }

  /// Edits as YAML, in lines that are indented by two.
  void device(const std::string& edits) {
    std::string text =
        "cdiVersion: 0.7.0\nkind: nvidia.com/gpu\ndevices:\n- name: \"0\"\n"
        "containerEdits:\n" +
        edits;
    const std::string name = "DRIVER";
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
      text.replace(at, name.size(), (folder() / "driver").string());
    }
    write_file(folder() / "cdi/nvidia.yaml", text);
    device_edits = edits_for_devices(
        {.names = {"0"}, .folders = {folder() / "cdi"}, .rootless = runtime().rootless()});
  }
  void driver_in(const std::string& place, const std::string& hooks = "") {
    device("  mounts:\n  - {hostPath: DRIVER/libcuda.so.575.57.08, containerPath: " + place +
           "/libcuda.so.575.57.08, options: [ro, nosuid, nodev, bind]}\n" + hooks);
  }
  static std::string hook(const std::string& arguments) {
    return "  - {hookName: createContainer, path: /usr/bin/nvidia-cdi-hook, args: "
           "[nvidia-cdi-hook, " +
           arguments + "]}\n";
  }
  std::string error_of_prepare() {
    try {
      prepare();
      return "no error";
    } catch (const Error& error) {
      return error.render();
    }
  }
  /// What a dynamic program needs.
  void image_with_loader() {
    const std::string libraries = "lib/x86_64-linux-gnu";
    image().layer(
        tar_folder("lib64") + tar_folder("lib") + tar_folder(libraries) +
        tar_file("lib64/ld-linux-x86-64.so.2", read_file("/lib64/ld-linux-x86-64.so.2"),
                 "0000755") +
        tar_file(libraries + "/libc.so.6", read_file("/" + libraries + "/libc.so.6"), "0000755") +
        tar_end());
    fs::copy_file(IMG_DRIVER_USER, bundle() / "user");
  }
};

TEST_F(CdiContainerTest, FilesDevicesLinksAndVariablesAreWhereTheSpecificationSays) {
  // The image has /lib as a link and lacks everything else.
  image().layer(tar_folder("usr") + tar_folder("usr/lib", "0000711") + tar_link("lib", "usr/lib") +
                tar_end());
  device(
      "  env: [NVIDIA_VISIBLE_DEVICES=void, IMAGE=device]\n"
      "  deviceNodes:\n"
      "  - {path: /dev/nvidia0, hostPath: /dev/null}\n"
      "  - {path: /dev/nvidia-caps/nvidia-cap1, hostPath: /dev/zero, permissions: r}\n"
      "  mounts:\n"
      "  - {hostPath: DRIVER/libcuda.so.575.57.08, containerPath: "
      "/lib/nvidia/libcuda.so.575.57.08}\n"
      "  - {hostPath: DRIVER/nvidia-smi, containerPath: /usr/bin/nvidia-smi, options: [rw]}\n"
      "  - {hostPath: DRIVER/firmware, containerPath: /lib/firmware/nvidia/575.57.08}\n"
      "  hooks:\n" +
      hook("create-symlinks, --link, \"libcuda.so.1::/lib/nvidia/libcuda.so\"") +
      hook("update-ldcache, --folder, /lib/nvidia"));
  image().config.env = {"IMAGE=image", "LD_LIBRARY_PATH=/opt/lib"};
  const ProbeRun run = this->run(
      {"see", "/usr/lib/nvidia/libcuda.so.575.57.08", "/lib/nvidia/libcuda.so.1",
       "/lib/nvidia/libcuda.so", "/.imgcheck-driver/libcuda.so.1", "/usr/bin/nvidia-smi",
       "/lib/firmware/nvidia/575.57.08/gsp.bin", "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap1",
       "NVIDIA_VISIBLE_DEVICES=", "IMAGE=", "LD_LIBRARY_PATH="});
  ASSERT_EQ(run.end, RunEnd::exited) << run.reason << run.stderr_tail;
  for (const char* library : {"/usr/lib/nvidia/libcuda.so.575.57.08", "/lib/nvidia/libcuda.so.1",
                              "/lib/nvidia/libcuda.so", "/.imgcheck-driver/libcuda.so.1"}) {
    EXPECT_EQ(value(run, library), "file ELF") << library;
    EXPECT_EQ(value(run, std::string("write ") + library), "EROFS") << library;
  }
  EXPECT_EQ(value(run, "/usr/bin/nvidia-smi"), "file tool");
  EXPECT_EQ(value(run, "write /usr/bin/nvidia-smi"), "EROFS");
  EXPECT_EQ(value(run, "/lib/firmware/nvidia/575.57.08/gsp.bin"), "file firmware");
  EXPECT_EQ(value(run, "/dev/nvidia0"), "device 1:3 ok");
  EXPECT_EQ(value(run, "write /dev/nvidia0"), "ok");
  EXPECT_EQ(value(run, "/dev/nvidia-caps/nvidia-cap1"), "device 1:5 ok");
  EXPECT_EQ(value(run, "NVIDIA_VISIBLE_DEVICES="), "void");
  EXPECT_EQ(value(run, "IMAGE="), "device");
  EXPECT_EQ(value(run, "LD_LIBRARY_PATH="), "/opt/lib:/.imgcheck-driver");
  EXPECT_THAT(prepare().notes(), Contains("'/usr/bin/nvidia-smi' of a device is read-only"));
}

TEST_F(CdiContainerTest, AProgramFindsTheDriverByItsSonameAlone) {
  if (access("/lib64/ld-linux-x86-64.so.2", R_OK) != 0 ||
      access("/lib/x86_64-linux-gnu/libc.so.6", R_OK) != 0) {
    GTEST_SKIP() << "no loader and libc to make an image of";
  }
  image_with_loader();
  // A folder in which no loader looks by itself.
  driver_in("/opt/driver", "  hooks:\n" + hook("update-ldcache, --folder, /opt/driver"));
  EXPECT_EQ(value(run({}, {.probe = "user"}), "number"), "57508");
}

TEST_F(CdiContainerTest, WithoutTheHookNothingIsFound) {
  if (access("/lib64/ld-linux-x86-64.so.2", R_OK) != 0 ||
      access("/lib/x86_64-linux-gnu/libc.so.6", R_OK) != 0) {
    GTEST_SKIP() << "no loader and libc to make an image of";
  }
  image_with_loader();
  driver_in("/opt/driver");
  EXPECT_EQ(value(run({}, {.probe = "user"}), "number"),
            "libcuda.so.1: cannot open shared object file: No such file or directory");
}

TEST_F(CdiContainerTest, ALibraryOfTheImageWithTheDriversNameStaysAndIsTold) {
  image().layer(tar_folder("opt") + tar_folder("opt/driver") +
                tar_file("opt/driver/libcuda.so.1", "image's") + tar_end());
  driver_in("/opt/driver", "  hooks:\n" + hook("update-ldcache, --folder, /opt/driver"));
  const ProbeRun run =
      this->run({"see", "/opt/driver/libcuda.so.1", "/.imgcheck-driver/libcuda.so.1"});
  EXPECT_EQ(value(run, "/opt/driver/libcuda.so.1"), "file image's");
  EXPECT_EQ(value(run, "/.imgcheck-driver/libcuda.so.1"), "ENOENT");
  EXPECT_THAT(prepare().notes(),
              Contains("the image has its own '/opt/driver/libcuda.so.1', which hides that of the "
                       "machine's driver"));
}

TEST_F(CdiContainerTest, ALinkOfTheImageWithTheDriversNameIsReplaced) {
  image().layer(tar_folder("opt") + tar_folder("opt/driver") +
                tar_link("opt/driver/libcuda.so.1", "/usr/local/cuda/compat/libcuda.so.1") +
                tar_end());
  driver_in("/opt/driver", "  hooks:\n" + hook("update-ldcache, --folder, /opt/driver"));
  EXPECT_EQ(value(run({"see", "/opt/driver/libcuda.so.1"}), "/opt/driver/libcuda.so.1"),
            "file ELF");
}

TEST_F(CdiContainerTest, LinksOfTheImageDoNotLeadIntoTheKernelsFiles) {
  image().layer(tar_folder("opt") + tar_link("opt/driver", "../proc/self") + tar_end());
  driver_in("/opt/driver");
  EXPECT_EQ(error_of_prepare(),
            "error: a device's file would be where it must not be\n"
            "  wanted:  /opt/driver/libcuda.so.575.57.08   (the CDI specification)\n"
            "  that is: /proc/self/libcuda.so.575.57.08   (in the image)");
}

TEST_F(CdiContainerTest, AFolderOfTheImageWhereAFileShouldBeIsRefused) {
  image().layer(tar_folder("opt") + tar_folder("opt/libcuda.so.575.57.08") + tar_end());
  driver_in("/opt");
  EXPECT_EQ(error_of_prepare(),
            "error: the image has a folder as '/opt/libcuda.so.575.57.08', where a device needs a "
            "file");
}

TEST_F(CdiContainerTest, LinksOfASpecificationDoNotLeadOutOfTheContainer) {
  const std::string outside = (folder() / "driver").string();
  device("  hooks:\n" + hook("create-symlinks, --link, \"" + outside +
                             "::/opt/way\", --link, \"target::/opt/way/planted\""));
  EXPECT_NE(error_of_prepare(), "no error");
  EXPECT_FALSE(fs::is_symlink(folder() / "driver/planted"));
}

TEST_F(CdiContainerTest, NothingOfASpecificationIsRun) {
  write_file(folder() / "hook", "#!/bin/sh\ntouch " + (folder() / "was-run").string() + "\n", 0755);
  device("  hooks:\n  - {hookName: createContainer, path: " + (folder() / "hook").string() +
         "}\n  - {hookName: prestart, path: " + (folder() / "hook").string() + "}\n");
  EXPECT_EQ(run({"exit", "0"}).end, RunEnd::exited);
  EXPECT_FALSE(fs::exists(folder() / "was-run"));
  EXPECT_THAT(prepare().notes(),
              Contains("hook 'hook' of a device is not run: it would be a foreign program with "
                       "root's rights outside of the container"));
}

}  // namespace
}  // namespace img
