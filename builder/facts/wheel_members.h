// SPDX-License-Identifier: Apache-2.0
// Reads single members of a wheel that is not here, and keeps nothing else of it.
#pragma once

#include "builder/base/progress.h"
#include "builder/facts/remote_file.h"
#include "builder/fetch/store.h"
#include "validators/elf/elf_facts.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct RemoteWheel {
  std::string file;  ///< its name
  std::string url;
  std::string sha256;      ///< lower-case hex; empty: not known
  std::uint64_t size = 0;  ///< 0: not known
};

struct WantedMembers {
  std::vector<std::string> texts;      ///< patterns of small text files
  std::vector<std::string> libraries;  ///< names of ELF files
};

/// How the members were had.
enum class Transport {
  store,   ///< the wheel was in the store
  ranges,  ///< only what was needed was transferred
  stream,  ///< the server gives no ranges: all of it went by, and its digest was checked
};
std::string_view to_string(Transport transport);

/// What is not in the wheel is not in the maps.
struct WheelMembers {
  std::map<std::string, std::string> texts;
  std::map<std::string, ElfFacts> libraries;
  Transport transport = Transport::store;
  std::uint64_t bytes_read = 0;  ///< transferred
};

/// From the store, else by ranges, else as a stream. Libraries are held against the wheel's RECORD,
/// members against the CRCs of the archive, a stream against the wheel's digest. NetworkError after
/// the tries of `options`; InputError for what is no wheel; IntegrityError.
WheelMembers read_wheel_members(const RemoteWheel& wheel, const WantedMembers& wanted, Store& store,
                                Progress& progress, const RemoteOptions& options);

}  // namespace img
