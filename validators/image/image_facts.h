// SPDX-License-Identifier: Apache-2.0
// What one pass over an image's layers found: files of the merged view, ELF facts, texts, waste.
#pragma once

#include "builder/base/progress.h"
#include "builder/layout/image_layout.h"
#include "validators/elf/elf_facts.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace img {

enum class FileKind { file, directory, symlink, device, fifo };

/// One path of the merged view: what a container sees when all layers are applied.
struct FileFact {
  FileKind kind = FileKind::file;
  std::uint32_t mode = 0;  ///< permission bits with setuid, setgid, sticky
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;         ///< bytes of a file
  std::string target;             ///< of a symlink, as written
  int layer = 0;                  ///< index of the layer that brings it, 0 = lowest
  std::uint64_t content_key = 0;  ///< equal for equal contents (CRC, not cryptographic); 0: empty
  std::string hard_link_of;       ///< path of the first name of the same file, or empty
};

/// Bytes that are in a layer but that no container sees.
struct HiddenFile {
  std::string path;
  std::uint64_t size = 0;
  int layer = 0;              ///< that holds the bytes
  int hidden_by = 0;          ///< layer with the whiteout or the other file
  bool same_content = false;  ///< the upper file has the same bytes: stored twice
};

struct LayerFact {
  Descriptor descriptor;
  std::string diff_id;         ///< that the config claims
  std::string actual_digest;   ///< of the stored bytes; empty: they could not be read to the end
  std::string actual_diff_id;  ///< of the plain tar
  std::uint64_t packed_size = 0, unpacked_size = 0;
  std::uint64_t files = 0;
  std::string created_by;  ///< of the history
  /// Why the layer, or a part of it, could not be read as a layer; whole error texts.
  std::vector<std::string> problems;
};

/// First bytes of a .pyc.
struct BytecodeFact {
  std::uint32_t magic = 0;
  std::uint32_t flags = 0;  ///< PEP 552: 0 timestamp, 1 unchecked hash, 3 checked hash
};

struct ImageFacts {
  std::string reference;  ///< path that the user named
  LayoutFormat format = LayoutFormat::directory;
  SelectedImage image;
  std::vector<LayerFact> layers;
  std::map<std::string, FileFact> files;  ///< absolute path → fact; "/" is not listed
  std::vector<HiddenFile> hidden;
  std::map<std::string, ElfFacts> elf;              ///< by path of the merged view; hard links once
  std::map<std::string, std::string> elf_problems;  ///< path → why it is no readable ELF file
  /// Contents of small files that checks read: see texts_wanted in inspect.cc (ld.so configuration
  /// and cache, passwd, dist-info METADATA and WHEEL, torch/version.py, CUDA version.json,
  /// pyvenv.cfg, dpkg status, files that look like credentials).
  std::map<std::string, std::string> texts;
  std::map<std::string, BytecodeFact> bytecode;
  std::vector<std::string> secrets;  ///< "path: what was found", never the secret itself

  /// The file that `path` means when links are followed inside the image (absolute links start at
  /// the image's root, ".." stops there); nullptr when there is none or links go in a circle. The
  /// resolved path is written to `real` when given.
  const FileFact* resolve(const std::string& path, std::string* real = nullptr) const;
};

struct InspectOptions {
  std::string tag;       ///< which image of the layout; empty: the only one
  fs::path scratch;      ///< folder for spooled ELF files, removed again
  unsigned threads = 0;  ///< 0: as many as there are cores
  Progress* progress = nullptr;
};

/// One decompression pass over every layer. Bytes that are not what their digest says, and layers
/// that are no valid tars, do not throw: they are facts (LayerFact::problems). Throws when there is
/// no image to speak of: no layout, no index, no manifest, no config.
ImageFacts inspect_image(const fs::path& image, const InspectOptions& options);

}  // namespace img
