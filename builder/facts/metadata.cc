// SPDX-License-Identifier: Apache-2.0
// What the METADATA of torch and of cuda-toolkit says about versions.
#include "builder/facts/metadata.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

[[noreturn]] void fail_requirement(const std::string& what, const std::string& text) {
  throw InputError("'" + printable(what) + "' has a Requires-Dist that is none: '" +
                   printable(text) + "'");
}

std::string without_spaces(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != ' ' && c != '\t') result += c;
  }
  return result;
}

/// 'cublas' of "… and extra == 'cublas'".
std::string extra_of(std::string_view marker) {
  const std::string plain = without_spaces(marker);
  const std::size_t at = plain.find("extra==");
  if (at == std::string::npos) return {};
  const std::string_view rest = std::string_view(plain).substr(at + 7);
  if (rest.size() < 2) return {};
  const std::size_t end = rest.find(rest[0], 1);
  return std::string(rest.substr(1, end == std::string_view::npos ? 0 : end - 1));
}

MetadataPin read_pin(const std::string& text, const std::string& what) {
  const std::size_t semicolon = text.find(';');
  std::string_view rest = trim(std::string_view(text).substr(0, semicolon));
  MetadataPin pin;
  const std::size_t name_end = std::min(rest.find_first_not_of(kNameCharacters), rest.size());
  if (name_end == 0) fail_requirement(what, text);
  pin.name = normalize_distribution(rest.substr(0, name_end));
  rest = trim(rest.substr(name_end));
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) fail_requirement(what, text);
    for (const std::string& extra : split(rest.substr(1, close - 1), ',')) {
      pin.extras.emplace_back(trim(extra));
    }
    rest = trim(rest.substr(close + 1));
  }
  if (rest.starts_with('(')) {
    if (!rest.ends_with(')')) fail_requirement(what, text);
    rest = trim(rest.substr(1, rest.size() - 2));
  }
  pin.specifier = without_spaces(rest);
  if (!pin.specifier.empty() &&
      std::string_view("=<>!~@").find(pin.specifier[0]) == std::string_view::npos) {
    fail_requirement(what, text);
  }
  if (semicolon != std::string::npos)
    pin.extra = extra_of(std::string_view(text).substr(semicolon));
  return pin;
}

/// "nvidia-cudnn-cu12" → "nvidia-cudnn"
std::string without_cuda_major(const std::string& name) {
  const std::size_t at = name.rfind("-cu");
  if (at == std::string::npos || at + 3 == name.size()) return name;
  if (name.find_first_not_of("0123456789", at + 3) != std::string::npos) return name;
  return name.substr(0, at);
}

/// Names of components in the compatibility table, and the distributions that they are.
struct Component {
  std::string_view name, distribution;
};
constexpr std::array<Component, 11> kComponents = {{{"cublas", "nvidia-cublas"},
                                                    {"cufft", "nvidia-cufft"},
                                                    {"cufile", "nvidia-cufile"},
                                                    {"cupti", "nvidia-cuda-cupti"},
                                                    {"curand", "nvidia-curand"},
                                                    {"cusolver", "nvidia-cusolver"},
                                                    {"cusparse", "nvidia-cusparse"},
                                                    {"nvjitlink", "nvidia-nvjitlink"},
                                                    {"nvrtc", "nvidia-cuda-nvrtc"},
                                                    {"nvtx", "nvidia-nvtx"},
                                                    {"runtime", "nvidia-cuda-runtime"}}};

std::string component_of(const std::string& distribution) {
  const std::string stem = without_cuda_major(distribution);
  for (const Component& component : kComponents) {
    if (component.distribution == stem) return std::string(component.name);
  }
  return {};
}

}  // namespace

std::optional<std::string> MetadataPin::exact() const {
  if (!specifier.starts_with("==") || specifier.starts_with("===") ||
      specifier.find(',') != std::string::npos) {
    return std::nullopt;
  }
  std::string version = specifier.substr(2);
  if (version.ends_with(".*")) version.resize(version.size() - 2);
  if (version.empty()) return std::nullopt;
  return version;
}

std::vector<MetadataPin> read_pins(const std::vector<std::string>& requires_dist,
                                   const std::string& what) {
  std::vector<MetadataPin> pins;
  for (const std::string& text : requires_dist) pins.push_back(read_pin(text, what));
  return pins;
}

TorchPins torch_pins(const std::vector<MetadataPin>& pins) {
  TorchPins torch;
  for (const MetadataPin& pin : pins) {
    if (!pin.extra.empty()) continue;
    const std::string version = pin.exact().value_or("");
    const std::string stem = without_cuda_major(pin.name);
    if (stem == "nvidia-cudnn") torch.cudnn = version;
    if (stem == "nvidia-nccl") torch.nccl = version;
    if (stem == "nvidia-cusparselt") torch.cusparselt = version;
    if (stem == "nvidia-nvshmem") torch.nvshmem = version;
    if (pin.name == "triton") torch.triton = version.empty() ? pin.specifier : version;
    if (pin.name == "cuda-toolkit") {
      torch.toolkit = version;
      torch.toolkit_extras = pin.extras;
    }
    const std::string component = component_of(pin.name);
    if (component.empty()) continue;
    if (version.empty()) {
      torch.ranges["components." + component] = pin.specifier;
    } else {
      torch.components[component] = version;
    }
  }
  return torch;
}

void add_toolkit_components(TorchPins& torch, const std::vector<MetadataPin>& toolkit) {
  for (const MetadataPin& pin : toolkit) {
    const bool wanted = std::find(torch.toolkit_extras.begin(), torch.toolkit_extras.end(),
                                  pin.extra) != torch.toolkit_extras.end();
    const std::string component = component_of(pin.name);
    const auto version = pin.exact();
    if (wanted && !component.empty() && version) torch.components.emplace(component, *version);
  }
}

}  // namespace img
