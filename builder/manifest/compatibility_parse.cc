// SPDX-License-Identifier: Apache-2.0
// Reads the compatibility table from its YAML.
#include "builder/base/yaml.h"
#include "builder/manifest/compatibility.h"
#include "builder/manifest/fields.h"

#include <set>

namespace img {
namespace {

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

TorchVariant read_variant(const YamlNode& node, const std::string& what) {
  YamlReader reader(node, what);
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
  variant.cxx11_abi = reader.text_or("cxx11_abi", "");
  variant.evidence = reader.text("evidence");
  if (variant.evidence != "A" && variant.evidence != "B" && variant.evidence != "C") {
    reader.required("evidence")
        .fail("'" + variant.evidence + "' is no evidence", "write A, B or C");
  }
  variant.source = reader.text_or("source", "");
  variant.note = reader.text_or("note", "");
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
  release.notes = reader.text_list("notes");
  release.source = reader.text_or("source", "");
  const YamlNode& variants = reader.required("variants");
  int defaults = 0;
  for (const YamlNode& item : variants.as_sequence(reader.name_of("variants"))) {
    release.variants.push_back(read_variant(item, "a variant of torch " + release.release));
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
    table.torch.push_back(read_release(item));
  }
  table.driver_floor = text_map(reader.required("driver_floor"), "'driver_floor'");
  table.toolkit_driver = text_map(reader.required("toolkit_driver"), "'toolkit_driver'");
  read_gpus(reader.required("gpus"), table);
  read_exceptions(reader.required("code_does_not_run"), table);
  for (const YamlNode& item : reader.required("claims").as_sequence("'claims'")) {
    table.claims.push_back(read_claim(item));
  }
  reader.finish();
  return table;
}

}  // namespace img
