// SPDX-License-Identifier: Apache-2.0
// Brings the compatibility table to what wheels say.
#include "builder/facts/apply.h"

#include "builder/base/text.h"

#include <algorithm>
#include <map>
#include <set>

namespace img {
namespace {

TorchRelease& release_in(Compatibility& table, const std::string& version) {
  const std::string name = release_of(version);
  for (TorchRelease& release : table.torch) {
    if (release.release == name) return release;
  }
  table.torch.push_back({.release = name, .source = "wheels on the PyPI index"});
  return table.torch.back();
}

std::string variant_name(std::string cuda) {
  cuda.erase(std::remove(cuda.begin(), cuda.end(), '.'), cuda.end());
  return "cu" + cuda;
}

/// The variant that the wheel is; added when it is new. nullptr: not known which it is.
TorchVariant* variant_in(TorchRelease& release, const TorchWheelFacts& facts) {
  TorchVariant* found = nullptr;
  for (TorchVariant& variant : release.variants) {
    if (&variant == variant_of(release, facts)) found = &variant;
  }
  if (found != nullptr || !facts.deep || facts.deep->cuda.empty()) return found;
  release.variants.push_back({.name = variant_name(facts.deep->cuda),
                              .cuda = facts.deep->cuda,
                              .status = "stable",
                              .evidence = "A",
                              .source = "wheel " + facts.file + " on the PyPI index"});
  return &release.variants.back();
}

void set_triton(TorchRelease& release, const TorchWheelFacts& facts) {
  const std::string& triton = facts.pins.triton;
  if (triton.empty() || release.triton_of(facts.version) == triton) return;
  const bool is_first = release.patches.empty() || release.patches.front() == facts.version;
  if (release.triton.empty() || is_first) {
    release.triton = triton;
    release.triton_by_patch.erase(facts.version);
  } else {
    release.triton_by_patch[facts.version] = triton;
  }
}

void set_if(std::string& value, const std::string& is) {
  if (!is.empty()) value = is;
}

void set_values(TorchVariant& variant, const TorchWheelFacts& facts) {
  const TorchPins& pins = facts.pins;
  variant.cudnn = pins.cudnn;
  variant.nccl = pins.nccl;
  variant.cusparselt = pins.cusparselt;
  variant.nvshmem = pins.nvshmem;
  variant.components = pins.components;
  set_if(variant.toolkit, pins.toolkit);
  if (!facts.deep) return;
  const DeepFacts& deep = *facts.deep;
  set_if(variant.glibc, deep.glibc);
  set_if(variant.glibcxx, deep.glibcxx);
  set_if(variant.cxxabi, deep.cxxabi);
  set_if(variant.cxx11_abi, deep.cxx11_abi);
  if (deep.fat_binaries == 0) return;
  variant.compute = deep.compute;
  variant.ptx = deep.ptx;
}

void add_patch(TorchRelease& release, const std::string& version) {
  if (std::find(release.patches.begin(), release.patches.end(), version) != release.patches.end()) {
    return;
  }
  release.patches.push_back(version);
  std::sort(release.patches.begin(), release.patches.end(),
            [](const std::string& a, const std::string& b) { return compare_dotted(a, b) < 0; });
}

void set_pythons(Compatibility& table, const std::vector<IndexedVersion>& versions) {
  for (const ComparedFact& row : compare_pythons(table, versions)) {
    if (row.status == FactStatus::confirmed) continue;
    TorchRelease& release = release_in(table, row.torch);
    release.python.clear();
    for (const std::string& python : pythons_of(row.torch, versions)) {
      auto& experimental = release.python_experimental;
      const bool known =
          std::find(experimental.begin(), experimental.end(), python) != experimental.end();
      if (python.ends_with("t") && !known) experimental.push_back(python);
      if (!python.ends_with("t") && !known) release.python.push_back(python);
    }
  }
}

/// Keys of the variant that the wheel confirms, now that the table has its final values.
std::vector<std::string> proven_values(const Compatibility& table, const TorchWheelFacts& facts) {
  std::set<std::string> proven, refuted;
  for (const ComparedFact& row : compare_facts(table, facts)) {
    if (row.variant.empty() || row.key == "default") continue;
    const std::string key = row.key.starts_with("components.") ? "components" : row.key;
    (row.status == FactStatus::confirmed ? proven : refuted).insert(key);
  }
  std::vector<std::string> values;
  std::set_difference(proven.begin(), proven.end(), refuted.begin(), refuted.end(),
                      std::back_inserter(values));
  return values;
}

void note_proof(TorchVariant& variant, Verified proof) {
  const auto is_same = [&](const Verified& other) {
    return other.torch == proof.torch && other.python == proof.python;
  };
  const auto old = std::find_if(variant.verified.begin(), variant.verified.end(), is_same);
  if (old != variant.verified.end()) {
    // A look at METADATA alone takes nothing away from an earlier deep one at the same bytes.
    if (old->sha256 == proof.sha256 && old->values.size() > proof.values.size()) return;
    variant.verified.erase(old);
  }
  variant.verified.push_back(std::move(proof));
  std::sort(variant.verified.begin(), variant.verified.end(),
            [](const Verified& a, const Verified& b) {
              const int order = compare_dotted(a.torch, b.torch);
              return order != 0 ? order < 0 : a.python < b.python;
            });
}

}  // namespace

Compatibility apply_facts(Compatibility table, const std::vector<TorchWheelFacts>& facts,
                          const std::vector<IndexedVersion>& versions, const std::string& day) {
  for (const TorchWheelFacts& wheel : facts) {
    if (table.find_torch(wheel.version) == nullptr && !wheel.deep) continue;
    TorchRelease& release = release_in(table, wheel.version);
    TorchVariant* variant = variant_in(release, wheel);
    if (variant == nullptr) continue;
    if (wheel.deep) {
      for (TorchVariant& other : release.variants) other.is_default = &other == variant;
    }
    add_patch(release, wheel.version);
    set_triton(release, wheel);
    set_values(*variant, wheel);
  }
  set_pythons(table, versions);
  for (const TorchWheelFacts& wheel : facts) {
    if (table.find_torch(wheel.version) == nullptr || wheel.sha256.empty()) continue;
    TorchRelease& release = release_in(table, wheel.version);
    TorchVariant* variant = variant_in(release, wheel);
    if (variant == nullptr) continue;
    note_proof(*variant, {.torch = wheel.version,
                          .python = wheel.python,
                          .sha256 = wheel.sha256,
                          .read = day,
                          .values = proven_values(table, wheel)});
  }
  return table;
}

}  // namespace img
