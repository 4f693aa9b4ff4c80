// SPDX-License-Identifier: Apache-2.0
// Holds what wheels say against the compatibility table.
#pragma once

#include "builder/facts/torch_wheel.h"
#include "builder/manifest/compatibility.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

enum class FactStatus {
  confirmed,
  differs,  ///< the table says something else
  missing   ///< the table does not say it
};
std::string_view to_string(FactStatus status);

/// One value.
struct ComparedFact {
  std::string torch;    ///< "2.8.0", or the release "2.8" for `python`
  std::string variant;  ///< "cu128"; empty: of the release
  std::string key;      ///< as in the table; "components.cublas", "release", "default"
  std::string table, wheel;
  FactStatus status = FactStatus::confirmed;
};

/// Everything that the facts of one wheel say. Without a deep look the wheel is taken to be the
/// release's default variant.
std::vector<ComparedFact> compare_facts(const Compatibility& table, const TorchWheelFacts& facts);

/// Which Pythons each release has wheels for. Releases that are not in the table are left out.
std::vector<ComparedFact> compare_pythons(const Compatibility& table,
                                          const std::vector<IndexedVersion>& versions);

/// "2.8" of "2.8.0"
std::string release_of(std::string_view version);
/// The variant that the facts are about; nullptr: the table does not have it.
const TorchVariant* variant_of(const TorchRelease& release, const TorchWheelFacts& facts);
/// Pythons of a release on the index, "3.13t" after "3.13".
std::vector<std::string> pythons_of(const std::string& release,
                                    const std::vector<IndexedVersion>& versions);

}  // namespace img
