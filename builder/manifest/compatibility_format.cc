// SPDX-License-Identifier: Apache-2.0
// Writes a compatibility table in its one text form.
#include "builder/base/text.h"
#include "builder/manifest/compatibility.h"
#include "builder/manifest/fields.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::size_t kWidth = 120;

constexpr const char* kHead = R"(# SPDX-License-Identifier: Apache-2.0
# Which torch wheel carries which CUDA, cuDNN and NCCL, what GPU code it has, which driver it needs, and what is claimed
# about all that against what the wheels themselves say. Linux x86_64 wheels. Every version is text. This file is written
# by `imgbuild facts --write`, which keeps its form; what it does not read is edited by hand.
#
# evidence: A read in an upstream file, a lock of published wheels, or the vendor's page; B read in a pip log, a pip freeze
# or a copy of an upstream file; C not confirmed. An absent key was not read; it does not mean "none".
# verified: the wheels in which the named values were read, by their digest; these values need no other evidence.
)";

constexpr const char* kTorchHead = R"(
# One variant of a release is `default`: the one the PyPI index serves under the bare version. `compute` lists the compute
# capabilities that the wheel has machine code for, `ptx` those it has PTX for (a driver compiles it for newer GPUs), both
# as at least nine in ten fat binaries of libtorch_cuda.so have them. `glibc`, `glibcxx` and `cxxabi` are the highest
# versions that libtorch_cpu, libtorch_cuda, libtorch_python or libc10 need. `triton_by_patch` has the patch releases that
# require another triton.
)";

constexpr const char* kFloorHead = R"(
# The lowest Linux driver of each CUDA major (minor-version compatibility): a wheel needs only its own major's floor.
)";

constexpr const char* kToolkitHead = R"(
# The driver that was published with each toolkit: from there on every feature works; between the floor and it, PTX newer
# than the driver's compiler does not.
)";

constexpr const char* kGpusHead = R"(
# GPUs by the names that manifests use under `supports.gpus`.
)";

constexpr const char* kExceptionsHead = R"(
# Machine code for X.Y runs on devices X.Z with Z >= Y, except these pairs (code, device) of torch's own list. PTX for X.Y can
# be compiled for every newer device.
)";

constexpr const char* kSdpaHead = R"(
# What scaled_dot_product_attention takes by default: half precision, no mask, head size 64 to 128, inference. Derived from
# release notes and source, to be proven on a GPU. The first rule that fits counts; no rule: not known.
)";

constexpr const char* kClaimsHead = R"(
# What is said about these pairs, side by side with what the wheels say. `torch` and `cuda` are given where the claim is
# a pairing that can be looked up above.
)";

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// Plain where YAML cannot read it as anything but this text.
std::string word(const std::string& text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool plain =
      !text.empty() && is_letter(text[0]) &&
      std::all_of(
          text.begin(), text.end(),
          [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }) &&
      !reads_as_other_than_text(text);
  return plain ? text : in_quotes(text);
}

/// `head` and a bracketed list, broken at the width; further lines begin below the first item.
std::string bracketed(const std::string& head, char open, const std::vector<std::string>& items,
                      char close) {
  std::string result = head + open;
  const std::string indent(result.size(), ' ');
  std::size_t column = result.size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string text = items[i] + (i + 1 < items.size() ? "," : std::string(1, close));
    if (i > 0 && column + 1 + text.size() > kWidth) {
      result += "\n" + indent + text;
      column = indent.size() + text.size();
    } else {
      result += (i > 0 ? " " : "") + text;
      column += (i > 0 ? 1 : 0) + text.size();
    }
  }
  return result + (items.empty() ? std::string(1, close) : "") + "\n";
}

std::string text_list(const std::string& head, const std::vector<std::string>& items) {
  std::vector<std::string> texts;
  for (const std::string& item : items) texts.push_back(in_quotes(item));
  return bracketed(head, '[', texts, ']');
}

std::string word_list(const std::string& head, const std::vector<std::string>& items) {
  std::vector<std::string> texts;
  for (const std::string& item : items) texts.push_back(word(item));
  return bracketed(head, '[', texts, ']');
}

std::string capability_list(const std::string& head, const std::vector<ComputeCapability>& items) {
  std::vector<std::string> texts;
  for (const ComputeCapability& item : items) texts.push_back(in_quotes(to_string(item)));
  return bracketed(head, '[', texts, ']');
}

std::string text_map(const std::string& head, const std::map<std::string, std::string>& map) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : map) texts.push_back(word(key) + ": " + in_quotes(value));
  return bracketed(head, '{', texts, '}');
}

/// "      key: value" when there is one.
std::string field(const std::string& key, const std::string& value) {
  return value.empty() ? "" : key + ": " + in_quotes(value) + "\n";
}

std::string format_verified(const std::vector<Verified>& list) {
  if (list.empty()) return {};
  std::string result = "        verified:\n";
  for (const Verified& proof : list) {
    result += "          - torch: " + in_quotes(proof.torch) + "\n";
    result += "            python: " + word(proof.python) + "\n";
    result += "            sha256: " + in_quotes(proof.sha256) + "\n";
    result += "            read: " + in_quotes(proof.read) + "\n";
    result += word_list("            values: ", proof.values);
  }
  return result;
}

std::string format_variant(const TorchVariant& variant) {
  std::string result = "      - name: " + word(variant.name) + "\n";
  result += field("        cuda", variant.cuda);
  result += field("        toolkit", variant.toolkit);
  if (variant.is_default) result += "        default: true\n";
  result += "        status: " + word(variant.status) + "\n";
  if (!variant.compute.empty()) result += capability_list("        compute: ", variant.compute);
  if (!variant.ptx.empty()) result += capability_list("        ptx: ", variant.ptx);
  result += field("        cudnn", variant.cudnn) + field("        nccl", variant.nccl);
  result +=
      field("        cusparselt", variant.cusparselt) + field("        nvshmem", variant.nvshmem);
  if (!variant.components.empty()) {
    result += text_map("        components: ", variant.components);
  }
  result += field("        glibc", variant.glibc) + field("        glibcxx", variant.glibcxx);
  result += field("        cxxabi", variant.cxxabi) + field("        cxx11_abi", variant.cxx11_abi);
  result += "        evidence: " + variant.evidence + "\n";
  result += field("        source", variant.source) + field("        note", variant.note);
  return result + format_verified(variant.verified);
}

std::string format_release(const TorchRelease& release) {
  std::string result = "  - release: " + in_quotes(release.release) + "\n";
  if (!release.patches.empty()) result += text_list("    patches: ", release.patches);
  result += field("    stable_since", release.stable_since);
  if (!release.python.empty()) result += text_list("    python: ", release.python);
  if (!release.python_experimental.empty()) {
    result += text_list("    python_experimental: ", release.python_experimental);
  }
  result += field("    triton", release.triton);
  if (!release.triton_by_patch.empty()) {
    std::vector<std::string> texts;
    for (const auto& [patch, triton] : release.triton_by_patch) {
      texts.push_back(in_quotes(patch) + ": " + in_quotes(triton));
    }
    result += bracketed("    triton_by_patch: ", '{', texts, '}');
  }
  if (!release.notes.empty()) result += "    notes:\n";
  for (const std::string& note : release.notes) result += "      - " + in_quotes(note) + "\n";
  result += field("    source", release.source) + "    variants:\n";
  for (const TorchVariant& variant : release.variants) result += format_variant(variant);
  return result;
}

std::string format_versions(const std::map<std::string, std::string>& map) {
  std::vector<std::pair<std::string, std::string>> rows(map.begin(), map.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return compare_dotted(a.first, b.first) < 0; });
  std::string result;
  for (const auto& [key, value] : rows)
    result += "  " + in_quotes(key) + ": " + in_quotes(value) + "\n";
  return result;
}

std::string format_gpu(const GpuModel& gpu) {
  std::vector<std::string> texts = {
      "name: " + word(gpu.name), "compute: " + in_quotes(to_string(gpu.compute)),
      "architecture: " + word(gpu.architecture), "toolkit: " + in_quotes(gpu.toolkit)};
  if (!gpu.removed_in.empty()) texts.push_back("removed_in: " + in_quotes(gpu.removed_in));
  return bracketed("  - ", '{', texts, '}');
}

std::string format_sdpa(const SdpaRule& rule) {
  std::vector<std::string> texts = {"torch_from: " + in_quotes(rule.torch_from)};
  if (!rule.torch_to.empty()) texts.push_back("torch_to: " + in_quotes(rule.torch_to));
  if (!rule.cuda_from.empty()) texts.push_back("cuda_from: " + in_quotes(rule.cuda_from));
  if (!rule.cuda_to.empty()) texts.push_back("cuda_to: " + in_quotes(rule.cuda_to));
  texts.push_back("compute_from: " + in_quotes(to_string(rule.compute_from)));
  texts.push_back("compute_to: " + in_quotes(to_string(rule.compute_to)));
  texts.push_back("backend: " + word(rule.backend));
  texts.push_back("evidence: " + rule.evidence);
  if (!rule.source.empty()) texts.push_back("source: " + in_quotes(rule.source));
  return bracketed("  - ", '{', texts, '}');
}

std::string format_claim(const Claim& claim) {
  std::string result = "  - claim: " + in_quotes(claim.claim) + "\n";
  result += field("    torch", claim.torch);
  if (!claim.cuda.empty()) result += text_list("    cuda: ", claim.cuda);
  return result + field("    truth", claim.truth);
}

/// A key without items must say so: alone it has no value.
template <typename Items>
std::string head_of_list(const Items& items) {
  return items.empty() ? " []\n" : "\n";
}

}  // namespace

std::string format_compatibility(const Compatibility& table) {
  std::string text = std::string(kHead) + "schema: imgcompat/v1\n" + kTorchHead + "torch:\n";
  for (const TorchRelease& release : table.torch) text += format_release(release);
  text += std::string(kFloorHead) + "driver_floor:\n" + format_versions(table.driver_floor);
  text += std::string(kToolkitHead) + "toolkit_driver:\n" + format_versions(table.toolkit_driver);
  text += std::string(kGpusHead) + "gpus:" + head_of_list(table.gpus);
  for (const GpuModel& gpu : table.gpus) text += format_gpu(gpu);
  text += std::string(kExceptionsHead) + "code_does_not_run:" + head_of_list(table.does_not_run);
  for (const auto& [code, device] : table.does_not_run) {
    text += "  - {code: " + in_quotes(to_string(code)) +
            ", device: " + in_quotes(to_string(device)) + "}\n";
  }
  text += std::string(kSdpaHead) + "sdpa:" + head_of_list(table.sdpa);
  for (const SdpaRule& rule : table.sdpa) text += format_sdpa(rule);
  text += std::string(kClaimsHead) + "claims:" + head_of_list(table.claims);
  for (const Claim& claim : table.claims) text += format_claim(claim);
  return text;
}

}  // namespace img
