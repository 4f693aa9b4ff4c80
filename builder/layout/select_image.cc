// SPDX-License-Identifier: Apache-2.0
// Picks the one image that a reference and a platform select.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/layout/image_layout.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr int kDeepestIndex = 4;
constexpr std::size_t kMostManifests = 1000;

struct Candidate {
  Descriptor descriptor;
  std::string name;               ///< of the index.json entry that it was reached through
  std::set<std::string> digests;  ///< its own and those of the indexes above it
};

/// BuildKit keeps provenance beside images, under a platform that is none.
bool is_attestation(const Descriptor& descriptor) {
  return descriptor.annotations.contains("vnd.docker.reference.digest") ||
         (descriptor.platform && descriptor.platform->os == "unknown");
}

class Walk {
 public:
  explicit Walk(LayoutReader& layout) : layout_(layout) {}

  std::vector<Candidate> run() {
    const ImageIndex top = parse_image_index(layout_.index_json(), "index.json");
    for (const Descriptor& descriptor : top.manifests) {
      const auto name = descriptor.annotations.find(kRefName);
      const std::string text = name == descriptor.annotations.end() ? "" : name->second;
      visit(Candidate{descriptor, text, {descriptor.digest.str()}}, 1);
    }
    return std::move(found_);
  }

 private:
  void visit(const Candidate& candidate, int depth) {
    const Descriptor& descriptor = candidate.descriptor;
    if (is_attestation(descriptor)) return;
    if (descriptor.media_type.is_manifest()) {
      found_.push_back(candidate);
      if (found_.size() > kMostManifests) throw InputError("the image index lists too many images");
    } else if (descriptor.media_type.is_index()) {
      descend(candidate, depth);
    }
  }

  void descend(const Candidate& above, int depth) {
    if (depth >= kDeepestIndex) throw InputError("image indexes are nested too deeply");
    const std::string document = above.descriptor.digest.str();
    const ImageIndex index = parse_image_index(layout_.read_document(above.descriptor), document);
    for (const Descriptor& descriptor : index.manifests) {
      Candidate candidate{descriptor, above.name, above.digests};
      candidate.digests.insert(descriptor.digest.str());
      visit(candidate, depth + 1);
    }
  }

  LayoutReader& layout_;
  std::vector<Candidate> found_;
};

/// A whole name, a tag after a name, or a digest.
bool is_meant(const Candidate& candidate, const std::string& reference) {
  if (reference.empty() || candidate.name == reference) return true;
  if (candidate.digests.contains(reference)) return true;
  return reference.find('/') == std::string::npos && candidate.name.ends_with(":" + reference);
}

SelectedImage load(LayoutReader& layout, const Descriptor& descriptor) {
  const std::string bytes = layout.read_document(descriptor);
  ImageManifest manifest = parse_image_manifest(bytes, descriptor.digest.str());
  const std::string config_bytes = layout.read_document(manifest.config);
  ImageConfig config = parse_image_config(config_bytes, manifest.config.digest.str());
  return {descriptor, bytes, std::move(manifest), config_bytes, std::move(config)};
}

/// Where the index does not say, the config does; what is no image (a signature, a chart) has none.
std::optional<Platform> platform_of(LayoutReader& layout, const Descriptor& descriptor) {
  if (descriptor.platform) return descriptor.platform;
  const std::string bytes = layout.read_document(descriptor);
  const ImageManifest manifest = parse_image_manifest(bytes, descriptor.digest.str());
  if (!manifest.config.media_type.is_config()) return std::nullopt;
  return load(layout, descriptor).config.platform;
}

bool fits(const Platform& platform, const Platform& wanted) {
  return platform.os == wanted.os && platform.architecture == wanted.architecture &&
         (wanted.variant.empty() || wanted.variant == platform.variant);
}

struct Choice {
  Candidate candidate;
  Platform platform;
};

std::string describe(const Choice& choice) {
  const std::string name = choice.candidate.name.empty() ? "untagged" : choice.candidate.name;
  return name + " " + to_string(choice.platform) + " " + choice.candidate.descriptor.digest.str();
}

[[noreturn]] void refuse(const std::vector<Choice>& matching, const std::vector<Choice>& all,
                         const std::string& reference, const std::optional<Platform>& platform) {
  std::string wanted = reference.empty() ? "" : " '" + reference + "'";
  if (platform) wanted += " for " + to_string(*platform);
  ErrorText text{.message = (matching.empty() ? "no image" : "more than one image") + wanted +
                            (matching.empty() ? " is there" : " could be meant")};
  for (const Choice& choice : matching.empty() ? all : matching) {
    text.details.push_back({"found", describe(choice)});
  }
  if (!text.details.empty()) text.hint = "name one of them by its tag, digest or platform";
  throw UsageError(std::move(text));
}

}  // namespace

SelectedImage select_image(LayoutReader& layout, const std::string& reference,
                           const std::optional<Platform>& platform) {
  std::vector<Choice> all, matching;
  std::set<Digest> seen;
  for (const Candidate& candidate : Walk(layout).run()) {
    const std::optional<Platform> its = platform_of(layout, candidate.descriptor);
    if (!its) continue;
    all.push_back({candidate, *its});
    if (!is_meant(candidate, reference) || (platform && !fits(*its, *platform))) continue;
    if (seen.insert(candidate.descriptor.digest).second) matching.push_back({candidate, *its});
  }
  if (matching.size() != 1) refuse(matching, all, reference, platform);
  return load(layout, matching.front().candidate.descriptor);
}

}  // namespace img
