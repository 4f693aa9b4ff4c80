// SPDX-License-Identifier: Apache-2.0
// Reads the table of GPUs from its YAML.

#include "builder/base/text.h"
#include "builder/base/yaml.h"
#include "validators/sizing/gpus.h"
#include "validators/sizing/quantity.h"

#include <set>

namespace img {
namespace {

std::string evidence_of(YamlReader& reader) {
  const YamlNode& node = reader.required("evidence");
  const std::string& text = node.as_text(reader.name_of("evidence"));
  if (text != "A" && text != "B" && text != "C") {
    node.fail("'" + text + "' is no evidence", "write A, B or C");
  }
  return text;
}

/// A positive number that the table writes as text; 0 when absent.
double number_or_zero(YamlReader& reader, const char* key) {
  const YamlNode* const node = reader.optional(key);
  if (node == nullptr) return 0;
  const auto number = parse_number(node->as_text(reader.name_of(key)));
  if (!number || *number <= 0) node->fail("'" + node->text() + "' is no number above 0");
  return *number;
}

GpuDriver read_driver(const YamlNode& node, const std::string& model) {
  YamlReader reader(node, "the drivers of '" + model + "'");
  GpuDriver driver;
  driver.first = reader.text_or("first", "");
  driver.known = reader.text_or("known", "");
  driver.last = reader.text_or("last", "");
  driver.evidence = evidence_of(reader);
  driver.source = reader.text_or("source", "");
  reader.finish();
  return driver;
}

GpuCard read_card(const YamlNode& node, const std::string& model) {
  constexpr double kMebibyte = 1 << 20, kGigabyte = 1e9;
  YamlReader reader(node, "a card of '" + model + "'");
  GpuCard card{.name = reader.text("name"), .model = model};
  const YamlNode& memory = reader.required("memory");
  const auto label = parse_size(memory.as_text(reader.name_of("memory")));
  if (!label || *label == 0) memory.fail("'" + memory.text() + "' is no size", "write it as 80GB");
  card.label = *label;
  card.reported = static_cast<std::uint64_t>(number_or_zero(reader, "reported") * kMebibyte);
  card.bandwidth = number_or_zero(reader, "bandwidth") * kGigabyte;
  card.link = reader.text_or("link", "");
  card.evidence = evidence_of(reader);
  reader.finish();
  return card;
}

GpuEntry read_gpu(const YamlNode& node, const Compatibility& table) {
  YamlReader reader(node, "a GPU");
  GpuEntry gpu;
  gpu.model = reader.text("model");
  if (table.find_gpu(gpu.model) == nullptr) {
    reader.required("model").fail("the compatibility table has no GPU '" + gpu.model + "'");
  }
  gpu.host = reader.text_or("host", "");
  if (const YamlNode* driver = reader.optional("driver")) {
    gpu.driver = read_driver(*driver, gpu.model);
  }
  for (const YamlNode& item : reader.required("cards").as_sequence(reader.name_of("cards"))) {
    gpu.cards.push_back(read_card(item, gpu.model));
  }
  reader.finish();
  return gpu;
}

DriverBranch read_branch(const YamlNode& node) {
  YamlReader reader(node, "a driver branch");
  DriverBranch branch;
  branch.name = reader.text("name");
  branch.number = branch.name.starts_with('R') ? branch_of(branch.name.substr(1)) : 0;
  if (branch.number == 0) {
    reader.required("name").fail("'" + branch.name + "' is no driver branch", "write it as R580");
  }
  branch.kind = reader.text_or("kind", "");
  branch.evidence = evidence_of(reader);
  reader.finish();
  return branch;
}

}  // namespace

GpuTable parse_gpus(std::string text, const std::string& name, const Compatibility& compatibility) {
  const YamlNode root = parse_yaml(std::move(text), name);
  YamlReader reader(root, "the table of GPUs");
  const YamlNode& schema = reader.required("schema");
  if (schema.as_text(reader.name_of("schema")) != "imggpus/v1") {
    schema.fail("unknown schema '" + schema.text() + "'", "write 'imggpus/v1'");
  }
  GpuTable table;
  std::set<std::string> names;
  for (const YamlNode& item : reader.required("gpus").as_sequence("'gpus'")) {
    table.gpus.push_back(read_gpu(item, compatibility));
    for (const GpuCard& card : table.gpus.back().cards) {
      if (!names.insert(card.name).second) item.fail("card '" + card.name + "' is given twice");
    }
  }
  for (const YamlNode& item : reader.required("branches").as_sequence("'branches'")) {
    table.branches.push_back(read_branch(item));
    const std::size_t count = table.branches.size();
    if (count > 1 && table.branches[count - 2].number >= table.branches.back().number) {
      item.fail("branch '" + table.branches.back().name + "' is not newer than the one before it");
    }
  }
  reader.finish();
  return table;
}

}  // namespace img
