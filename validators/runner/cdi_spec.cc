// SPDX-License-Identifier: Apache-2.0
// Parses one file of the Container Device Interface.
#include "validators/runner/cdi_spec.h"

#include "builder/base/text.h"
#include "validators/runner/cdi_node.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace img {
namespace {

constexpr std::array kVersions = {"0.3.0", "0.4.0", "0.5.0", "0.6.0",
                                  "0.7.0", "0.8.0", "1.0.0", "1.1.0"};
constexpr std::array kHookNames = {"prestart",       "createRuntime", "createContainer",
                                   "startContainer", "poststart",     "poststop"};
constexpr std::uint64_t kMostId = std::numeric_limits<std::uint32_t>::max();

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

/// Alphanumeric at both ends, between them also `others`.
bool is_name(std::string_view text, std::string_view others) {
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

class SpecParser {
 public:
  CdiSpec parse(const CdiNode& root, const std::string& name) {
    CdiReader reader(root, "the specification");
    CdiSpec spec{.file = name};
    version_ = version_of(reader.required("cdiVersion"), reader.name_of("cdiVersion"));
    spec.version = kVersions[version_];
    spec.kind = kind_of(reader.required("kind"), reader.name_of("kind"));
    annotations(reader);
    const CdiNode& devices = reader.required("devices");
    std::set<std::string> names;
    for (const CdiNode& item : devices.as_list(reader.name_of("devices"))) {
      spec.devices.push_back(device_of(item, names));
    }
    if (spec.devices.empty()) devices.fail("key 'devices' of the specification has no device");
    if (const CdiNode* edits = reader.optional("containerEdits")) spec.edits = edits_of(*edits);
    reader.finish();
    return spec;
  }

 private:
  static std::size_t version_of(const CdiNode& node, const std::string& what) {
    std::string_view text = node.as_text(what);
    if (text.starts_with("v")) text.remove_prefix(1);
    const auto found = std::find(kVersions.begin(), kVersions.end(), text);
    if (found != kVersions.end()) return static_cast<std::size_t>(found - kVersions.begin());
    const std::vector<std::string> known(kVersions.begin(), kVersions.end());
    node.fail("version '" + std::string(text) + "' of the CDI specification is not known",
              "known are " + join(known, ", "));
  }

  /// A key that came with a version must not be in files of an older one: who wrote the file may
  /// have meant something else by it.
  void since(const CdiNode& node, const std::string& what, const char* version) const {
    const auto found = std::find(kVersions.begin(), kVersions.end(), std::string_view(version));
    if (version_ >= static_cast<std::size_t>(found - kVersions.begin())) return;
    node.fail(what + " came with version " + version + ", but the file says " + kVersions[version_],
              std::string("write 'cdiVersion: ") + version + "'");
  }

  std::string kind_of(const CdiNode& node, const std::string& what) const {
    const std::string& kind = node.as_text(what);
    if (!is_cdi_kind(kind)) {
      node.fail("'" + kind + "' is no kind of devices", "a kind is like 'vendor.com/class'");
    }
    if (kind.substr(kind.find('/')).find('.') != std::string::npos) {
      since(node, "a '.' in the class of a kind", "0.6.0");
    }
    return kind;
  }

  void annotations(CdiReader& reader) const {
    const CdiNode* node = reader.optional("annotations");
    if (node == nullptr) return;
    since(*node, "key 'annotations'", "0.6.0");
    for (const auto& [name, value] : node->as_mapping(reader.name_of("annotations"))) {
      value.as_text("annotation '" + name + "'");
    }
  }

  CdiDevice device_of(const CdiNode& node, std::set<std::string>& names) const {
    CdiReader reader(node, "a device");
    CdiDevice device{.name = reader.text("name")};
    const CdiNode& name = reader.required("name");
    if (!is_cdi_device_name(device.name)) {
      name.fail("'" + device.name + "' is no name of a device",
                "a name begins and ends with a letter or digit; '_', '-', '.' and ':' may be "
                "between");
    }
    if (!is_letter(device.name.front())) since(name, "a device name with a digit first", "0.5.0");
    if (!names.insert(device.name).second) {
      name.fail("there are two devices with the name '" + device.name + "'");
    }
    annotations(reader);
    if (const CdiNode* edits = reader.optional("containerEdits")) device.edits = edits_of(*edits);
    reader.finish();
    return device;
  }

  CdiEdits edits_of(const CdiNode& node) const {
    CdiReader reader(node, "'containerEdits'");
    CdiEdits edits;
    edits.env = variables(reader);
    each(reader, "deviceNodes",
         [&](const CdiNode& item) { edits.device_nodes.push_back(device_node_of(item)); });
    each(reader, "mounts", [&](const CdiNode& item) { edits.mounts.push_back(mount_of(item)); });
    each(reader, "hooks", [&](const CdiNode& item) { edits.hooks.push_back(hook_of(item)); });
    if (const CdiNode* groups = reader.optional("additionalGids")) {
      since(*groups, "key 'additionalGids'", "0.7.0");
      for (const CdiNode& item : groups->as_list(reader.name_of("additionalGids"))) {
        const std::uint64_t id = item.as_number("a group id", kMostId);
        if (id != 0) edits.groups.push_back(static_cast<std::uint32_t>(id));
      }
    }
    if (const CdiNode* rdt = reader.optional("intelRdt")) {
      since(*rdt, "key 'intelRdt'", "0.7.0");
      rdt->as_mapping(reader.name_of("intelRdt"));
      edits.intel_rdt = true;
    }
    if (const CdiNode* net = reader.optional("netDevices")) {
      since(*net, "key 'netDevices'", "1.1.0");
      edits.net_devices = !net->as_list(reader.name_of("netDevices")).empty();
    }
    reader.finish();
    return edits;
  }

  template <typename Body>
  static void each(CdiReader& reader, const char* key, Body&& body) {
    const CdiNode* list = reader.optional(key);
    if (list == nullptr) return;
    for (const CdiNode& item : list->as_list(reader.name_of(key))) body(item);
  }

  static std::vector<std::string> variables(CdiReader& reader) {
    std::vector<std::string> list;
    each(reader, "env", [&](const CdiNode& item) {
      const std::string& text = item.as_text("an entry of " + reader.name_of("env"));
      if (text.find('=') == std::string::npos || text.front() == '=') {
        item.fail("'" + text + "' is no variable", "write NAME=value");
      }
      list.push_back(text);
    });
    return list;
  }

  static std::string absolute_path(CdiReader& reader, const char* key) {
    const CdiNode& node = reader.required(key);
    const std::string& path = node.as_text(reader.name_of(key));
    const std::vector<std::string> parts = split(path, '/');
    if (!path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
      node.fail(reader.name_of(key) + " must be an absolute path without '..', not '" + path + "'");
    }
    std::string plain = fs::path(path).lexically_normal().string();
    if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
    return plain;
  }

  static std::optional<std::uint32_t> number(CdiReader& reader, const char* key,
                                             std::uint64_t most = kMostId) {
    const CdiNode* node = reader.optional(key);
    if (node == nullptr) return std::nullopt;
    return static_cast<std::uint32_t>(node->as_number(reader.name_of(key), most));
  }

  CdiDeviceNode device_node_of(const CdiNode& node) const {
    CdiReader reader(node, "a device node");
    CdiDeviceNode device{.path = absolute_path(reader, "path")};
    device.host_path = device.path;
    if (const CdiNode* host = reader.optional("hostPath")) {
      since(*host, "key 'hostPath' of a device node", "0.5.0");
      device.host_path = absolute_path(reader, "hostPath");
    }
    if (const CdiNode* type = reader.optional("type")) {
      device.type = type->as_text(reader.name_of("type"));
      if (device.type.size() != 1 || std::string_view("bcup").find(device.type) > 3) {
        type->fail("'" + device.type + "' is no type of a device node", "use b, c, u or p");
      }
    }
    device.major = number(reader, "major", 0xfff);
    device.minor = number(reader, "minor", 0xfffff);
    device.file_mode = number(reader, "fileMode", 07777);
    device.uid = number(reader, "uid");
    device.gid = number(reader, "gid");
    if (const CdiNode* node_permissions = reader.optional("permissions")) {
      device.permissions = node_permissions->as_text(reader.name_of("permissions"));
      if (device.permissions != "none" &&
          device.permissions.find_first_not_of("rwm") != std::string::npos) {
        node_permissions->fail("'" + device.permissions + "' are no permissions of a device",
                               "use letters of rwm, or none");
      }
    }
    reader.finish();
    return device;
  }

  CdiMount mount_of(const CdiNode& node) const {
    CdiReader reader(node, "a mount");
    CdiMount mount{.host_path = absolute_path(reader, "hostPath"),
                   .container_path = absolute_path(reader, "containerPath")};
    if (const CdiNode* type = reader.optional("type")) {
      since(*type, "key 'type' of a mount", "0.4.0");
      mount.type = type->as_text(reader.name_of("type"));
      const bool bind = mount.type.empty() || mount.type == "bind" || mount.type == "none";
      if (!bind) type->fail("a mount of type '" + mount.type + "' is none that the runner makes");
    }
    mount.options = reader.text_list("options");
    reader.finish();
    return mount;
  }

  static CdiHook hook_of(const CdiNode& node) {
    CdiReader reader(node, "a hook");
    CdiHook hook{.when = reader.text("hookName"), .path = absolute_path(reader, "path")};
    if (std::find(kHookNames.begin(), kHookNames.end(), hook.when) == kHookNames.end()) {
      const std::vector<std::string> known(kHookNames.begin(), kHookNames.end());
      reader.required("hookName")
          .fail("'" + hook.when + "' is no time of a hook", "use " + join(known, ", "));
    }
    hook.arguments = reader.text_list("args");
    hook.env = variables(reader);
    number(reader, "timeout");
    reader.finish();
    return hook;
  }

  std::size_t version_ = 0;  // in kVersions
};

}  // namespace

bool is_cdi_device_name(std::string_view name) { return is_name(name, "_-.:"); }

bool is_cdi_kind(std::string_view kind) {
  const std::size_t slash = kind.find('/');
  if (slash == std::string_view::npos || slash > 253) return false;
  const std::string_view vendor = kind.substr(0, slash), device_class = kind.substr(slash + 1);
  return is_name(vendor, "_-.") && device_class.size() <= 63 && is_name(device_class, "_-.");
}

CdiSpec parse_cdi_spec(std::string text, const std::string& name) {
  return SpecParser().parse(CdiNode::parse(std::move(text), name), name);
}

}  // namespace img
