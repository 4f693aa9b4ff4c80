// SPDX-License-Identifier: Apache-2.0
// What one torch wheel says of itself: METADATA, and for a deep look its version and its libraries.
#include "builder/facts/torch_wheel.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"
#include "builder/resolve/promises.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::uint64_t kMostMetadata = 4ull << 20;
constexpr const char* kMetadata = "*.dist-info/METADATA";
constexpr const char* kWheel = "*.dist-info/WHEEL";
constexpr const char* kVersion = "torch/version.py";
constexpr const char* kCuda = "torch/lib/libtorch_cuda.so";
constexpr const char* kCore = "torch/lib/libc10.so";

RemoteWheel remote_of(const IndexFile& file) {
  return {.file = file.file, .url = file.url, .sha256 = file.sha256, .size = file.size};
}

const std::string* text_like(const WheelMembers& members, const char* pattern) {
  for (const auto& [name, text] : members.texts) {
    if (glob_match(pattern, name)) return &text;
  }
  return nullptr;
}

[[noreturn]] void fail_member(const std::string& file, const std::string& member) {
  throw InputError("'" + printable(file) + "' has no member '" + member + "'");
}

/// Raises `highest` to the number behind `prefix` in `version`, when that is one.
void raise_to(std::string& highest, std::string_view version, std::string_view prefix) {
  if (!version.starts_with(prefix)) return;
  const std::string number(version.substr(prefix.size()));
  if (number.empty() || number.find_first_not_of("0123456789.") != std::string::npos) return;
  if (highest.empty() || compare_dotted(number, highest) > 0) highest = number;
}

ComputeCapability capability_of(GpuArch arch) { return {arch.number / 10, arch.number % 10}; }

void take_gpu_code(const FatBinaries& code, DeepFacts& deep) {
  deep.fat_binaries = code.count;
  deep.limits = code.limits;
  const std::vector<GpuArch> common = code.common_machine();
  for (const auto& [arch, holders] : code.machine) {
    const bool is_common = std::find(common.begin(), common.end(), arch) != common.end();
    if (is_common && arch.suffix == 0) {
      deep.compute.push_back(capability_of(arch));
    } else {
      deep.single.push_back(to_string(arch));
    }
  }
  for (const auto& [arch, holders] : code.ptx) {
    if (holders * 10 >= code.count * 9) deep.ptx.push_back(capability_of(arch));
  }
}

/// "linux_x86_64" of "Tag: cp311-cp311-linux_x86_64".
std::string platform_tag_of(const std::string& wheel) {
  for (const std::string& line : split(wheel, '\n')) {
    if (!line.starts_with("Tag:")) continue;
    const std::string_view tag = trim(std::string_view(line).substr(4));
    return std::string(tag.substr(tag.rfind('-') + 1));
  }
  return {};
}

WantedMembers deep_wishes() {
  return {.texts = {kMetadata, kWheel, kVersion},
          .libraries = {kCore, "torch/lib/libtorch_cpu.so", kCuda, "torch/lib/libtorch_python.so"}};
}

std::string tags_of(const IndexedVersion& version) {
  std::vector<std::string> tags;
  for (const auto& [tag, file] : version.wheels) tags.push_back(tag);
  return join(tags, ", ");
}

}  // namespace

DeepFacts deep_facts(const WheelMembers& members, const std::string& file) {
  DeepFacts deep;
  const std::string* version = text_like(members, kVersion);
  if (version == nullptr) fail_member(file, kVersion);
  const auto torch = parse_torch_version(*version);
  if (!torch) {
    throw InputError("'" + printable(file) + "' does not say in torch/version.py what it is");
  }
  deep.version = torch->version;
  deep.cuda = torch->cuda.value_or("");
  const std::string* wheel = text_like(members, kWheel);
  if (wheel == nullptr) fail_member(file, "WHEEL");
  deep.platform_tag = platform_tag_of(*wheel);
  for (const auto& [name, library] : members.libraries) {
    for (const VersionNeed& need : library.version_needs) {
      raise_to(deep.glibc, need.version, "GLIBC_");
      raise_to(deep.glibcxx, need.version, "GLIBCXX_");
      raise_to(deep.cxxabi, need.version, "CXXABI_");
    }
  }
  const auto core = members.libraries.find(kCore);
  if (core != members.libraries.end()) {
    const ElfFacts& facts = core->second;
    if (facts.old_string_symbols != facts.new_string_symbols) {
      deep.cxx11_abi = facts.new_string_symbols > facts.old_string_symbols ? "1" : "0";
    }
  }
  const auto cuda = members.libraries.find(kCuda);
  if (cuda == members.libraries.end() && !deep.cuda.empty()) fail_member(file, kCuda);
  if (cuda != members.libraries.end()) take_gpu_code(cuda->second.gpu_code, deep);
  deep.transport = members.transport;
  deep.bytes_read = members.bytes_read;
  return deep;
}

TorchReader::TorchReader(const Sources& sources, Store& store, Progress& progress,
                         RemoteOptions options)
    : sources_(sources), store_(store), progress_(progress), options_(std::move(options)) {}

const std::vector<IndexedVersion>& TorchReader::versions() {
  if (!versions_) versions_ = x86_64_wheels(read_project(sources_, "torch", options_));
  return *versions_;
}

std::string TorchReader::metadata_of(const IndexFile& file, bool& of_index) {
  if (file.has_metadata.value_or(true)) {
    RemoteFile remote(file.url + ".metadata", options_);
    if (const auto text = remote.read_small(kMostMetadata)) {
      const std::string got = to_hex(sha256(*text));
      if (!file.metadata_sha256.empty() && file.metadata_sha256 != got) {
        throw IntegrityError(ErrorText{
            .message = "the METADATA of '" + printable(file.file) + "' is not what the index lists",
            .details = {{"expected", "sha256:" + file.metadata_sha256, "index"},
                        {"got", "sha256:" + got, displayable_url(file.url + ".metadata")}}});
      }
      of_index = true;
      return *text;
    }
  }
  const WheelMembers members =
      read_wheel_members(remote_of(file), {.texts = {kMetadata}}, store_, progress_, options_);
  const std::string* text = text_like(members, kMetadata);
  if (text == nullptr) fail_member(file.file, "METADATA");
  return *text;
}

const std::vector<MetadataPin>& TorchReader::toolkit_pins(const std::string& version) {
  const auto known = toolkit_pins_.find(version);
  if (known != toolkit_pins_.end()) return known->second;
  if (!toolkits_) toolkits_ = x86_64_wheels(read_project(sources_, "cuda-toolkit", options_));
  for (const IndexedVersion& toolkit : *toolkits_) {
    // "13.0.3" is "13.0.3.0".
    if (compare_dotted(toolkit.version, version) != 0 || toolkit.wheels.empty()) continue;
    const IndexFile& file = toolkit.wheels.begin()->second;
    bool of_index = false;
    const WheelMetadata metadata = parse_wheel_metadata(metadata_of(file, of_index), file.file);
    return toolkit_pins_[version] = read_pins(metadata.requires_dist, file.file);
  }
  throw UnavailableError("the index has no cuda-toolkit " + version + ", which torch requires");
}

TorchWheelFacts TorchReader::read(const IndexedVersion& version, const std::string& python,
                                  bool deep) {
  const auto found = version.wheels.find(python);
  if (found == version.wheels.end()) {
    throw UnavailableError(ErrorText{
        .message = "torch " + version.version + " has no " + python + " wheel for Linux on x86_64",
        .hint = "it has " + tags_of(version)});
  }
  const IndexFile& file = found->second;
  TorchWheelFacts facts{.version = version.version,
                        .python = python,
                        .file = file.file,
                        .sha256 = file.sha256,
                        .size = file.size};
  std::string text;
  if (deep) {
    const WheelMembers members =
        read_wheel_members(remote_of(file), deep_wishes(), store_, progress_, options_);
    const std::string* metadata = text_like(members, kMetadata);
    if (metadata == nullptr) fail_member(file.file, "METADATA");
    text = *metadata;
    facts.deep = deep_facts(members, file.file);
  } else {
    text = metadata_of(file, facts.metadata_of_index);
  }
  const WheelMetadata metadata = parse_wheel_metadata(text, file.file);
  if (normalize_distribution(metadata.name) != "torch" ||
      metadata.version.substr(0, metadata.version.find('+')) != version.version) {
    throw InputError("'" + printable(file.file) + "' has the METADATA of " +
                     printable(metadata.name) + " " + printable(metadata.version));
  }
  facts.pins = torch_pins(read_pins(metadata.requires_dist, file.file));
  if (!facts.pins.toolkit.empty()) {
    add_toolkit_components(facts.pins, toolkit_pins(facts.pins.toolkit));
  }
  return facts;
}

}  // namespace img
