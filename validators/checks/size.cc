// SPDX-License-Identifier: Apache-2.0
// IMG-SIZE: the sums of the layers against the manifest's limits.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>

namespace img {
namespace {

void judge_sum(const CheckContext& context, const std::string& what, std::uint64_t sum,
               const std::optional<std::uint64_t>& limit, std::vector<Finding>& findings) {
  if (!limit) return;
  const bool within = sum <= *limit;
  Finding finding = within ? pass_finding(context, "the image is small enough " + what)
                           : fail_finding(context, "the image is too big " + what);
  findings.push_back(compared(std::move(finding), "at most " + human_size(*limit), human_size(sum),
                              "manifest, checks.size"));
}

/// What costs most: the reader of a failure wants to know.
void add_biggest(const CheckContext& context, std::vector<Finding>& findings) {
  std::vector<const LayerFact*> layers;
  for (const LayerFact& layer : context.image().layers) layers.push_back(&layer);
  std::stable_sort(layers.begin(), layers.end(), [](const LayerFact* left, const LayerFact* right) {
    return left->packed_size > right->packed_size;
  });
  constexpr std::size_t kShown = 3;
  for (std::size_t at = 0; at < std::min(layers.size(), kShown); ++at) {
    const std::string name = layers[at]->created_by.empty() ? "a layer without a history"
                                                            : "'" + layers[at]->created_by + "'";
    Finding finding =
        pass_finding(context, name + " is " + human_size(layers[at]->packed_size) + " packed, " +
                                  human_size(layers[at]->unpacked_size) + " unpacked");
    finding.layer = layers[at]->descriptor.digest.str();
    findings.push_back(std::move(finding));
  }
}

}  // namespace

CheckResult check_size(const CheckContext& context) {
  if (context.manifest() == nullptr) return skip("IMG-SIZE", kNoManifest);
  const Expectations& expected = context.expectations;
  if (!expected.size_compressed && !expected.size_unpacked) {
    return skip("IMG-SIZE", "the manifest sets no size limit");
  }
  std::uint64_t packed = 0, unpacked = 0;
  for (const LayerFact& layer : context.image().layers) {
    packed += layer.packed_size;
    unpacked += layer.unpacked_size;
  }
  std::vector<Finding> findings;
  judge_sum(context, "packed", packed, expected.size_compressed, findings);
  judge_sum(context, "unpacked", unpacked, expected.size_unpacked, findings);
  add_biggest(context, findings);
  return finish("IMG-SIZE", std::move(findings));
}

}  // namespace img
