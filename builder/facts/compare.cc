// SPDX-License-Identifier: Apache-2.0
// Holds what wheels say against the compatibility table.
#include "builder/facts/compare.h"

#include "builder/base/text.h"

#include <algorithm>
#include <map>
#include <set>

namespace img {
namespace {

using Values = std::map<std::string, std::string>;

constexpr const char* kNone = "none";

void put(Values& values, const std::string& key, const std::string& value) {
  if (!value.empty()) values[key] = value;
}

std::string list_text(const std::vector<ComputeCapability>& list) {
  std::vector<std::string> texts;
  for (const ComputeCapability& item : list) texts.push_back(to_string(item));
  return texts.empty() ? kNone : join(texts, ", ");
}

Values values_of_wheel(const TorchWheelFacts& facts) {
  Values values;
  const TorchPins& pins = facts.pins;
  put(values, "cudnn", pins.cudnn);
  put(values, "nccl", pins.nccl);
  put(values, "cusparselt", pins.cusparselt);
  put(values, "nvshmem", pins.nvshmem);
  put(values, "triton", pins.triton);
  put(values, "toolkit", pins.toolkit);
  for (const auto& [name, version] : pins.components) put(values, "components." + name, version);
  if (!facts.deep) return values;
  const DeepFacts& deep = *facts.deep;
  put(values, "cuda", deep.cuda);
  put(values, "glibc", deep.glibc);
  put(values, "glibcxx", deep.glibcxx);
  put(values, "cxxabi", deep.cxxabi);
  put(values, "cxx11_abi", deep.cxx11_abi);
  if (deep.fat_binaries > 0) {
    values["compute"] = list_text(deep.compute);
    values["ptx"] = list_text(deep.ptx);
  }
  return values;
}

Values values_of_table(const TorchRelease& release, const TorchVariant& variant,
                       const std::string& version) {
  Values values;
  put(values, "cuda", variant.cuda);
  put(values, "cudnn", variant.cudnn);
  put(values, "nccl", variant.nccl);
  put(values, "cusparselt", variant.cusparselt);
  put(values, "nvshmem", variant.nvshmem);
  put(values, "triton", release.triton_of(version));
  put(values, "toolkit", variant.toolkit);
  for (const auto& [name, text] : variant.components) put(values, "components." + name, text);
  put(values, "glibc", variant.glibc);
  put(values, "glibcxx", variant.glibcxx);
  put(values, "cxxabi", variant.cxxabi);
  put(values, "cxx11_abi", variant.cxx11_abi);
  if (!variant.compute.empty()) {
    values["compute"] = list_text(variant.compute);
    values["ptx"] = list_text(variant.ptx);
  }
  return values;
}

/// Keys that METADATA would have if it were so.
bool is_pin(const std::string& key) {
  return key == "cudnn" || key == "nccl" || key == "cusparselt" || key == "nvshmem" ||
         key.starts_with("components.");
}

}  // namespace

std::string_view to_string(FactStatus status) {
  switch (status) {
    case FactStatus::confirmed:
      return "confirmed";
    case FactStatus::differs:
      return "differs";
    case FactStatus::missing:
      return "missing";
  }
  return "";
}

std::string release_of(std::string_view version) {
  const std::vector<std::string> parts = split(version, '.');
  return parts.size() < 2 ? std::string(version) : parts[0] + "." + parts[1];
}

const TorchVariant* variant_of(const TorchRelease& release, const TorchWheelFacts& facts) {
  return facts.deep ? release.find_cuda(facts.deep->cuda) : release.default_variant();
}

std::vector<ComparedFact> compare_facts(const Compatibility& table, const TorchWheelFacts& facts) {
  std::vector<ComparedFact> rows;
  const auto add = [&](const std::string& variant, const std::string& key, const std::string& said,
                       const std::string& is) {
    const FactStatus status = said == is     ? FactStatus::confirmed
                              : said.empty() ? FactStatus::missing
                                             : FactStatus::differs;
    rows.push_back({facts.version, variant, key, said, is, status});
  };
  const TorchRelease* release = table.find_torch(facts.version);
  if (release == nullptr) {
    add("", "release", "", release_of(facts.version));
    return rows;
  }
  const TorchVariant* standard = release->default_variant();
  const TorchVariant* variant = variant_of(*release, facts);
  if (facts.deep) {
    const std::string cuda = facts.deep->cuda.empty() ? kNone : facts.deep->cuda;
    add(variant != nullptr ? variant->name : "", "default", standard->cuda, cuda);
  }
  if (variant == nullptr) return rows;
  const auto is_patch = [&](const std::string& patch) { return patch == facts.version; };
  if (std::none_of(release->patches.begin(), release->patches.end(), is_patch)) {
    add("", "patches", "", facts.version);
  }
  const Values wheel = values_of_wheel(facts);
  const Values said = values_of_table(*release, *variant, facts.version);
  for (const auto& [key, value] : wheel) {
    const auto found = said.find(key);
    add(variant->name, key, found == said.end() ? "" : found->second, value);
  }
  for (const auto& [key, value] : said) {
    if (!is_pin(key) || wheel.contains(key)) continue;
    const auto range = facts.pins.ranges.find(key);
    add(variant->name, key, value,
        range == facts.pins.ranges.end() ? "not required" : range->second);
  }
  return rows;
}

std::vector<std::string> pythons_of(const std::string& release,
                                    const std::vector<IndexedVersion>& versions) {
  std::set<std::string> found;
  for (const IndexedVersion& version : versions) {
    if (release_of(version.version) != release) continue;
    for (const auto& [tag, file] : version.wheels) found.insert(python_of_tag(tag));
  }
  found.erase("");
  std::vector<std::string> pythons(found.begin(), found.end());
  const auto order = [](const std::string& python) {
    const bool is_free = python.ends_with("t");
    return std::pair(parse_decimal(python.substr(2, python.size() - 2 - (is_free ? 1 : 0))),
                     is_free);
  };
  std::sort(pythons.begin(), pythons.end(),
            [&](const std::string& a, const std::string& b) { return order(a) < order(b); });
  return pythons;
}

std::vector<ComparedFact> compare_pythons(const Compatibility& table,
                                          const std::vector<IndexedVersion>& versions) {
  std::vector<ComparedFact> rows;
  for (const TorchRelease& release : table.torch) {
    const std::vector<std::string> found = pythons_of(release.release, versions);
    if (found.empty()) continue;
    const auto is_experimental = [&](const std::string& python) {
      return std::find(release.python_experimental.begin(), release.python_experimental.end(),
                       python) != release.python_experimental.end();
    };
    // An experimental Python may have wheels on other indexes only.
    std::vector<std::string> plain;
    for (const std::string& python : found) {
      if (!is_experimental(python)) plain.push_back(python);
    }
    const std::string said = join(release.python, ", "), is = join(plain, ", ");
    rows.push_back({release.release, "", "python", said, is,
                    said == is     ? FactStatus::confirmed
                    : said.empty() ? FactStatus::missing
                                   : FactStatus::differs});
  }
  return rows;
}

}  // namespace img
