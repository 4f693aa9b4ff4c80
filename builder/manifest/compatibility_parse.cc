// SPDX-License-Identifier: Apache-2.0
// Reads the compatibility table from its YAML.
#include "builder/base/text.h"
#include "builder/base/yaml.h"
#include "builder/manifest/compatibility.h"
#include "builder/manifest/fields.h"

#include <algorithm>
#include <array>
#include <set>

namespace img {
namespace {

/// Keys of a variant that a wheel can confirm.
constexpr std::array<std::string_view, 14> kVerifiable = {
    "components", "compute", "cuda", "cudnn",   "cusparselt", "cxx11_abi", "cxxabi",
    "glibc",      "glibcxx", "nccl", "nvshmem", "ptx",        "toolkit",   "triton"};

std::string without_dots(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '.'), text.end());
  return text;
}

ComputeCapability capability_field(const YamlNode& node, const std::string& what) {
  const std::string text = version_field(node, what);
  const auto capability = parse_compute_capability(text);
  if (!capability) node.fail("'" + text + "' is no compute capability for " + what);
  return *capability;
}

std::vector<ComputeCapability> capabilities_field(YamlReader& reader, const char* key) {
  std::vector<ComputeCapability> capabilities;
  if (const YamlNode* node = reader.optional(key)) {
    for (const YamlNode& item : node->as_sequence(reader.name_of(key))) {
      capabilities.push_back(capability_field(item, "an item of " + reader.name_of(key)));
    }
  }
  return capabilities;
}

std::map<std::string, std::string> text_map(const YamlNode& node, const std::string& what) {
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : node.as_mapping(what)) {
    map[key.text()] = version_field(value, "'" + key.text() + "' in " + what);
  }
  return map;
}

std::string evidence_field(YamlReader& reader) {
  std::string evidence = reader.text("evidence");
  if (evidence != "A" && evidence != "B" && evidence != "C") {
    reader.required("evidence").fail("'" + evidence + "' is no evidence", "write A, B or C");
  }
  return evidence;
}

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Verified read_verified(const YamlNode& node, const std::string& what) {
  YamlReader reader(node, what);
  Verified proof;
  proof.torch = version_field(reader.required("torch"), reader.name_of("torch"));
  proof.python = reader.text("python");
  proof.sha256 = reader.text("sha256");
  if (!is_hex_digest(proof.sha256)) {
    reader.required("sha256").fail("'" + proof.sha256 + "' is no SHA-256 of a wheel");
  }
  proof.read = reader.text("read");
  if (!parse_rfc3339(proof.read + "T00:00:00Z")) {
    reader.required("read").fail("'" + proof.read + "' is no day", "write e.g. \"2026-11-25\"");
  }
  proof.values = reader.text_list("values");
  for (const std::string& value : proof.values) {
    if (std::find(kVerifiable.begin(), kVerifiable.end(), value) != kVerifiable.end()) continue;
    const std::vector<std::string> known(kVerifiable.begin(), kVerifiable.end());
    const auto near = did_you_mean(value, known);
    reader.required("values").fail("'" + value + "' is no value that a wheel can confirm",
                                   near ? "did you mean '" + *near + "'?" : "");
  }
  reader.finish();
  return proof;
}

void read_verified_list(YamlReader& reader, TorchVariant& variant, const std::string& release) {
  const YamlNode* list = reader.optional("verified");
  if (list == nullptr) return;
  std::set<std::pair<std::string, std::string>> seen;
  for (const YamlNode& item : list->as_sequence(reader.name_of("verified"))) {
    const Verified proof = read_verified(item, "an item of " + reader.name_of("verified"));
    if (proof.torch != release && !proof.torch.starts_with(release + ".")) {
      item.fail("torch " + proof.torch + " does not belong to release " + release);
    }
    if (!seen.insert({proof.torch, proof.python}).second) {
      item.fail("the " + proof.python + " wheel of torch " + proof.torch + " is given twice");
    }
    variant.verified.push_back(proof);
  }
}

/// Values that cannot both be true.
void require_one_story(const YamlNode& node, const TorchVariant& variant) {
  const std::string name = "cu" + without_dots(variant.cuda);
  if (variant.name != name) {
    node.fail("variant '" + variant.name + "' cannot be for CUDA " + variant.cuda,
              "its name would be '" + name + "'");
  }
  if (!variant.toolkit.empty() && variant.toolkit != variant.cuda &&
      !variant.toolkit.starts_with(variant.cuda + ".")) {
    node.fail("toolkit " + variant.toolkit + " is not of CUDA " + variant.cuda);
  }
}

TorchVariant read_variant(const YamlNode& node, const std::string& release) {
  YamlReader reader(node, "a variant of torch " + release);
  TorchVariant variant;
  variant.name = reader.text("name");
  variant.cuda = version_field(reader.required("cuda"), reader.name_of("cuda"));
  variant.toolkit = reader.text_or("toolkit", "");
  variant.is_default = reader.boolean_or("default", false);
  variant.status = reader.text_or("status", "stable");
  variant.compute = capabilities_field(reader, "compute");
  variant.ptx = capabilities_field(reader, "ptx");
  variant.cudnn = reader.text_or("cudnn", "");
  variant.nccl = reader.text_or("nccl", "");
  variant.cusparselt = reader.text_or("cusparselt", "");
  variant.nvshmem = reader.text_or("nvshmem", "");
  if (const YamlNode* components = reader.optional("components")) {
    variant.components = text_map(*components, reader.name_of("components"));
  }
  variant.glibc = reader.text_or("glibc", "");
  variant.glibcxx = reader.text_or("glibcxx", "");
  variant.cxxabi = reader.text_or("cxxabi", "");
  variant.cxx11_abi = reader.text_or("cxx11_abi", "");
  variant.evidence = evidence_field(reader);
  variant.source = reader.text_or("source", "");
  variant.note = reader.text_or("note", "");
  read_verified_list(reader, variant, release);
  require_one_story(node, variant);
  reader.finish();
  return variant;
}

TorchRelease read_release(const YamlNode& node) {
  YamlReader reader(node, "a release");
  TorchRelease release;
  release.release = version_field(reader.required("release"), reader.name_of("release"));
  release.patches = reader.text_list("patches");
  release.stable_since = reader.text_or("stable_since", "");
  release.python = reader.text_list("python");
  release.python_experimental = reader.text_list("python_experimental");
  release.triton = reader.text_or("triton", "");
  if (const YamlNode* patches = reader.optional("triton_by_patch")) {
    release.triton_by_patch = text_map(*patches, reader.name_of("triton_by_patch"));
  }
  release.notes = reader.text_list("notes");
  release.source = reader.text_or("source", "");
  const YamlNode& variants = reader.required("variants");
  int defaults = 0;
  for (const YamlNode& item : variants.as_sequence(reader.name_of("variants"))) {
    TorchVariant variant = read_variant(item, release.release);
    if (release.find_cuda(variant.name) != nullptr) {
      item.fail("variant '" + variant.name + "' of torch " + release.release + " is given twice");
    }
    release.variants.push_back(std::move(variant));
    defaults += release.variants.back().is_default ? 1 : 0;
  }
  if (defaults != 1) {
    variants.fail("torch " + release.release + " has " + std::to_string(defaults) +
                  " default variants, not one");
  }
  reader.finish();
  return release;
}

GpuModel read_gpu(const YamlNode& node) {
  YamlReader reader(node, "a GPU");
  GpuModel gpu;
  gpu.name = reader.text("name");
  gpu.compute = capability_field(reader.required("compute"), reader.name_of("compute"));
  gpu.architecture = reader.text("architecture");
  gpu.toolkit = reader.text("toolkit");
  gpu.removed_in = reader.text_or("removed_in", "");
  reader.finish();
  return gpu;
}

Claim read_claim(const YamlNode& node) {
  YamlReader reader(node, "a claim");
  Claim claim;
  claim.claim = reader.text("claim");
  claim.truth = reader.text("truth");
  claim.torch = reader.text_or("torch", "");
  claim.cuda = reader.text_list("cuda");
  reader.finish();
  return claim;
}

void read_gpus(const YamlNode& node, Compatibility& table) {
  std::set<std::string> names;
  for (const YamlNode& item : node.as_sequence("'gpus'")) {
    table.gpus.push_back(read_gpu(item));
    if (!names.insert(table.gpus.back().name).second) {
      item.fail("GPU '" + table.gpus.back().name + "' is given twice");
    }
  }
}

SdpaRule read_sdpa(const YamlNode& node) {
  YamlReader reader(node, "an SDPA rule");
  SdpaRule rule;
  rule.torch_from = version_field(reader.required("torch_from"), reader.name_of("torch_from"));
  rule.torch_to = reader.text_or("torch_to", "");
  rule.cuda_from = reader.text_or("cuda_from", "");
  rule.cuda_to = reader.text_or("cuda_to", "");
  rule.compute_from =
      capability_field(reader.required("compute_from"), reader.name_of("compute_from"));
  rule.compute_to = capability_field(reader.required("compute_to"), reader.name_of("compute_to"));
  if (rule.compute_to < rule.compute_from) {
    node.fail("an SDPA rule ends before it begins: " + to_string(rule.compute_from) + " to " +
              to_string(rule.compute_to));
  }
  rule.backend = reader.text("backend");
  if (rule.backend != "flash" && rule.backend != "mem-efficient" && rule.backend != "cudnn") {
    reader.required("backend").fail("'" + rule.backend + "' is no backend",
                                    "write flash, mem-efficient or cudnn");
  }
  rule.evidence = evidence_field(reader);
  rule.source = reader.text_or("source", "");
  reader.finish();
  return rule;
}

void read_exceptions(const YamlNode& node, Compatibility& table) {
  for (const YamlNode& item : node.as_sequence("'code_does_not_run'")) {
    YamlReader reader(item, "an exception");
    const auto code = capability_field(reader.required("code"), reader.name_of("code"));
    const auto device = capability_field(reader.required("device"), reader.name_of("device"));
    table.does_not_run.emplace_back(code, device);
    reader.finish();
  }
}

}  // namespace

Compatibility parse_compatibility(std::string text, const std::string& name) {
  const YamlNode root = parse_yaml(std::move(text), name);
  YamlReader reader(root, "the compatibility table");
  const YamlNode& schema = reader.required("schema");
  if (schema.as_text(reader.name_of("schema")) != "imgcompat/v1") {
    schema.fail("unknown schema '" + schema.text() + "'", "write 'imgcompat/v1'");
  }
  Compatibility table;
  for (const YamlNode& item : reader.required("torch").as_sequence("'torch'")) {
    TorchRelease release = read_release(item);
    if (table.find_torch(release.release) != nullptr) {
      item.fail("release " + release.release + " is given twice");
    }
    table.torch.push_back(std::move(release));
  }
  table.driver_floor = text_map(reader.required("driver_floor"), "'driver_floor'");
  table.toolkit_driver = text_map(reader.required("toolkit_driver"), "'toolkit_driver'");
  read_gpus(reader.required("gpus"), table);
  read_exceptions(reader.required("code_does_not_run"), table);
  for (const YamlNode& item : reader.required("sdpa").as_sequence("'sdpa'")) {
    table.sdpa.push_back(read_sdpa(item));
  }
  for (const YamlNode& item : reader.required("claims").as_sequence("'claims'")) {
    table.claims.push_back(read_claim(item));
  }
  reader.finish();
  return table;
}

}  // namespace img
