// SPDX-License-Identifier: Apache-2.0
// Writes the runtime-spec document of one container.
#include "validators/runner/runtime_config.h"

#include "builder/base/text.h"
#include "validators/runner/skeleton.h"

#include <algorithm>

#include <sys/resource.h>

namespace img {
namespace {

constexpr std::uint64_t kDescriptors = 65536;
constexpr const char* kTmpSize = "size=1g";
constexpr const char* kTmpFiles = "nr_inodes=200k";
constexpr const char* kSharedMemorySize = "size=1g";  // all-reduce over processes lives there

Json mount(const char* place, const char* type, std::vector<std::string> options) {
  return {{"destination", place}, {"type", type}, {"source", type}, {"options", options}};
}

Json mounts_of(const ContainerProcess& process, const ContainerEdits& edits) {
  Json mounts = Json::array();
  mounts.push_back(mount("/proc", "proc", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(
      mount("/dev", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=64k", "ro"}));
  mounts.push_back(mount("/dev/shm", "tmpfs",
                         {"nosuid", "noexec", "nodev", "mode=1777", kSharedMemorySize, kTmpFiles}));
  mounts.push_back(mount("/sys", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  if (process.writable_tmp) {
    // Not noexec: torch.compile loads from there what it has compiled.
    mounts.push_back(mount("/tmp", "tmpfs", {"nosuid", "nodev", "mode=1777", kTmpSize, kTmpFiles}));
  }
  if (!process.bundle.empty()) {
    mounts.push_back({{"destination", kBundlePlace},
                      {"type", "bind"},
                      {"source", process.bundle.string()},
                      {"options", {"bind", "ro", "nosuid", "nodev"}}});
  }
  for (const Json& extra : edits.mounts) mounts.push_back(extra);
  return mounts;
}

Json limit(const char* type, std::uint64_t value) {
  return {{"type", type}, {"soft", value}, {"hard", value}};
}

/// Raising a hard limit takes a right that even root may lack.
std::uint64_t at_most_hard(int resource, std::uint64_t wanted) {
  rlimit now{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0) return wanted;
  return std::min<std::uint64_t>(wanted, now.rlim_max);
}

Json rlimits_of(const ContainerLimits& limits, const RuntimeTraits& traits) {
  Json list = Json::array();
  list.push_back(limit("RLIMIT_CORE", 0));
  list.push_back(limit("RLIMIT_NOFILE", at_most_hard(RLIMIT_NOFILE, kDescriptors)));
  if (!traits.cgroups) {
    list.push_back(limit("RLIMIT_NPROC", at_most_hard(RLIMIT_NPROC, limits.processes)));
    // Not RLIMIT_AS: torch reserves far more addresses than it uses memory.
    list.push_back(limit("RLIMIT_DATA", at_most_hard(RLIMIT_DATA, limits.memory_bytes)));
  }
  return list;
}

/// What no probe needs and what has been a way out of containers before. A list of what is allowed
/// would have to know what every library of every image does.
Json seccomp_filter(const RuntimeTraits& traits) {
  std::vector<std::string> refused = {"acct",
                                      "add_key",
                                      "bpf",
                                      "clock_adjtime",
                                      "clock_settime",
                                      "delete_module",
                                      "finit_module",
                                      "fsconfig",
                                      "fsmount",
                                      "fsopen",
                                      "fspick",
                                      "init_module",
                                      "io_uring_enter",
                                      "io_uring_register",
                                      "io_uring_setup",
                                      "ioperm",
                                      "iopl",
                                      "kexec_file_load",
                                      "kexec_load",
                                      "keyctl",
                                      "lookup_dcookie",
                                      "mount",
                                      "mount_setattr",
                                      "move_mount",
                                      "name_to_handle_at",
                                      "open_by_handle_at",
                                      "open_tree",
                                      "perf_event_open",
                                      "pivot_root",
                                      "process_vm_readv",
                                      "process_vm_writev",
                                      "ptrace",
                                      "quotactl",
                                      "reboot",
                                      "request_key",
                                      "setns",
                                      "settimeofday",
                                      "swapoff",
                                      "swapon",
                                      "syslog",
                                      "umount2",
                                      "userfaultfd",
                                      "vhangup"};
  // The enter program makes one more user namespace; without it there is no reason for any.
  if (!traits.rootless) refused.push_back("unshare");
  Json rules = Json::array();
  rules.push_back({{"names", refused}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", 1}});
  if (!traits.rootless) {
    constexpr std::uint64_t kNewUser = 0x10000000;
    rules.push_back({{"names", {"clone"}},
                     {"action", "SCMP_ACT_ERRNO"},
                     {"errnoRet", 1},
                     {"args",
                      {{{"index", 0},
                        {"value", kNewUser},
                        {"valueTwo", kNewUser},
                        {"op", "SCMP_CMP_MASKED_EQ"}}}}});
    // Its flags are in memory, where no filter sees them; libc then takes clone.
    rules.push_back({{"names", {"clone3"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", 38}});
  }
  return {
    {"defaultAction", "SCMP_ACT_ALLOW"},
#if defined(__x86_64__)
        {"architectures", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
#elif defined(__aarch64__)
        {"architectures", {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}},
#endif
    {
      "syscalls", rules
    }
  };
}

Json linux_of(const ContainerLimits& limits, const RuntimeTraits& traits,
              const ContainerEdits& edits) {
  Json namespaces = Json::array();
  for (const char* type : {"pid", "network", "ipc", "uts", "mount"}) {
    namespaces.push_back({{"type", type}});
  }
  Json resources = Json::object();
  if (traits.cgroups) {
    resources["memory"] = {{"limit", limits.memory_bytes}};
    resources["pids"] = {{"limit", limits.processes}};
  }
  if (traits.cgroups && !edits.device_rules.empty()) resources["devices"] = edits.device_rules;
  Json result = {{"namespaces", namespaces},
                 {"resources", resources},
                 {"maskedPaths",
                  {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                   "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
                   "/sys/firmware", "/sys/devices/virtual/powercap"}},
                 {"readonlyPaths",
                  {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
  if (!edits.devices.empty()) result["devices"] = edits.devices;
  if (traits.seccomp) result["seccomp"] = seccomp_filter(traits);
  return result;
}

Json user_of(const ContainerProcess& process, const RuntimeTraits& traits,
             const ContainerEdits& edits) {
  if (traits.rootless) return {{"uid", 0}, {"gid", 0}};
  Json user = {{"uid", process.uid}, {"gid", process.gid}};
  if (!edits.groups.empty()) user["additionalGids"] = edits.groups;
  return user;
}

Json process_of(const ContainerProcess& process, const ContainerLimits& limits,
                const RuntimeTraits& traits, const ContainerEdits& edits) {
  std::vector<std::string> arguments = {kEnterPlace};
  if (!process.arguments.empty()) {
    arguments.insert(arguments.end(), {std::to_string(process.uid), std::to_string(process.gid)});
    arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
  }
  Json none = Json::array();
  // The kernel maps root of a user namespace into another only for who may set file capabilities
  // (Linux 5.12); the enter program loses it with that, and its program never has any.
  const bool maps_root = traits.rootless && (process.uid != 0 || process.gid != 0);
  Json held = none;
  if (maps_root) held.push_back("CAP_SETFCAP");
  return {{"terminal", false},
          {"user", user_of(process, traits, edits)},
          {"args", arguments},
          {"env", process.env},
          {"cwd", process.working_dir},
          {"capabilities",
           {{"bounding", held},
            {"effective", held},
            {"inheritable", none},
            {"permitted", held},
            {"ambient", none}}},
          {"rlimits", rlimits_of(limits, traits)},
          {"noNewPrivileges", true}};
}

/// The image's own folders come first, as they do before the cache of its loader.
void append_library_path(std::vector<std::string>& env, const std::vector<std::string>& folders) {
  if (folders.empty()) return;
  const std::string name = "LD_LIBRARY_PATH=";
  const auto found = std::find_if(
      env.begin(), env.end(), [&](const std::string& entry) { return entry.starts_with(name); });
  if (found == env.end()) {
    env.push_back(name + join(folders, ":"));
  } else {
    *found += (*found == name ? "" : ":") + join(folders, ":");
  }
}

bool is_variable(const std::string& entry) {
  const std::size_t equals = entry.find('=');
  return equals != std::string::npos && equals != 0 && entry.find('\0') == std::string::npos;
}

}  // namespace

Json runtime_config(const ContainerProcess& process, const ContainerLimits& limits,
                    const RuntimeTraits& traits, const ContainerEdits& edits) {
  ContainerProcess with_edits = process;
  with_edits.env = call_environment(process.env, {}, edits.env);
  append_library_path(with_edits.env, edits.library_path);
  return {{"ociVersion", "1.0.2"},
          {"process", process_of(with_edits, limits, traits, edits)},
          {"root", {{"path", "rootfs"}, {"readonly", true}}},
          {"hostname", "imgcheck"},
          {"mounts", mounts_of(process, edits)},
          {"linux", linux_of(limits, traits, edits)}};
}

std::vector<std::string> call_environment(const std::vector<std::string>& image,
                                          const std::vector<std::string>& unset,
                                          const std::map<std::string, std::string>& added) {
  std::map<std::string, std::string> variables;
  for (const std::string& entry : image) {
    if (!is_variable(entry)) continue;
    const std::size_t equals = entry.find('=');
    variables.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
  }
  for (const std::string& name : unset) variables.erase(name);
  for (const auto& [name, value] : added) variables.insert_or_assign(name, value);
  std::vector<std::string> result;
  for (const auto& [name, value] : variables) result.push_back(name + "=" + value);
  return result;
}

}  // namespace img
