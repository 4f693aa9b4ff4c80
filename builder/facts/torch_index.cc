// SPDX-License-Identifier: Apache-2.0
// Which torch wheels an index has for Linux on x86_64.
#include "builder/facts/torch_index.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"
#include "builder/manifest/compatibility.h"

#include <algorithm>
#include <optional>

namespace img {
namespace {

bool is_final(std::string_view version) {
  return !version.empty() && version.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<WheelFileName> parse_name(const std::string& file) {
  if (!file.ends_with(".whl")) return std::nullopt;
  try {
    return parse_wheel_file_name(file);
  } catch (const InputError&) {
    return std::nullopt;  // an index may hold names that are none
  }
}

bool runs_on_linux_x86_64(const WheelFileName& name) {
  return std::any_of(name.platform_tags.begin(), name.platform_tags.end(),
                     [](const std::string& tag) {
                       return tag == "any" || tag == "linux_x86_64" ||
                              (tag.starts_with("manylinux") && tag.ends_with("_x86_64"));
                     });
}

/// "cp313t" of cp313-cp313t, "cp311" of cp311-cp311, "py3" of py3-none.
std::string tag_of(const WheelFileName& name) {
  return name.abi_tags.front() == "none" ? name.python_tags.front() : name.abi_tags.front();
}

}  // namespace

std::string python_of_tag(std::string_view tag) {
  if (!tag.starts_with("cp") || tag.size() < 4) return {};
  const std::string_view number = tag.substr(2);
  const std::size_t end = std::min(number.find_first_not_of("0123456789"), number.size());
  const std::string_view suffix = number.substr(end);
  if (end < 2 || (suffix != "" && suffix != "t")) return {};
  return std::string(number.substr(0, 1)) + "." + std::string(number.substr(1, end - 1)) +
         std::string(suffix);
}

std::vector<IndexedVersion> x86_64_wheels(const std::vector<IndexFile>& files) {
  std::map<std::string, IndexedVersion> by_version;
  for (const IndexFile& file : files) {
    const auto name = parse_name(file.file);
    if (!name || file.yanked || !is_final(name->version) || !runs_on_linux_x86_64(*name)) continue;
    IndexedVersion& version = by_version[name->version];
    version.version = name->version;
    version.wheels.emplace(tag_of(*name), file);
  }
  std::vector<IndexedVersion> versions;
  for (auto& [text, version] : by_version) versions.push_back(std::move(version));
  std::sort(versions.begin(), versions.end(), [](const IndexedVersion& a, const IndexedVersion& b) {
    return compare_dotted(a.version, b.version) < 0;
  });
  return versions;
}

std::vector<IndexFile> read_project(const Sources& sources, const std::string& project,
                                    const RemoteOptions& options) {
  if (sources.offline) {
    throw UnavailableError(
        ErrorText{.message = "the index of '" + project + "' is not asked offline",
                  .hint = "leave out --offline"});
  }
  std::optional<NetworkError> failure;
  for (const std::string& root : sources.of("pypi")) {
    std::optional<std::vector<IndexFile>> page;
    try {
      const auto client = options.make_client();
      Tries(options).run([&] { page = read_index_page(*client, root, project); },
                         [] { return false; });
    } catch (const NetworkError& error) {
      failure.emplace(error);
      continue;
    }
    if (page) return std::move(*page);
  }
  if (failure) throw NetworkError(*failure);
  throw UnavailableError("the index does not know '" + printable(project) + "'");
}

}  // namespace img
