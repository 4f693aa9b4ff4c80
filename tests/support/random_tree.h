// SPDX-License-Identifier: Apache-2.0
// Deflate streams in files, and trees of any shape made from a seed: the same on every machine.
#pragma once

#include "builder/base/file.h"
#include "builder/layer/inflate.h"
#include "builder/layer/tree.h"
#include "tests/support/random.h"

#include <zlib.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace img::testing {

/// Words, repeats, zeros and noise; `noise` of 100 parts are random bytes.
inline std::string random_bytes(Random& random, std::size_t size, unsigned noise = 30) {
  std::string text;
  while (text.size() < size) {
    if (random.below(100) < noise) {
      for (int i = 0; i < 8; ++i) text.push_back(static_cast<char>(random.next()));
    } else if (random.below(4) == 0) {
      text.append(1 + random.below(300), random.below(2) == 0 ? '\0' : 'x');
    } else if (text.size() > 64) {
      text += text.substr(random.below(text.size() - 32), 4 + random.below(28));
    } else {
      text += "def forward(self, x):\n    return self.linear(x)\n";
    }
  }
  text.resize(size);
  return text;
}

struct DeflateSettings {
  int level = 6;
  int strategy = Z_DEFAULT_STRATEGY;
  int memory_level = 8;
  int flush = Z_NO_FLUSH;  ///< used between pieces of `piece` bytes
  std::size_t piece = 1 << 16;
  bool empty_last_block = false;  ///< all data is flushed before the stream is finished
};

/// The raw deflate stream of `plain`.
inline std::string deflate_bytes(const std::string& plain, const DeflateSettings& settings = {}) {
  z_stream stream{};
  if (deflateInit2(&stream, settings.level, Z_DEFLATED, -MAX_WBITS, settings.memory_level,
                   settings.strategy) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string packed;
  std::vector<char> buffer(1 << 16);
  const auto run = [&](std::size_t from, std::size_t count, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data() + from));
    stream.avail_in = static_cast<uInt>(count);
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      deflate(&stream, flush);
      packed.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  for (std::size_t from = 0; from < plain.size(); from += settings.piece) {
    run(from, std::min(settings.piece, plain.size() - from), settings.flush);
  }
  if (settings.empty_last_block) run(plain.size(), 0, Z_PARTIAL_FLUSH);
  run(plain.size(), 0, Z_FINISH);
  deflateEnd(&stream);
  return packed;
}

/// Without the fsync of write_file: tests make thousands.
inline void put_file(const fs::path& path, const std::string& bytes) {
  fs::remove(path);  // others may still read the file that was there
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file that holds `before`, the stream, and `after`; the content is the stream.
inline DeflatedContent stream_in_file(const fs::path& path, const std::string& packed,
                                      const std::string& plain, const std::string& before = "PK",
                                      const std::string& after = "PK") {
  put_file(path, before + packed + after);
  return DeflatedContent{.file = InputFile::open(path),
                         .offset = before.size(),
                         .packed_size = packed.size(),
                         .size = plain.size(),
                         .crc32 = crc32_of(0, as_bytes(plain))};
}

inline DeflatedContent deflated(const fs::path& path, const std::string& plain,
                                const DeflateSettings& settings = {}) {
  return stream_in_file(path, deflate_bytes(plain, settings), plain);
}

inline StoredContent stored(const fs::path& path, const std::string& plain) {
  put_file(path, "head" + plain + "tail");
  return StoredContent{.file = InputFile::open(path), .offset = 4, .size = plain.size()};
}

/// A sealed tree and the plain bytes of its files.
struct RandomTree {
  Tree tree;
  std::map<std::string, std::string> files;
};

namespace detail {

inline std::string random_name(Random& random) {
  static const char* const kNames[] = {"lib",         "torch", "__init__.py", "a", "b-c",
                                       "n\xc3\xa4me", "x"};
  std::string name = kNames[random.below(std::size(kNames))] + std::to_string(random.below(1000));
  if (random.below(12) == 0) name.append(60 + random.below(150), 'l');
  return name;
}

inline Content random_content(Random& random, const fs::path& file, const std::string& plain) {
  switch (random.below(4)) {
    case 0:
      return literal(plain);
    case 1:
      return stored(file, plain);
    default: {
      DeflateSettings settings;
      settings.level = static_cast<int>(random.below(10));
      settings.strategy = random.below(4) == 0 ? Z_FIXED : Z_DEFAULT_STRATEGY;
      settings.empty_last_block = random.below(4) == 0;
      return deflated(file, plain, settings);
    }
  }
}

inline Entry random_special(Random& random) {
  Entry entry{.type = EntryType::symlink, .mode = 0777, .link = "../target"};
  switch (random.below(4)) {
    case 0:
      entry.link.assign(100 + random.below(100), 't');
      return entry;
    case 1:
      return Entry{.type = EntryType::fifo, .mode = 0600};
    case 2:
      return Entry{.type = EntryType::character_device,
                   .mode = 0666,
                   .device_major = 1,
                   .device_minor = static_cast<std::uint32_t>(random.below(1000))};
    default:
      return entry;
  }
}

}  // namespace detail

/// About `count` entries; contents are written into `folder`.
inline RandomTree random_tree(std::uint64_t seed, std::size_t count, const fs::path& folder) {
  Random random(seed);
  RandomTree result;
  std::vector<std::string> folders = {""};
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = folders[random.below(folders.size())] + detail::random_name(random);
    if (text.size() > 3000) continue;
    const EntryPath path = EntryPath::parse(text);
    if (result.tree.find(path) != nullptr) continue;
    const std::uint64_t kind = random.below(10);
    if (kind < 2) {
      result.tree.put(path, Entry::directory(random.below(2) == 0 ? 0755 : 01777, "random"));
      folders.push_back(text + "/");
    } else if (kind == 2) {
      result.tree.put(path, detail::random_special(random));
    } else {
      const std::size_t size = random.below(3) == 0 ? random.below(100'000) : random.below(1500);
      const std::string plain =
          random_bytes(random, size, static_cast<unsigned>(random.below(101)));
      const fs::path file = folder / ("content-" + std::to_string(i));
      Entry entry = Entry::file(detail::random_content(random, file, plain), 0644, "random");
      if (random.below(10) == 0) entry.uid = static_cast<std::uint32_t>(random.below(1ull << 32));
      if (random.below(10) == 0) entry.xattrs["user.note"] = std::string("a\0b\n=", 5);
      result.tree.put(path, std::move(entry));
      result.files[text] = plain;
    }
  }
  result.tree.seal("parents");
  return result;
}

}  // namespace img::testing
