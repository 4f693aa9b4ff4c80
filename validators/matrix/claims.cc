// SPDX-License-Identifier: Apache-2.0
// What people say about pairs of versions, beside what the table and the images given here say.

#include "validators/matrix/parts.h"

#include <algorithm>

namespace img {
namespace {

std::string verdict_of(const Claim& claim, const TorchRelease& release) {
  const auto known = static_cast<std::size_t>(
      std::count_if(claim.cuda.begin(), claim.cuda.end(),
                    [&](const std::string& cuda) { return release.find_cuda(cuda) != nullptr; }));
  if (known == 0) return "wrong";
  const bool all = known == claim.cuda.size() && known == release.variants.size();
  return all ? "right" : "partly right";
}

std::string worst_evidence(const TorchRelease& release) {
  std::string worst = "A";
  for (const TorchVariant& variant : release.variants) worst = std::max(worst, variant.evidence);
  return worst;
}

ClaimRow judge(const Claim& claim, const std::vector<MatrixImage>& images,
               const Compatibility& table) {
  ClaimRow row{.claim = claim.claim, .truth = claim.truth};
  const TorchRelease* const release = claim.torch.empty() ? nullptr : table.find_torch(claim.torch);
  if (release == nullptr) return row;
  if (!claim.cuda.empty()) row.verdict = verdict_of(claim, *release);
  row.evidence = worst_evidence(*release);
  for (const TorchVariant& variant : release->variants) {
    row.variants.push_back(variant.cuda + (variant.is_default ? " (default)" : ""));
  }
  for (const MatrixImage& image : images) {
    const auto torch = image.facts.find("torch"), cuda = image.facts.find("cuda");
    if (torch == image.facts.end() || table.find_torch(torch->second) != release) continue;
    row.seen.push_back(image.name + ": " +
                       (cuda == image.facts.end() ? "no CUDA" : "CUDA " + cuda->second));
  }
  return row;
}

}  // namespace

std::vector<ClaimRow> judge_claims(const std::vector<MatrixImage>& images,
                                   const Compatibility& table) {
  std::vector<ClaimRow> rows;
  for (const Claim& claim : table.claims) rows.push_back(judge(claim, images, table));
  return rows;
}

}  // namespace img
