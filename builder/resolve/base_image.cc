// SPDX-License-Identifier: Apache-2.0
// What a base image (kind oci) says about the system that wheels will run on.
#include "builder/resolve/base_image.h"

#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "builder/layout/image_layout.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::array<std::string_view, 4> kLibraries = {"usr/lib/x86_64-linux-gnu/libc.so.6",
                                                        "lib/x86_64-linux-gnu/libc.so.6",
                                                        "usr/lib64/libc.so.6", "lib64/libc.so.6"};

bool is_c_library(const TarEntry& entry) {
  return entry.entry.type == EntryType::file &&
         std::find(kLibraries.begin(), kLibraries.end(), entry.path.str()) != kLibraries.end();
}

std::string glibc_of_layer(LayoutReader& layout, const Descriptor& layer) {
  const auto compression = layer.media_type.compression();
  if (!compression) return {};
  const auto packed = layout.open_blob(layer);
  const auto plain = open_decompressed(*packed, *compression);
  std::string version;
  read_tar(*plain, layer.digest.str(), [&](const TarEntry& entry, Source& body) {
    if (is_c_library(entry)) version = glibc_version_in(body);
  });
  return version;
}

}  // namespace

std::string glibc_version_in(Source& library) {
  static constexpr std::string_view kPhrase = "stable release version ";
  const std::string bytes = read_all(library, 64ull << 20, "libc.so.6");
  const std::size_t at = bytes.find(kPhrase);
  if (at == std::string::npos) return {};
  const std::string_view rest = std::string_view(bytes).substr(at + kPhrase.size(), 16);
  std::string version(rest.substr(0, rest.find_first_not_of("0123456789.")));
  while (version.ends_with('.')) version.pop_back();
  return version;
}

std::string glibc_of_base_image(const Recipe& recipe, const OciSpec& spec) {
  const auto layout = LayoutReader::open(spec.layout);
  const SelectedImage image = select_image(*layout, spec.digest, Platform{"linux", "amd64", {}});
  const auto& layers = image.manifest.layers;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const std::string version = glibc_of_layer(*layout, *layer);
    if (!version.empty()) return version;
  }
  throw ManifestError(
      ErrorText{.message = "base image '" + spec.layout + "' has no glibc, which wheels need",
                .position = recipe.position,
                .hint = "use a base image of a distribution with glibc (musl has none)"});
}

}  // namespace img
