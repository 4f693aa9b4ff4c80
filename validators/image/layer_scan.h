// SPDX-License-Identifier: Apache-2.0
// One pass over one layer: digests, entries in order, and facts of the files in it.
#pragma once

#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "validators/image/image_facts.h"
#include "validators/image/spooled_file.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace img {

/// One entry of a layer's tar. Paths are absolute.
struct ScannedEntry {
  std::string path;  ///< of a whiteout: what it removes; of an opaque marker: its folder
  EntryType type = EntryType::file;
  bool is_whiteout = false;
  bool is_opaque = false;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::uint64_t size = 0;
  std::uint64_t content_key = 0;
  std::string link;  ///< symlink: as written; hard link: absolute path in this layer
};

struct LayerScan {
  LayerFact fact;
  std::vector<ScannedEntry> entries;
  std::map<std::string, ElfFacts> elf;
  std::map<std::string, std::string> elf_problems;
  std::map<std::string, std::string> texts;
  std::map<std::string, BytecodeFact> bytecode;
  std::vector<std::pair<std::string, std::string>> secrets;  ///< path, what
};

/// What one thread needs to read layers; reused from layer to layer.
class ScanWorkspace {
 public:
  explicit ScanWorkspace(const fs::path& scratch) : spool(scratch) {}
  SpooledFile spool;
  std::vector<std::uint8_t> buffer;
};

/// Never throws for what is wrong with the layer: that becomes `fact.problems`. Throws when the
/// machine fails (disk, memory) or the user interrupts. `on_bytes` hears of packed bytes read.
LayerScan scan_layer(LayoutReader& layout, const Descriptor& descriptor, const std::string& diff_id,
                     ScanWorkspace& workspace, const std::function<void(std::uint64_t)>& on_bytes);

/// "message", details and frames of an error as one text, as they are printed, without "error: ".
std::string problem_text(const Error& error);

}  // namespace img
