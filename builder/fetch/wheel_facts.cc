// SPDX-License-Identifier: Apache-2.0
// Facts of wheels: proven once, kept in the store.
#include "builder/fetch/wheel_facts.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"
#include "builder/inputs/wheel.h"

namespace img {
namespace {

/// Raised whenever Wheel::verify proves more than before: old facts are then not asked any more.
constexpr const char* kWheelFactKind = "wheel-v1";

}  // namespace

WheelFacts wheel_facts(Store& store, const Digest& wheel, const std::string& file_name,
                       const std::function<void(std::uint64_t)>& on_progress) {
  const std::string key(wheel.hex());
  if (const std::optional<Json> fact = store.find_fact(kWheelFactKind, key)) {
    try {
      return parse_wheel_facts(*fact, "facts of " + file_name);
    } catch (const InputError&) {
      // Of another version of this program: proven anew.
    }
  }
  const WheelFacts facts = with_context("verifying '" + printable(file_name) + "'", [&] {
    return Wheel::open(store.open_file(wheel), file_name).verify(on_progress);
  });
  store.put_fact(kWheelFactKind, key, to_json(facts));
  return facts;
}

bool has_wheel_facts(const Store& store, const Digest& wheel) {
  return store.find_fact(kWheelFactKind, std::string(wheel.hex())).has_value();
}

}  // namespace img
