// SPDX-License-Identifier: Apache-2.0
// What a base image (kind oci) says about itself and about the system that wheels will run on.
#include "builder/resolve/base_image.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"
#include "builder/layer/layer_reader.h"
#include "builder/layout/image_layout.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::uint64_t kLargestLibrary = 64ull << 20;

SelectedImage open_base(LayoutReader& layout, const OciSpec& spec) {
  return select_image(layout, spec.digest, Platform{"linux", "amd64", {}});
}

/// "usr/lib/x86_64-linux-gnu/libc.so.6" → "libc.so.6"; empty for files elsewhere.
std::string library_name(std::string_view path) {
  if (path.starts_with("usr/")) path.remove_prefix(4);
  for (const std::string_view folder : {"lib/x86_64-linux-gnu/", "lib64/"}) {
    if (path.starts_with(folder)) return std::string(path.substr(folder.size()));
  }
  return {};
}

// The names that programs load are links in many distributions, so their targets count too.
bool is_c_library(const std::string& name) {
  return name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"));
}

bool is_cxx_library(const std::string& name) {
  return name == "libstdc++.so.6" || name.starts_with("libstdc++.so.6.");
}

/// Reads layers from the top down: the first file found is the one that the image shows, unless a
/// layer above has removed it.
class LibrarySearch {
 public:
  void read_layer(LayoutReader& layout, const Descriptor& layer) {
    const auto compression = layer.media_type.compression();
    if (!compression) return;
    const auto packed = layout.open_blob(layer);
    const auto plain = open_decompressed(*packed, *compression);
    BaseLibraries found;
    std::vector<EntryPath> removed_here;
    read_tar(*plain, layer.digest.str(), [&](const TarEntry& tar, Source& body) {
      if (tar.is_whiteout || tar.is_opaque_marker) {
        if (const auto target = removed_path(tar)) removed_here.push_back(*target);
      } else if (tar.entry.type == EntryType::file && !is_removed(tar.path)) {
        look_at(library_name(tar.path.str()), body, found);
      }
    });
    removed_.insert(removed_.end(), removed_here.begin(), removed_here.end());
    if (libraries_.glibc.empty()) libraries_.glibc = found.glibc;
    if (!libraries_.glibcxx) libraries_.glibcxx = found.glibcxx;
  }

  bool is_done() const { return !libraries_.glibc.empty() && libraries_.glibcxx; }
  const BaseLibraries& libraries() const { return libraries_; }

 private:
  static void look_at(const std::string& name, Source& body, BaseLibraries& found) {
    if (is_c_library(name)) {
      const std::string version = glibc_version_in(body);
      if (!version.empty()) found.glibc = version;
    } else if (is_cxx_library(name)) {
      const auto version = glibcxx_version_in(body);
      if (version) found.glibcxx = std::max(found.glibcxx.value_or(0), *version);
    }
  }

  /// An opaque folder hides all that lies below it in lower layers, a whiteout one path.
  static std::optional<EntryPath> removed_path(const TarEntry& tar) {
    const auto parent = tar.path.parent();
    if (tar.is_opaque_marker) return parent;
    const std::string name(tar.path.name().substr(std::string_view(".wh.").size()));
    return parent ? *parent / name : EntryPath::parse(name);
  }

  bool is_removed(const EntryPath& path) const {
    return std::any_of(removed_.begin(), removed_.end(), [&](const EntryPath& removed) {
      return path == removed || path.is_under(removed);
    });
  }

  BaseLibraries libraries_;
  std::vector<EntryPath> removed_;
};

/// Newest GLIBCXX_3.4.N that a wheel may need, by the N of its manylinux_2_N tag (PEP 600; the
/// libstdc++ of the oldest mainstream distribution with that glibc).
struct TagPolicy {
  int glibc_minor;
  int glibcxx;
};
constexpr std::array<TagPolicy, 8> kTagPolicies = {
    {{5, 8}, {12, 13}, {17, 19}, {24, 22}, {28, 24}, {31, 28}, {34, 29}, {35, 30}}};

int glibcxx_of_policy(int glibc_minor) {
  int glibcxx = kTagPolicies.front().glibcxx;
  for (const TagPolicy& policy : kTagPolicies) {
    if (policy.glibc_minor <= glibc_minor) glibcxx = policy.glibcxx;
  }
  return glibcxx;
}

/// The glibc that a tag is for; nullopt: no tag of a glibc system.
std::optional<int> glibc_minor_of_tag(std::string_view tag) {
  if (tag.starts_with("manylinux1_")) return 5;
  if (tag.starts_with("manylinux2010_")) return 12;
  if (tag.starts_with("manylinux2014_")) return 17;
  constexpr std::string_view kPrefix = "manylinux_2_";
  if (!tag.starts_with(kPrefix)) return std::nullopt;
  const std::string_view rest = tag.substr(kPrefix.size());
  const auto minor = parse_decimal(rest.substr(0, rest.find('_')));
  return minor ? std::optional<int>(static_cast<int>(*minor)) : std::nullopt;
}

/// nullopt: the wheel has no machine code. Of several tags the oldest counts: it is kept as well.
std::optional<int> needed_glibcxx(const LockedWheel& wheel) {
  const WheelFileName name = parse_wheel_file_name(wheel.file);
  std::optional<int> oldest;
  for (const std::string& tag : name.platform_tags) {
    if (tag == "any") return std::nullopt;
    if (const auto minor = glibc_minor_of_tag(tag))
      oldest = std::min(oldest.value_or(*minor), *minor);
  }
  return glibcxx_of_policy(oldest.value_or(0));
}

std::string symbol_version(int glibcxx) { return "GLIBCXX_3.4." + std::to_string(glibcxx); }

}  // namespace

std::string glibc_version_in(Source& library) {
  static constexpr std::string_view kPhrase = "stable release version ";
  const std::string bytes = read_all(library, kLargestLibrary, "libc.so.6");
  const std::size_t at = bytes.find(kPhrase);
  if (at == std::string::npos) return {};
  const std::string_view rest = std::string_view(bytes).substr(at + kPhrase.size(), 16);
  std::string version(rest.substr(0, rest.find_first_not_of("0123456789.")));
  while (version.ends_with('.')) version.pop_back();
  return version;
}

std::optional<int> glibcxx_version_in(Source& library) {
  static constexpr std::string_view kName = "GLIBCXX_3.4.";
  const std::string bytes = read_all(library, kLargestLibrary, "libstdc++.so.6");
  std::optional<int> newest;
  for (std::size_t at = bytes.find(kName); at != std::string::npos; at = bytes.find(kName, at)) {
    at += kName.size();
    const std::string_view rest = std::string_view(bytes).substr(at, 4);
    const auto number = parse_decimal(rest.substr(0, rest.find_first_not_of("0123456789")));
    if (number) newest = std::max(newest.value_or(0), static_cast<int>(*number));
  }
  return newest;
}

std::string created_of_base_image(const OciSpec& spec) {
  return with_context("reading base image '" + spec.layout + "'", [&] {
    return open_base(*LayoutReader::open(spec.layout), spec).config.created;
  });
}

BaseLibraries libraries_of_base_image(const Recipe& recipe, const OciSpec& spec) {
  const auto layout = LayoutReader::open(spec.layout);
  const SelectedImage image = open_base(*layout, spec);
  LibrarySearch search;
  const auto& layers = image.manifest.layers;
  for (auto layer = layers.rbegin(); layer != layers.rend() && !search.is_done(); ++layer) {
    search.read_layer(*layout, *layer);
  }
  if (!search.libraries().glibc.empty()) return search.libraries();
  throw ManifestError(
      ErrorText{.message = "base image '" + spec.layout + "' has no glibc, which wheels need",
                .position = recipe.position,
                .hint = "use a base image of a distribution with glibc (musl has none)"});
}

void require_libstdcxx(const Recipe& recipe, const OciSpec& spec, const BaseLibraries& base,
                       const std::vector<LockedWheel>& wheels) {
  for (const LockedWheel& wheel : wheels) {
    const std::optional<int> needed = needed_glibcxx(wheel);
    if (!needed || (base.glibcxx && *base.glibcxx >= *needed)) continue;
    const std::string got = base.glibcxx ? symbol_version(*base.glibcxx) : "no libstdc++.so.6";
    throw ManifestError(ErrorText{
        .message = "base image '" + spec.layout + "' has " +
                   (base.glibcxx ? "a libstdc++ that is too old" : "no libstdc++") +
                   " for wheel '" + wheel.file + "'",
        .details = {{"expected", symbol_version(*needed) + " or newer",
                     "platform tag of the wheel"},
                    {"got", got, "library folders of the base image"}},
        .position = recipe.position,
        .hint = "use a base image that has the package libstdc++6 of a newer distribution"});
  }
}

}  // namespace img
