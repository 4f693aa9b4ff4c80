// SPDX-License-Identifier: Apache-2.0
// IMG-DIGEST and IMG-LAYER: the stored bytes, and what the layers are as archives.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>

namespace img {
namespace {

std::string layer_name(const CheckContext& context, std::size_t at) {
  return "layer " + std::to_string(at + 1) + " of " + std::to_string(context.image().layers.size());
}

Finding of_layer(Finding finding, const LayerFact& layer) {
  finding.layer = layer.descriptor.digest.str();
  return finding;
}

bool bytes_differ(const LayerFact& layer) {
  return layer.actual_digest != layer.descriptor.digest.str() ||
         layer.packed_size != layer.descriptor.size;
}

/// Whether these are other bytes than the image means. What they hold then says nothing about the
/// layer's maker, so IMG-DIGEST alone speaks about it.
bool is_other(const LayerFact& layer) {
  const bool unpacks_to_other =
      !layer.actual_diff_id.empty() && layer.actual_diff_id != layer.diff_id;
  return bytes_differ(layer) || unpacks_to_other;
}

void judge_document(const CheckContext& context, const std::string& what,
                    const Descriptor& descriptor, const std::string& bytes,
                    std::vector<Finding>& findings) {
  const std::string actual = Digest::of(bytes).str();
  const bool right = actual == descriptor.digest.str() && bytes.size() == descriptor.size;
  Finding finding = right ? pass_finding(context, what + " is what its descriptor says")
                          : fail_finding(context, what + " is not what its descriptor says");
  findings.push_back(compared(
      std::move(finding), descriptor.digest.str() + ", " + with_commas(descriptor.size) + " bytes",
      actual + ", " + with_commas(bytes.size()) + " bytes", "descriptor"));
}

void judge_bytes(const CheckContext& context, std::size_t at, std::vector<Finding>& findings) {
  const LayerFact& layer = context.image().layers[at];
  if (!bytes_differ(layer)) return;
  const bool whole = !layer.actual_digest.empty();
  const std::string message =
      layer_name(context, at) +
      (whole ? " has other bytes than its digest says" : " could not be read to its end");
  findings.push_back(of_layer(
      compared(fail_finding(context, message),
               layer.descriptor.digest.str() + ", " + with_commas(layer.descriptor.size) + " bytes",
               whole ? layer.actual_digest + ", " + with_commas(layer.packed_size) + " bytes"
                     : join(layer.problems, "; "),
               "manifest of the image"),
      layer));
}

void judge_diff_id(const CheckContext& context, std::size_t at, std::vector<Finding>& findings) {
  const LayerFact& layer = context.image().layers[at];
  if (layer.actual_diff_id.empty() || layer.actual_diff_id == layer.diff_id) return;
  // Damaged bytes explain another DiffID; it is said once.
  if (bytes_differ(layer)) return;
  findings.push_back(
      of_layer(compared(fail_finding(context, layer_name(context, at) +
                                                  " unpacks to other bytes than its DiffID says"),
                        layer.diff_id, layer.actual_diff_id, "config of the image"),
               layer));
}

/// Passes of layers as one line each would drown the rest; their sum is the evidence.
Finding digests_hold(const CheckContext& context) {
  std::uint64_t packed = 0, unpacked = 0;
  for (const LayerFact& layer : context.image().layers) {
    packed += layer.packed_size;
    unpacked += layer.unpacked_size;
  }
  return pass_finding(context, count_of(context.image().layers.size(), "layer") + " with " +
                                   human_size(packed) + " packed and " + human_size(unpacked) +
                                   " unpacked have the digests and DiffIDs that the image names");
}

void judge_problems(const CheckContext& context, std::size_t at, std::vector<Finding>& findings) {
  const LayerFact& layer = context.image().layers[at];
  for (const std::string& problem : layer.problems) {
    Finding finding = fail_finding(context, layer_name(context, at) + " is not a valid layer");
    finding.actual = problem;
    findings.push_back(of_layer(std::move(finding), layer));
  }
}

void judge_nodes(const CheckContext& context, std::vector<Finding>& findings) {
  for (const auto& [path, file] : context.image().files) {
    if (file.kind == FileKind::device) {
      findings.push_back(fail_finding(
          context, "'" + path + "' is a device node, which no engine without root can make", path));
    } else if (file.kind == FileKind::fifo) {
      findings.push_back(
          warn_finding(context, "'" + path + "' is a named pipe, whose readers hang", path));
    }
  }
}

}  // namespace

CheckResult check_digests(const CheckContext& context) {
  const SelectedImage& image = context.image().image;
  std::vector<Finding> findings;
  judge_document(context, "the manifest", image.manifest_descriptor, image.manifest_bytes,
                 findings);
  judge_document(context, "the config", image.manifest.config, image.config_bytes, findings);
  const std::size_t documents = findings.size();
  bool all_unpacked = true;
  for (std::size_t at = 0; at < context.image().layers.size(); ++at) {
    judge_bytes(context, at, findings);
    judge_diff_id(context, at, findings);
    all_unpacked = all_unpacked && !context.image().layers[at].actual_diff_id.empty();
  }
  const bool clean = findings.size() == documents && worst_of(findings) == Status::pass;
  if (clean && !all_unpacked) {
    return blocked("IMG-DIGEST", Tier::image,
                   "a layer cannot be unpacked, so its DiffID could not be compared");
  }
  if (clean) findings.push_back(digests_hold(context));
  return finish("IMG-DIGEST", std::move(findings));
}

CheckResult check_layers(const CheckContext& context) {
  std::vector<Finding> findings;
  std::size_t damaged = 0;
  for (std::size_t at = 0; at < context.image().layers.size(); ++at) {
    const LayerFact& layer = context.image().layers[at];
    if (is_other(layer)) {
      ++damaged;
    } else {
      judge_problems(context, at, findings);
    }
  }
  if (damaged == 0) judge_nodes(context, findings);
  if (findings.empty() && damaged != 0) {
    return blocked("IMG-LAYER", Tier::image,
                   count_of(damaged, "layer") + " of other bytes than the image names");
  }
  std::uint64_t files = 0;
  for (const LayerFact& layer : context.image().layers) files += layer.files;
  findings.push_back(pass_finding(context, with_commas(files) + " files of " +
                                               count_of(context.image().layers.size(), "layer") +
                                               " were read"));
  return finish("IMG-LAYER", std::move(findings));
}

}  // namespace img
