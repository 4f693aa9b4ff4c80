// SPDX-License-Identifier: Apache-2.0
// The table of GPUs: memory, bandwidth, link, the drivers that know them, and the driver branches.
#pragma once

#include "builder/manifest/compatibility.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One GPU as it is bought: "A100 80GB".
struct GpuCard {
  std::string name, model;     ///< `model`: name in the compatibility table
  std::uint64_t label = 0;     ///< bytes that its name promises
  std::uint64_t reported = 0;  ///< bytes that the driver reports; 0: not known
  double bandwidth = 0;        ///< bytes a second; 0: not known
  std::string link;            ///< "NVLink 4, 900 GB/s"
  std::string evidence;        ///< "A", "B", "C"

  /// What programs can count on: what is reported, else 95 % of the label.
  std::uint64_t usable() const { return reported != 0 ? reported : label / 20 * 19; }
};

/// Which drivers know a model. Empty: not read.
struct GpuDriver {
  std::string first;  ///< oldest that can know it
  std::string known;  ///< oldest that is known to drive it
  std::string last;   ///< last branch that drives it, "R580"
  std::string evidence, source;
};

struct GpuEntry {
  std::string model;
  std::string host;  ///< "aarch64"; empty: any
  GpuDriver driver;
  std::vector<GpuCard> cards;
};

/// All drivers of one major number.
struct DriverBranch {
  std::string name;  ///< "R580"
  int number = 0;    ///< 580
  std::string kind;  ///< "long-term support"; empty: not read
  std::string evidence;
};

struct GpuTable {
  std::vector<GpuEntry> gpus;
  std::vector<DriverBranch> branches;  ///< oldest first

  const GpuEntry* find(std::string_view model) const;
  const GpuCard* find_card(std::string_view name) const;  ///< exact name
  std::vector<const GpuCard*> cards() const;
  const DriverBranch* find_branch(std::string_view name) const;  ///< "R580", "580"
};

/// The branch number of a driver: 570 of "570.124.06"; 0 for anything else.
int branch_of(std::string_view driver);

/// ManifestError with position for anything that is not of the form of manifests/gpus.yaml, or that
/// names a model that `table` does not have.
GpuTable parse_gpus(std::string text, const std::string& name, const Compatibility& table);

/// manifests/gpus.yaml as it was when this program was built.
const GpuTable& builtin_gpus();

}  // namespace img
