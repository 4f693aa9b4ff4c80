// SPDX-License-Identifier: Apache-2.0
// Finds checks by id, or says which was meant.

#include "validators/commands/check_ids.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>
#include <cctype>

namespace img {

const CheckInfo& require_check(const std::string& id) {
  if (const CheckInfo* const info = find_check(id)) return *info;
  std::vector<std::string> ids;
  for (const CheckInfo& info : catalogue()) ids.emplace_back(info.id);
  std::string upper = id;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto near = did_you_mean(upper, ids);
  throw UsageError(ErrorText{
      .message = "there is no check '" + id + "'",
      .hint = near ? "did you mean '" + *near + "'?" : std::string("see 'imgcheck list'")});
}

}  // namespace img
