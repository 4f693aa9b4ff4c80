// SPDX-License-Identifier: Apache-2.0
// Specifications as nvidia-ctk writes them, in both formats, and what is wrong with others.
#include "validators/runner/cdi_spec.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

constexpr const char* kYaml = R"(---
cdiVersion: 0.7.0
kind: nvidia.com/gpu
devices:
    - name: "0"
      containerEdits:
        deviceNodes:
            - path: /dev/nvidia0
              major: 195
              fileMode: 438
              permissions: rwm
              uid: 0
              gid: 0
            - path: /dev/dri/card1
              hostPath: /host/dev/dri/card1
              type: c
              permissions: rw
        additionalGids: [0, 44]
    - name: GPU-4cf8db2d-06c0-7d70-1a51-e59b25b2c16c
containerEdits:
    env:
        - NVIDIA_VISIBLE_DEVICES=void
    hooks:
        - hookName: createContainer
          path: /usr/bin/nvidia-cdi-hook
          args:
            - nvidia-cdi-hook
            - create-symlinks
            - --link
            - libcuda.so.1::/usr/lib64/libcuda.so
          env:
            - NVIDIA_CTK_DEBUG=false
          timeout: 5
    mounts:
        - hostPath: /usr/lib64/libcuda.so.575.57.08
          containerPath: //usr/lib64/./libcuda.so.575.57.08
          options:
            - ro
            - rbind
)";

constexpr const char* kJson = R"({
	"cdiVersion": "0.5.0", "kind": "vendor.com/a_b",
	"devices": [{"name": "x\/y", "containerEdits": {"env": ["A=\ud83d\ude00"]}}]
})";

std::string error_of(const std::string& text, const std::string& name = "/etc/cdi/x.yaml") {
  try {
    parse_cdi_spec(text, name);
    return "no error";
  } catch (const UnavailableError& error) {
    return error.render();
  }
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// A specification with one device whose edits are `edits`, from line 5 on.
std::string error_of_edits(const std::string& edits, const std::string& version = "1.0.0") {
  return error_of("cdiVersion: " + version + "\nkind: v.com/c\ndevices:\n- name: d\n  " +
                  "containerEdits:\n" + edits);
}

TEST(CdiSpec, IsReadAsNvidiasToolWritesIt) {
  const CdiSpec spec = parse_cdi_spec(kYaml, "/etc/cdi/nvidia.yaml");
  EXPECT_EQ(spec.file, "/etc/cdi/nvidia.yaml");
  EXPECT_EQ(spec.version, "0.7.0");
  EXPECT_EQ(spec.kind, "nvidia.com/gpu");
  ASSERT_EQ(spec.devices.size(), 2u);
  EXPECT_EQ(spec.devices[1].name, "GPU-4cf8db2d-06c0-7d70-1a51-e59b25b2c16c");
  const CdiEdits& edits = spec.devices[0].edits;
  ASSERT_EQ(edits.device_nodes.size(), 2u);
  EXPECT_EQ(edits.device_nodes[0].host_path, "/dev/nvidia0");
  EXPECT_EQ(edits.device_nodes[0].major, 195u);
  EXPECT_FALSE(edits.device_nodes[0].minor);
  EXPECT_EQ(edits.device_nodes[0].file_mode, 0666u);
  EXPECT_EQ(edits.device_nodes[1].host_path, "/host/dev/dri/card1");
  EXPECT_EQ(edits.device_nodes[1].type, "c");
  EXPECT_EQ(edits.device_nodes[1].permissions, "rw");
  EXPECT_EQ(edits.groups, std::vector<std::uint32_t>{44}) << "0 is ignored";
  EXPECT_EQ(spec.edits.env, std::vector<std::string>{"NVIDIA_VISIBLE_DEVICES=void"});
  ASSERT_EQ(spec.edits.mounts.size(), 1u);
  EXPECT_EQ(spec.edits.mounts[0].container_path, "/usr/lib64/libcuda.so.575.57.08");
  EXPECT_EQ(spec.edits.mounts[0].options, (std::vector<std::string>{"ro", "rbind"}));
  ASSERT_EQ(spec.edits.hooks.size(), 1u);
  EXPECT_EQ(spec.edits.hooks[0].when, "createContainer");
  EXPECT_EQ(spec.edits.hooks[0].arguments[3], "libcuda.so.1::/usr/lib64/libcuda.so");
  EXPECT_EQ(spec.edits.hooks[0].env, std::vector<std::string>{"NVIDIA_CTK_DEBUG=false"});
}

TEST(CdiSpec, JsonIsReadWithTabsAndTextThatYamlCannotSay) {
  std::string text = kJson;
  text.replace(text.find("x\\/y"), 4, "x-y");
  const CdiSpec spec = parse_cdi_spec(text, "/etc/cdi/v.json");
  EXPECT_EQ(spec.devices.at(0).name, "x-y");
  EXPECT_EQ(spec.devices.at(0).edits.env, std::vector<std::string>{"A=\xF0\x9F\x98\x80"});
}

TEST(CdiSpec, ErrorsInJsonSayTheLine) {
  EXPECT_EQ(error_of("{\n\t\"cdiVersion\": \"0.5.0\",\n\t\"kind\": 7,\n\t\"devices\": []}",
                     "/etc/cdi/x.json"),
            "error: /etc/cdi/x.json:3:10: key 'kind' of the specification: expected text, found a "
            "number\n"
            "    3 |  \"kind\": 7,\n"
            "      |          ^");
  EXPECT_EQ(first_line(error_of("{\"kind\": \"a\",}", "/etc/cdi/x.json")),
            "error: /etc/cdi/x.json:1:14: not JSON: unexpected '}'; expected string literal");
  EXPECT_EQ(error_of("{\"kind\": 1, \"kind\": 2}", "/etc/cdi/x.json"),
            "error: /etc/cdi/x.json:1:13: duplicate key 'kind'\n"
            "    1 | {\"kind\": 1, \"kind\": 2}\n"
            "      |             ^~~~~~");
}

TEST(CdiSpec, VersionsAndTheKeysOfEach) {
  EXPECT_EQ(error_of("cdiVersion: 2.0.0\nkind: v.com/c\ndevices: []\n"),
            "error: /etc/cdi/x.yaml:1:13: version '2.0.0' of the CDI specification is not known\n"
            "    1 | cdiVersion: 2.0.0\n"
            "      |             ^~~~~\n"
            "hint: known are 0.3.0, 0.4.0, 0.5.0, 0.6.0, 0.7.0, 0.8.0, 1.0.0, 1.1.0");
  EXPECT_EQ(error_of_edits("    additionalGids: [1]\n", "0.6.0"),
            "error: /etc/cdi/x.yaml:6:21: key 'additionalGids' came with version 0.7.0, but the "
            "file says 0.6.0\n"
            "    6 |     additionalGids: [1]\n"
            "      |                     ^\n"
            "hint: write 'cdiVersion: 0.7.0'");
  EXPECT_EQ(error_of_edits("    additionalGids: [1]\n", "0.7.0"), "no error");
  EXPECT_EQ(
      first_line(error_of_edits("    deviceNodes: [{path: /dev/a, hostPath: /dev/b}]\n", "0.4.0")),
      "error: /etc/cdi/x.yaml:6:44: key 'hostPath' of a device node came with version 0.5.0, but "
      "the file says 0.4.0");
  EXPECT_EQ(first_line(error_of("cdiVersion: 0.4.0\nkind: v.com/c\ndevices:\n- name: \"0\"\n")),
            "error: /etc/cdi/x.yaml:4:9: a device name with a digit first came with version 0.5.0, "
            "but the file says 0.4.0");
  EXPECT_EQ(first_line(error_of_edits(
                "    mounts: [{hostPath: /a, containerPath: /b, type: bind}]\n", "0.3.0")),
            "error: /etc/cdi/x.yaml:6:54: key 'type' of a mount came with version 0.4.0, but the "
            "file says 0.3.0");
  EXPECT_EQ(first_line(error_of("cdiVersion: 0.5.0\nkind: v.com/c.d\ndevices: []\n")),
            "error: /etc/cdi/x.yaml:2:7: a '.' in the class of a kind came with version 0.6.0, but "
            "the file says 0.5.0");
  EXPECT_EQ(first_line(error_of_edits("    netDevices: [{hostInterfaceName: a, name: b}]\n")),
            "error: /etc/cdi/x.yaml:6:17: key 'netDevices' came with version 1.1.0, but the file "
            "says 1.0.0");
}

TEST(CdiSpec, UnknownAndMissingKeysAreRefused) {
  EXPECT_EQ(error_of("cdiVersion: 0.6.0\nkind: v.com/c\ndevice: []\n"),
            "error: /etc/cdi/x.yaml:1:1: key 'devices' of the specification is missing\n"
            "    1 | cdiVersion: 0.6.0\n"
            "      | ^");
  EXPECT_EQ(error_of_edits("    mounts: [{hostPath: /a, containerpath: /b, containerPath: /c}]\n"),
            "error: /etc/cdi/x.yaml:6:44: unknown key 'containerpath' in a mount\n"
            "    6 |     mounts: [{hostPath: /a, containerpath: /b, containerPath: /c}]\n"
            "      |                                            ^~\n"
            "hint: did you mean 'containerPath'?");
}

TEST(CdiSpec, NamesAreThoseOfTheSpecification) {
  EXPECT_EQ(error_of("cdiVersion: 0.6.0\nkind: gpu\ndevices: []\n"),
            "error: /etc/cdi/x.yaml:2:7: 'gpu' is no kind of devices\n"
            "    2 | kind: gpu\n"
            "      |       ^~~\n"
            "hint: a kind is like 'vendor.com/class'");
  EXPECT_EQ(error_of("cdiVersion: 0.6.0\nkind: v.com/c\ndevices: [{name: -a}]\n"),
            "error: /etc/cdi/x.yaml:3:18: '-a' is no name of a device\n"
            "    3 | devices: [{name: -a}]\n"
            "      |                  ^~\n"
            "hint: a name begins and ends with a letter or digit; '_', '-', '.' and ':' may be "
            "between");
  EXPECT_EQ(error_of("cdiVersion: 0.6.0\nkind: v.com/c\ndevices: [{name: a}, {name: a}]\n"),
            "error: /etc/cdi/x.yaml:3:29: there are two devices with the name 'a'\n"
            "    3 | devices: [{name: a}, {name: a}]\n"
            "      |                             ^");
  EXPECT_EQ(error_of("cdiVersion: 0.6.0\nkind: v.com/c\ndevices: []\n"),
            "error: /etc/cdi/x.yaml:3:10: key 'devices' of the specification has no device\n"
            "    3 | devices: []\n"
            "      |          ^");
  for (const char* kind : {"a", "a/", "/b", "a/b/c", "a b/c", "-a/b", "a/b-"}) {
    EXPECT_FALSE(is_cdi_kind(kind)) << kind;
  }
  EXPECT_TRUE(is_cdi_kind("k8s.device-plugin.nvidia.com/gpu"));
}

TEST(CdiSpec, ValuesOfEditsAreChecked) {
  EXPECT_EQ(error_of_edits("    env: [A]\n"),
            "error: /etc/cdi/x.yaml:6:11: 'A' is no variable\n"
            "    6 |     env: [A]\n"
            "      |           ^\n"
            "hint: write NAME=value");
  EXPECT_EQ(error_of_edits("    mounts: [{hostPath: a, containerPath: /b}]\n"),
            "error: /etc/cdi/x.yaml:6:25: key 'hostPath' of a mount must be an absolute path "
            "without '..', not 'a'\n"
            "    6 |     mounts: [{hostPath: a, containerPath: /b}]\n"
            "      |                         ^");
  EXPECT_EQ(first_line(error_of_edits("    mounts: [{hostPath: /a, containerPath: /b/../c}]\n")),
            "error: /etc/cdi/x.yaml:6:44: key 'containerPath' of a mount must be an absolute path "
            "without '..', not '/b/../c'");
  EXPECT_EQ(error_of_edits("    mounts: [{hostPath: /a, containerPath: /b, type: tmpfs}]\n"),
            "error: /etc/cdi/x.yaml:6:54: a mount of type 'tmpfs' is none that the runner makes\n"
            "    6 |     mounts: [{hostPath: /a, containerPath: /b, type: tmpfs}]\n"
            "      |                                                      ^~~~~");
  EXPECT_EQ(first_line(error_of_edits("    deviceNodes: [{path: /dev/a, type: x}]\n")),
            "error: /etc/cdi/x.yaml:6:40: 'x' is no type of a device node");
  EXPECT_EQ(first_line(error_of_edits("    deviceNodes: [{path: /dev/a, permissions: rx}]\n")),
            "error: /etc/cdi/x.yaml:6:47: 'rx' are no permissions of a device");
  EXPECT_EQ(first_line(error_of_edits("    deviceNodes: [{path: /dev/a, major: -1}]\n")),
            "error: /etc/cdi/x.yaml:6:41: key 'major' of a device node must be a number from 0 to "
            "4095, not '-1'");
  EXPECT_EQ(first_line(error_of_edits("    hooks: [{hookName: later, path: /a}]\n")),
            "error: /etc/cdi/x.yaml:6:24: 'later' is no time of a hook");
  EXPECT_EQ(first_line(error_of_edits("    env: {A: b}\n")),
            "error: /etc/cdi/x.yaml:6:10: key 'env' of 'containerEdits': expected a list, found a "
            "mapping");
  EXPECT_EQ(first_line(error_of_edits("    env: &a [B=c]\n")),
            "error: /etc/cdi/x.yaml:6:10: an anchor is not allowed");
}

}  // namespace
}  // namespace img
