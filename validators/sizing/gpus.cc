// SPDX-License-Identifier: Apache-2.0
// Answers of the table of GPUs.

#include "validators/sizing/gpus.h"

#include "builder/base/text.h"
#include "validators/sizing/gpus_data.h"

namespace img {

const GpuEntry* GpuTable::find(std::string_view model) const {
  for (const GpuEntry& gpu : gpus) {
    if (gpu.model == model) return &gpu;
  }
  return nullptr;
}

const GpuCard* GpuTable::find_card(std::string_view name) const {
  for (const GpuEntry& gpu : gpus) {
    for (const GpuCard& card : gpu.cards) {
      if (card.name == name) return &card;
    }
  }
  return nullptr;
}

std::vector<const GpuCard*> GpuTable::cards() const {
  std::vector<const GpuCard*> all;
  for (const GpuEntry& gpu : gpus) {
    for (const GpuCard& card : gpu.cards) all.push_back(&card);
  }
  return all;
}

const DriverBranch* GpuTable::find_branch(std::string_view name) const {
  for (const DriverBranch& branch : branches) {
    if (branch.name == name || branch.name.substr(1) == name) return &branch;
  }
  return nullptr;
}

int branch_of(std::string_view driver) {
  const auto number = parse_decimal(driver.substr(0, driver.find('.')));
  return number && *number < 100'000 ? static_cast<int>(*number) : 0;
}

const GpuTable& builtin_gpus() {
  static const GpuTable table =
      parse_gpus(std::string(gpus_yaml()), "manifests/gpus.yaml", builtin_compatibility());
  return table;
}

}  // namespace img
