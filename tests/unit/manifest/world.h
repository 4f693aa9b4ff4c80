// SPDX-License-Identifier: Apache-2.0
// A folder with recipes for manifest tests, and errors as text without the folder's name.
#pragma once

#include "builder/base/file.h"
#include "builder/manifest/build_manifest.h"

#include <string>

namespace img {

/// What a manifest needs at least; tests put their own lines after it.
inline const std::string kHead = "schema: imgbuild/v1\nimage: {name: x, tag: t}\n";

class ManifestWorld {
 public:
  ManifestWorld() : folder_(fs::temp_directory_path(), "manifest-test-") {
    write("layers/base.yaml",
          "schema: imglayer/v1\nkind: debian\nsuite: bookworm\npockets: [updates]\n"
          "keyring_fingerprints: [B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8]\npackages: [libc6]\n"
          "python: {path: /usr/bin/python3.11, version: \"3.11\"}\n");
    write("layers/python.yaml",
          "schema: imglayer/v1\nkind: wheels\nvenv: /opt/venv\nrequires: [pip]\n");
  }

  void write(const std::string& name, const std::string& text) const {
    const fs::path path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    write_file(path, text);
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  BuildManifest load(const std::string& text, const LoadOptions& options = {}) const {
    write("m.yaml", text);
    return load_manifest(path("m.yaml"), options);
  }

  /// The whole error text, with paths relative to the world; "" when the manifest loads.
  std::string error(const std::string& text) const {
    write("m.yaml", text);
    return error_of_file("m.yaml");
  }
  std::string error_of_file(const std::string& name) const {
    try {
      load_manifest(path(name));
    } catch (const Error& error) {
      return without_folder(error.render());
    }
    return {};
  }

  /// Error of a manifest whose one layer above base and python is this inline recipe (two-space
  /// indent, no name).
  std::string layer_error(const std::string& recipe) const { return error(with_layer(recipe)); }
  BuildManifest load_layer(const std::string& recipe) const { return load(with_layer(recipe)); }

  static std::string with_layer(const std::string& recipe) {
    return kHead + "versions: {python: \"3.11\", torch: \"2.8.0\", cuda: \"12.8\"}\n" +
           "layers:\n- base\n- python\n- name: own\n" + recipe;
  }

  std::string without_folder(std::string text) const {
    const std::string prefix = folder_.path().string() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }

 private:
  TempDir folder_;
};

}  // namespace img
