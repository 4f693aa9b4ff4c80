// SPDX-License-Identifier: Apache-2.0
// What the user wrote: an image manifest with its recipes resolved and its variables filled in.
#pragma once

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/oci/descriptor.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace img {

struct DropGlob {
  std::string glob;
  std::string reason;  ///< required in the YAML
};

/// Two wheels own `glob` with different bytes: `winner` (normalised distribution) brings it, the
/// others leave it out.
struct PreferRule {
  std::string glob;  ///< relative to site-packages
  std::string winner;
  std::string reason;
};

struct PythonSpec {
  std::string path;     ///< absolute path of the interpreter in the image, "/usr/bin/python3.11"
  std::string version;  ///< "3.11"
};

/// A debian recipe above another has the same suite, pockets, components and keys: the loader fills
/// in what it leaves out.
struct DebianSpec {
  std::string suite;                    ///< "bookworm"
  std::vector<std::string> pockets;     ///< "updates", "security"; the suite itself is always used
  std::vector<std::string> components;  ///< default main
  std::vector<std::string> packages;    ///< requested names ("name" or "name=version")
  bool essential = false;  ///< add every "Essential: yes" package; the lowest debian recipe only
  std::vector<std::string>
      keyring_fingerprints;       ///< primary fingerprints, upper-case hex; at least one
  std::vector<DropGlob> drop;     ///< globs over absolute paths ("/usr/share/man/**")
  std::vector<std::string> keep;  ///< exceptions from drop
  std::optional<PythonSpec> python;
};

struct WheelsSpec {
  std::string venv;                    ///< "/opt/venv" when this recipe makes the venv, else empty
  std::vector<std::string> requires_;  ///< PEP 508 requirements, variables filled in
  std::string requirements_file;       ///< path as resolved from the recipe's folder; empty: none
  std::string requirements_written;    ///< path as written in the recipe
  std::string requirements_text;       ///< its content
  std::vector<std::string> owns;       ///< normalised names, '*' allowed
  std::string index;  ///< name of the index its `requires` come from; default "pypi"
  std::vector<DropGlob> drop;
  std::vector<PreferRule> prefer;
};

struct FileSpec {
  std::string path;    ///< absolute in the image
  std::string source;  ///< local file or folder (resolved path); empty: inline content
  std::string content;
  std::optional<std::uint32_t> mode;
  std::uint32_t uid = 0, gid = 0;
  std::string source_written;  ///< as written in the recipe: the same on every machine
  Position position;           ///< of `path` in the recipe
};
struct DirectorySpec {
  std::string path;
  std::uint32_t mode = 0755, uid = 0, gid = 0;
  Position position;
};
struct LinkSpec {
  std::string path, target;
  Position position;
};
struct UserSpec {
  std::string name;
  std::uint32_t uid = 0, gid = 0;
  std::string home, shell,
      comment;  ///< home is made (0750, owned) ; shell default /usr/sbin/nologin
  Position position;
};
struct FilesSpec {
  std::vector<FileSpec> files;
  std::vector<DirectorySpec> directories;
  std::vector<LinkSpec> links;
  std::vector<UserSpec> users;  ///< passwd and group lines appended to the lower layers' files
};

struct OciSpec {
  std::string layout;  ///< local layout or archive (resolved path)
  std::string digest;  ///< of the manifest or index in it
  std::optional<PythonSpec> python;
  std::string layout_written;  ///< as written in the recipe
};

struct Recipe {
  std::string name;                        ///< "base/debian-bookworm"
  std::string file;                        ///< where it was read
  std::string summary;                     ///< one line, becomes the layer's history comment
  std::map<std::string, std::string> env;  ///< added to the image config
  std::vector<DirectorySpec> directories;  ///< extra folders of this layer (any kind)
  std::variant<DebianSpec, WheelsSpec, FilesSpec, OciSpec> spec;
  Position position;  ///< of its name in the manifest, for errors about it
};

struct ConfigSpec {
  std::string user, workdir, stop_signal;
  std::vector<std::string> entrypoint, cmd, volumes, exposed_ports;
  std::map<std::string, std::string> env, labels;
  Position user_position;  ///< of the value of `user`
};

struct SupportsSpec {
  std::vector<std::string> gpus;
  std::string driver;
};

struct ChecksSpec {
  std::optional<std::uint64_t> size_compressed, size_unpacked;  ///< bytes
  std::optional<double> import_torch_seconds;
};

struct BuildManifest {
  std::string file;  ///< as the user named it
  std::string name, tag;
  Platform platform;
  std::map<std::string, std::string> versions;  ///< promised: python, torch, cuda, cudnn, nccl, …
  std::map<std::string, Position> version_positions;
  std::vector<Recipe> recipes;  ///< bottom to top
  ConfigSpec config;
  SupportsSpec supports;
  ChecksSpec checks;
  std::optional<Compression> compression;
  bool selftest = false;
  /// sha256 over everything above that can reach the bytes of the image (manifest, recipes,
  /// requirements files): canonical, so comments and layout of the YAML, and where the files lie,
  /// do not matter. Not part of it: `checks`, and the content of local files of `files` recipes.
  std::string checksum() const;  ///< "sha256:…"

  /// Path and version of the interpreter, from the recipe that brings it; nullopt: no Python in
  /// this image.
  const PythonSpec* python() const;
  /// "/opt/venv", or empty.
  std::string venv() const;
};

struct LoadOptions {
  std::vector<fs::path>
      recipe_folders;  ///< searched after "layers/" beside the manifest and its parents
};

/// Reads and checks everything that can be checked without the network: schema, variables, kinds in
/// a sensible order (one base at the bottom: debian or oci; wheels above a python; one venv),
/// names, modes, absolute paths, nothing of a files recipe below a volume, sizes, gpus known.
/// ManifestError with file:line:col otherwise.
BuildManifest load_manifest(const fs::path& file, const LoadOptions& options = {});

/// JSON Schema (draft 2020-12) of manifests and recipes; what `imgbuild schema` prints.
std::string manifest_json_schema();
std::string recipe_json_schema();

}  // namespace img
