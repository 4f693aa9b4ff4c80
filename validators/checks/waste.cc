// SPDX-License-Identifier: Apache-2.0
// IMG-WASTE: bytes that are pulled and never seen, and contents that are there twice.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <tuple>

namespace img {
namespace {

// Hidden bytes are pulled by everybody and used by nobody, so little is allowed: a few
// configuration files that an upper layer replaces. Contents that are there twice are often in a
// wheel as its makers ship it (triton has its own copy of CUPTI), which nobody who builds an image
// can mend; from a twentieth of the image on it is CUDA from two sources.
constexpr std::uint64_t kHiddenFloor = 1u << 20, kHiddenFailFloor = 16u << 20;
constexpr std::uint64_t kTwiceFloor = 16u << 20;
constexpr double kHiddenWarn = 0.002, kHiddenFail = 0.02, kTwiceWarn = 0.05;
constexpr std::size_t kShown = 5;

std::uint64_t share_of(std::uint64_t total, double share, std::uint64_t floor) {
  return std::max(floor, static_cast<std::uint64_t>(static_cast<double>(total) * share));
}

std::uint64_t unpacked_size(const ImageFacts& image) {
  std::uint64_t sum = 0;
  for (const LayerFact& layer : image.layers) sum += layer.unpacked_size;
  return sum;
}

/// The layer that holds the bytes, not the one that hides them: there they have to be left out.
Finding hidden_file(const CheckContext& context, const HiddenFile& hidden, Status status) {
  const std::vector<LayerFact>& layers = context.image().layers;
  Finding finding{.status = status,
                  .message = "'" + hidden.path + "' of layer " + std::to_string(hidden.layer + 1) +
                             ", " + human_size(hidden.size) + ", is hidden by layer " +
                             std::to_string(hidden.hidden_by + 1) +
                             (hidden.same_content ? ", which has the same content" : ""),
                  .path = hidden.path};
  if (hidden.layer >= 0 && static_cast<std::size_t>(hidden.layer) < layers.size()) {
    finding.layer = layers[static_cast<std::size_t>(hidden.layer)].descriptor.digest.str();
  }
  return finding;
}

void judge_hidden(const CheckContext& context, std::uint64_t total,
                  std::vector<Finding>& findings) {
  std::vector<HiddenFile> hidden = context.image().hidden;
  std::stable_sort(
      hidden.begin(), hidden.end(),
      [](const HiddenFile& left, const HiddenFile& right) { return left.size > right.size; });
  std::uint64_t sum = 0;
  for (const HiddenFile& file : hidden) sum += file.size;
  const std::uint64_t most = share_of(total, kHiddenFail, kHiddenFailFloor);
  const std::uint64_t many = share_of(total, kHiddenWarn, kHiddenFloor);
  const Status status = sum > most ? Status::fail : sum > many ? Status::warn : Status::pass;
  Finding finding{.status = status,
                  .message = "no container sees " + count_of(hidden.size(), "file") +
                             " of lower layers, " + human_size(sum)};
  findings.push_back(compared(std::move(finding),
                              "at most " + human_size(status == Status::fail ? most : many),
                              human_size(sum), "limit of this check"));
  for (std::size_t at = 0; at < std::min(hidden.size(), kShown); ++at) {
    findings.push_back(hidden_file(context, hidden[at], status));
  }
}

/// Paths with one content, hard links not counted.
struct Twin {
  std::uint64_t size = 0;
  std::vector<std::string> paths;
  std::uint64_t wasted() const { return size * (paths.size() - 1); }
};

std::vector<Twin> twins_of(const ImageFacts& image) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, Twin> by_content;
  for (const auto& [path, file] : image.files) {
    if (file.kind != FileKind::file || file.size == 0 || !file.hard_link_of.empty()) continue;
    Twin& twin = by_content[{file.content_key, file.size}];
    twin.size = file.size;
    twin.paths.push_back(path);
  }
  std::vector<Twin> twins;
  for (auto& [key, twin] : by_content) {
    if (twin.paths.size() > 1) twins.push_back(std::move(twin));
  }
  std::stable_sort(twins.begin(), twins.end(), [](const Twin& left, const Twin& right) {
    return left.wasted() > right.wasted();
  });
  return twins;
}

void judge_twins(const CheckContext& context, std::uint64_t total, std::vector<Finding>& findings) {
  const std::vector<Twin> twins = twins_of(context.image());
  std::uint64_t sum = 0;
  for (const Twin& twin : twins) sum += twin.wasted();
  const std::uint64_t many = share_of(total, kTwiceWarn, kTwiceFloor);
  const Status status = sum > many ? Status::warn : Status::pass;
  Finding finding{.status = status,
                  .message = count_of(twins.size(), "content") + " under several paths cost " +
                             human_size(sum) + " more than once"};
  findings.push_back(compared(std::move(finding), "at most " + human_size(many), human_size(sum),
                              "limit of this check"));
  for (std::size_t at = 0; at < std::min(twins.size(), kShown); ++at) {
    const Twin& twin = twins[at];
    Finding one =
        pass_finding(context,
                     "'" + twin.paths[0] + "', " + human_size(twin.size) + ", is also '" +
                         twin.paths[1] + "'" + (twin.paths.size() > 2 ? " and elsewhere" : ""),
                     twin.paths[0]);
    one.status = status;
    findings.push_back(std::move(one));
  }
}

}  // namespace

CheckResult check_waste(const CheckContext& context) {
  const std::uint64_t total = unpacked_size(context.image());
  std::vector<Finding> findings;
  judge_hidden(context, total, findings);
  judge_twins(context, total, findings);
  return finish("IMG-WASTE", std::move(findings));
}

}  // namespace img
