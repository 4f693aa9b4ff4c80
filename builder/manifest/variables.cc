// SPDX-License-Identifier: Apache-2.0
// Fills {name} in recipe text from the versions of the manifest.
#include "builder/manifest/variables.h"

#include "builder/base/text.h"

namespace img {
namespace {

/// The place of `part` inside the node, when its line shows it; else of the node.
Position position_of_part(const YamlNode& node, const std::string& part) {
  Position position = node.position();
  const std::size_t at = position.source_line.find(part, position.column - 1);
  if (at == std::string::npos) return position;
  position.column = static_cast<int>(at) + 1;
  position.width = static_cast<int>(part.size());
  return position;
}

}  // namespace

Variables::Variables(const std::map<std::string, std::string>& versions) {
  for (const auto& [name, version] : versions) {
    const std::vector<std::string> parts = split(version, '.');
    values_[name] = version;
    values_[name + "_major"] = parts[0];
    if (parts.size() > 1) values_[name + "_minor"] = parts[1];
  }
}

std::string Variables::fill(const YamlNode& node, std::string_view what) const {
  const std::string& text = node.as_text(what);
  std::string filled;
  std::size_t at = 0;
  for (std::size_t open; (open = text.find('{', at)) != std::string::npos;) {
    const std::size_t close = text.find('}', open);
    if (close == std::string::npos) {
      throw ManifestError(ErrorText{
          "'{' has no '}' in " + std::string(what), {}, position_of_part(node, text.substr(open))});
    }
    const std::string name = text.substr(open + 1, close - open - 1);
    const auto value = values_.find(name);
    if (value == values_.end()) {
      std::vector<std::string> names;
      for (const auto& known : values_) names.push_back(known.first);
      const auto near = did_you_mean(name, names);
      throw ManifestError(ErrorText{"unknown variable '{" + name + "}' in " + std::string(what),
                                    {},
                                    position_of_part(node, "{" + name + "}"),
                                    near ? "did you mean '{" + *near + "}'?"
                                    : names.empty()
                                        ? "'versions' of the manifest names none"
                                        : "'versions' of the manifest gives " + join(names, ", ")});
    }
    filled.append(text, at, open - at).append(value->second);
    at = close + 1;
  }
  return filled.append(text, at);
}

std::vector<std::string> Variables::fill_list(const YamlNode& node, std::string_view what) const {
  std::vector<std::string> filled;
  for (const YamlNode& item : node.as_sequence(what)) {
    filled.push_back(fill(item, "an item of " + std::string(what)));
  }
  return filled;
}

}  // namespace img
