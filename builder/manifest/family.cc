// SPDX-License-Identifier: Apache-2.0
// Reads family files and writes the manifests of their members.
#include "builder/manifest/family.h"

#include "builder/base/file.h"
#include "builder/base/text.h"
#include "builder/base/yaml.h"
#include "builder/manifest/fields.h"

#include <algorithm>
#include <optional>
#include <set>

namespace img {
namespace {

[[noreturn]] void fail_member(const FamilyMember& member, const std::string& message,
                              const std::string& hint = {}) {
  throw ManifestError(ErrorText{.message = message, .position = member.position, .hint = hint});
}

std::map<std::string, FamilyBase> read_bases(const YamlNode& node) {
  std::map<std::string, FamilyBase> bases;
  for (const auto& [key, value] : node.as_mapping("'bases'")) {
    YamlReader reader(value, "base '" + key.text() + "'");
    FamilyBase base{.recipe = reader.text("recipe"),
                    .python = version_field(reader.required("python"), reader.name_of("python"))};
    reader.finish();
    bases[key.text()] = std::move(base);
  }
  return bases;
}

std::map<std::string, std::string> read_cuda(const YamlNode& node) {
  std::map<std::string, std::string> recipes;
  for (const auto& [key, value] : node.as_mapping("'cuda'")) {
    recipes[key.text()] = value.as_text("the recipe of CUDA " + key.text());
  }
  return recipes;
}

FamilyMember read_member(const YamlNode& node, const Family& family) {
  YamlReader reader(node, "a member");
  FamilyMember member;
  member.position = node.position();
  member.torch = version_field(reader.required("torch"), reader.name_of("torch"));
  member.base = reader.text("base");
  if (!family.bases.contains(member.base)) {
    std::vector<std::string> known;
    for (const auto& [name, base] : family.bases) known.push_back(name);
    const auto near = did_you_mean(member.base, known);
    reader.required("base").fail(
        "there is no base '" + member.base + "' in this family",
        near ? "did you mean '" + *near + "'?" : "write one of: " + join(known, ", "));
  }
  reader.finish();
  return member;
}

bool is_folder_name(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
}

/// "9.10" of "9.10.2.21"
std::string major_minor(const std::string& version) {
  const std::vector<std::string> parts = split(version, '.');
  return parts.size() < 2 ? version : parts[0] + "." + parts[1];
}

std::string without_dots(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '.'), text.end());
  return text;
}

const TorchVariant& variant_of(const FamilyMember& member, const TorchRelease& release) {
  const TorchVariant* variant = release.default_variant();
  if (variant == nullptr || variant->cudnn.empty() || variant->nccl.empty()) {
    fail_member(
        member,
        "the compatibility table does not say which cuDNN and NCCL torch " + member.torch + " has",
        "read its wheel: imgbuild facts --deep --torch " + member.torch);
  }
  return *variant;
}

void require_python(const FamilyMember& member, const TorchRelease& release,
                    const std::string& python) {
  const auto& pythons = release.python;
  if (std::find(pythons.begin(), pythons.end(), python) != pythons.end()) return;
  fail_member(member, "torch " + member.torch + " has no wheels for Python " + python,
              "it has them for " + join(pythons, ", "));
}

std::string promised_gpus(const Family& family, const FamilyMember& member,
                          const Compatibility& table, const TorchVariant& variant) {
  std::vector<std::string> names;
  for (const std::string& name : family.gpus) {
    const GpuModel* gpu = table.find_gpu(name);
    if (gpu == nullptr)
      fail_member(member, "the compatibility table does not know GPU '" + name + "'");
    if (table.covers(variant, gpu->compute).value_or(false)) names.push_back(name);
  }
  return join(names, ", ");
}

}  // namespace

Family parse_family(std::string text, const std::string& name) {
  const YamlNode root = parse_yaml(std::move(text), name);
  YamlReader reader(root, "the family");
  const YamlNode& schema = reader.required("schema");
  if (schema.as_text(reader.name_of("schema")) != "imgfamily/v1") {
    schema.fail("unknown schema '" + schema.text() + "'", "write 'imgfamily/v1'");
  }
  Family family;
  family.file = name;
  family.name = reader.text("name");
  family.folder = reader.text("folder");
  if (!is_folder_name(family.folder)) {
    reader.required("folder").fail("'" + family.folder + "' is no name of a folder");
  }
  family.bases = read_bases(reader.required("bases"));
  family.cuda = read_cuda(reader.required("cuda"));
  family.gpus = reader.text_list("gpus");
  std::set<std::pair<std::string, std::string>> seen;
  for (const YamlNode& item : reader.required("members").as_sequence("'members'")) {
    FamilyMember member = read_member(item, family);
    if (!seen.insert({member.torch, family.bases.at(member.base).python}).second) {
      item.fail("torch " + member.torch + " with Python " + family.bases.at(member.base).python +
                " is given twice");
    }
    family.members.push_back(std::move(member));
  }
  if (family.members.empty()) reader.required("members").fail("the family has no member");
  reader.finish();
  return family;
}

FamilyManifest family_manifest(const Family& family, const FamilyMember& member,
                               const Compatibility& table) {
  const TorchRelease* release = table.find_torch(member.torch);
  const bool known = release != nullptr &&
                     std::find(release->patches.begin(), release->patches.end(), member.torch) !=
                         release->patches.end();
  if (!known) {
    fail_member(member, "the compatibility table does not have torch " + member.torch,
                "read its wheel: imgbuild facts --deep --torch " + member.torch);
  }
  const FamilyBase& base = family.bases.at(member.base);
  require_python(member, *release, base.python);
  const TorchVariant& variant = variant_of(member, *release);
  const auto recipe = family.cuda.find(variant.cuda);
  if (recipe == family.cuda.end()) {
    fail_member(member,
                "the family has no recipe for CUDA " + variant.cuda + ", which torch " +
                    member.torch + " is built for",
                "add it under `cuda:`");
  }
  FamilyManifest manifest;
  manifest.tag = member.torch + "-" + variant.name + "-py" + without_dots(base.python);
  manifest.path = family.folder + "/" + manifest.tag + ".yaml";
  const std::string gpus = promised_gpus(family, member, table, variant);
  manifest.text =
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# Written by `imgbuild family` from " +
      fs::path(family.file).filename().string() +
      "; change that file instead.\n"
      "schema: imgbuild/v1\n"
      "image:\n"
      "  name: " +
      family.name + "\n  tag: " + manifest.tag +
      "\n  platform: linux/amd64\n"
      "versions:\n"
      "  python: \"" +
      base.python + "\"\n  torch: \"" + member.torch + "\"\n  cuda: \"" + variant.cuda +
      "\"\n  cudnn: \"" + major_minor(variant.cudnn) + "\"\n  nccl: \"" +
      major_minor(variant.nccl) +
      "\"\n"
      "layers:\n"
      "  - " +
      base.recipe + "\n  - python\n  - " + recipe->second +
      "\n  - cudnn\n  - nccl\n  - pytorch\n"
      "config:\n"
      "  workdir: /workspace\n"
      "  volumes: [/workspace]\n"
      "  cmd: [python3]\n"
      "supports:\n"
      "  gpus: [" +
      gpus + "]\n  driver: \"" + table.driver_floor_of(variant.cuda) + "\"\n";
  return manifest;
}

}  // namespace img
