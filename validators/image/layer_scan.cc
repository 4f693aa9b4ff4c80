// SPDX-License-Identifier: Apache-2.0
// One pass over one layer: digests, entries in order, and facts of the files in it.
#include "validators/image/layer_scan.h"

#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "validators/elf/elf_reader.h"
#include "validators/image/content_key.h"
#include "validators/image/secrets.h"
#include "validators/image/wanted_texts.h"

#include <algorithm>
#include <cstring>

namespace img {
namespace {

constexpr std::size_t kPiece = 256 << 10;
/// Files up to here are looked at in memory; larger ones in pieces, or spooled when they are ELF.
constexpr std::uint64_t kSmallFile = 1 << 20;
constexpr std::uint64_t kLargestElf = 8ull << 30;
constexpr std::uint64_t kLargestLayer = 64ull << 30;  // plain bytes; a bomb ends there
constexpr std::uint64_t kMostTextBytes = 64 << 20;    // of one layer
constexpr std::uint64_t kMostPathBytes = 256 << 20;   // of one layer, link targets included
constexpr std::size_t kMostFileFacts = 200'000;       // of one kind in one layer

/// Hashes and counts what passes. Knows whether the bytes ended or broke off.
class HashedSource final : public Source {
 public:
  HashedSource(Source& from, std::uint64_t limit, std::function<void(std::uint64_t)> on_bytes = {})
      : from_(from), limit_(limit), on_bytes_(std::move(on_bytes)) {}

  std::size_t read(ByteSpan buffer) override {
    broken_ = true;  // until this read has come back
    const std::size_t size = from_.read(buffer);
    hash_.update(ByteView(buffer).first(size));
    count_ += size;
    if (count_ > limit_) {
      throw InputError("the layer has more than " + with_commas(limit_) + " bytes");
    }
    broken_ = false;
    if (on_bytes_) on_bytes_(size);
    return size;
  }

  bool is_broken() const { return broken_; }
  std::uint64_t count() const { return count_; }
  Digest digest() { return Digest::sha256(hash_.finish()); }

 private:
  Source& from_;
  std::uint64_t limit_;
  std::function<void(std::uint64_t)> on_bytes_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
  bool broken_ = false;
};

BytecodeFact bytecode_of(ByteView head) {
  BytecodeFact fact;
  std::memcpy(&fact.magic, head.data(), sizeof(fact.magic));
  std::memcpy(&fact.flags, head.data() + 4, sizeof(fact.flags));
  return fact;
}

class LayerScanner {
 public:
  LayerScanner(LayerScan& scan, ScanWorkspace& workspace) : scan_(scan), work_(workspace) {
    work_.buffer.resize(kSmallFile);
  }

  void take(const TarEntry& tar, Source& body) {
    const Entry& entry = tar.entry;
    path_bytes_ += tar.path.str().size() + entry.link.size();
    if (path_bytes_ > kMostPathBytes) {
      throw InputError("the layer has more than " + with_commas(kMostPathBytes) +
                       " bytes of paths");
    }
    ScannedEntry scanned{.path = "/" + tar.path.str(),
                         .type = entry.type,
                         .mode = entry.mode,
                         .uid = entry.uid,
                         .gid = entry.gid,
                         .size = tar.size};
    scanned.link = entry.type == EntryType::hardlink ? "/" + entry.link : entry.link;
    mark_whiteout(tar, scanned);
    if (entry.type == EntryType::file && !scanned.is_whiteout && !scanned.is_opaque) {
      ++scan_.fact.files;
      scanned.content_key = take_content(scanned, body);
    }
    scan_.entries.push_back(std::move(scanned));
  }

 private:
  static void mark_whiteout(const TarEntry& tar, ScannedEntry& scanned) {
    scanned.is_whiteout = tar.is_whiteout;
    scanned.is_opaque = tar.is_opaque_marker;
    const std::size_t name = scanned.path.rfind('/') + 1;
    if (tar.is_whiteout) scanned.path.erase(name, std::strlen(".wh."));
    if (tar.is_opaque_marker) scanned.path.resize(name - 1);
  }

  /// Reads the whole content; its key.
  std::uint64_t take_content(const ScannedEntry& file, Source& body) {
    const std::size_t first = std::min<std::uint64_t>(file.size, kSmallFile);
    const ByteSpan buffer = ByteSpan(work_.buffer).first(first);
    const ByteView head = ByteView(buffer).first(read_full(body, buffer));
    ContentKey key;
    key.update(head);
    if (file.size <= kSmallFile) {
      take_small(file, head);
    } else if (looks_like_elf(head) && file.size <= kLargestElf) {
      take_large_elf(file, head, body, key);
    } else {
      take_large(file, head, body, key);
    }
    return key.value();
  }

  void take_small(const ScannedEntry& file, ByteView content) {
    const std::string& path = file.path;
    if (looks_like_elf(content)) {
      read_elf_file(path, content);
      return;
    }
    if (path.ends_with(".pyc")) {
      if (content.size() >= 16 && scan_.bytecode.size() < kMostFileFacts) {
        scan_.bytecode.emplace(path, bytecode_of(content));
      }
      return;
    }
    if (is_text_wanted(path)) keep_text(path, std::string(as_text(content)));
    for (std::string& what : find_secrets(path, as_text(content))) {
      if (scan_.secrets.size() < kMostFileFacts) scan_.secrets.emplace_back(path, std::move(what));
    }
  }

  void take_large_elf(const ScannedEntry& file, ByteView head, Source& body, ContentKey& key) {
    work_.spool.restart();
    work_.spool.append(head);
    each_piece(body, key, [&](ByteView piece) { work_.spool.append(piece); });
    const SpooledFile::Mapping mapping = work_.spool.map();
    read_elf_file(file.path, mapping.bytes());
  }

  void take_large(const ScannedEntry& file, ByteView head, Source& body, ContentKey& key) {
    if (looks_like_elf(head)) {
      scan_.elf_problems.emplace(file.path, "'" + file.path + "' is larger than " +
                                                with_commas(kLargestElf) +
                                                " bytes and is not read as an ELF file");
    }
    if (file.path.ends_with(".pyc") && scan_.bytecode.size() < kMostFileFacts) {
      scan_.bytecode.emplace(file.path, bytecode_of(head));
    }
    const bool wanted = is_text_wanted(file.path) && file.size <= kLargestText;
    std::string text(wanted ? as_text(head) : std::string_view());
    each_piece(body, key, [&](ByteView piece) {
      if (wanted) text += as_text(piece);
    });
    if (wanted) keep_text(file.path, std::move(text));
  }

  template <typename Take>
  void each_piece(Source& body, ContentKey& key, Take take_piece) {
    const ByteSpan buffer = ByteSpan(work_.buffer).first(kPiece);
    while (const std::size_t size = body.read(buffer)) {
      const ByteView piece = ByteView(buffer).first(size);
      key.update(piece);
      take_piece(piece);
    }
  }

  void keep_text(const std::string& path, std::string text) {
    text_bytes_ += text.size();
    if (text_bytes_ > kMostTextBytes) {
      throw InputError("the layer has more than " + with_commas(kMostTextBytes) +
                       " bytes of configuration and package texts");
    }
    scan_.texts.emplace(path, std::move(text));
  }

  void read_elf_file(const std::string& path, ByteView content) {
    if (scan_.elf.size() + scan_.elf_problems.size() >= kMostFileFacts) {
      throw InputError("the layer has more than " + with_commas(kMostFileFacts) + " ELF files");
    }
    try {
      scan_.elf.emplace(path, read_elf(content, path));
    } catch (const InputError& error) {
      scan_.elf_problems.emplace(path, problem_text(error));
    }
  }

  LayerScan& scan_;
  ScanWorkspace& work_;
  std::uint64_t path_bytes_ = 0;
  std::uint64_t text_bytes_ = 0;
};

/// Reads to the end for the sake of the hash.
void drain(Source& source, std::vector<std::uint8_t>& buffer) {
  buffer.resize(kSmallFile);
  while (source.read(buffer) != 0) {
  }
}

/// What was found on the way, and the reading of one blob from stored bytes to entries.
class LayerPass {
 public:
  LayerPass(LayerScan& scan, ScanWorkspace& workspace) : scan_(scan), work_(workspace) {}

  void read_plain(Source& packed, Compression compression) {
    const auto decompressed = open_decompressed(packed, compression);
    HashedSource plain(*decompressed, kLargestLayer);
    attempt([&] {
      LayerScanner scanner(scan_, work_);
      read_tar(plain, scan_.fact.descriptor.digest.str(),
               [&](const TarEntry& entry, Source& body) { scanner.take(entry, body); });
    });
    // A tar that is refused may still be the bytes that the config means.
    if (!plain.is_broken()) attempt([&] { drain(plain, work_.buffer); });
    scan_.fact.unpacked_size = plain.count();
    if (!plain.is_broken()) scan_.fact.actual_diff_id = plain.digest().str();
  }

  void read_packed(Source& stored, const std::function<void(std::uint64_t)>& on_bytes) {
    HashedSource packed(stored, UINT64_MAX, on_bytes);
    if (const auto compression = scan_.fact.descriptor.media_type.compression()) {
      read_plain(packed, *compression);
    } else {
      add("'" + scan_.fact.descriptor.media_type.str() + "' is no layer type that can be read");
    }
    if (!packed.is_broken()) attempt([&] { drain(packed, work_.buffer); });
    scan_.fact.packed_size = packed.count();
    if (!packed.is_broken()) scan_.fact.actual_digest = packed.digest().str();
  }

  void compare() {
    LayerFact& fact = scan_.fact;
    const Digest& digest = fact.descriptor.digest;
    if (!digest.is_sha256()) {
      add("blob '" + digest.str() + "' cannot be verified: only sha256 is supported");
    } else if (!fact.actual_digest.empty() && fact.actual_digest != digest.str()) {
      add(ErrorText{.message = "blob '" + digest.str() + "' has other bytes",
                    .details = {{"expected", digest.str(), "its descriptor"},
                                {"got", fact.actual_digest, "sha256 of its bytes"}}});
    }
    if (!fact.actual_diff_id.empty() && fact.actual_diff_id != fact.diff_id) {
      add(ErrorText{.message = "the layer has another DiffID than the config says",
                    .details = {{"expected", fact.diff_id, "config"},
                                {"got", fact.actual_diff_id, "sha256 of the plain tar"}}});
    }
  }

  void add(ErrorText text) {
    scan_.fact.problems.push_back(problem_text(InputError(std::move(text))));
  }
  void add(std::string message) { add(ErrorText{std::move(message)}); }

 private:
  /// What is wrong with bytes is a fact; what is wrong with this machine is not.
  template <typename Body>
  void attempt(Body body) {
    try {
      body();
    } catch (const InputError& error) {
      scan_.fact.problems.push_back(problem_text(error));
    } catch (const IntegrityError& error) {
      scan_.fact.problems.push_back(problem_text(error));
    }
  }

  LayerScan& scan_;
  ScanWorkspace& work_;
};

}  // namespace

std::string problem_text(const Error& error) {
  constexpr std::string_view kPrefix = "error: ";
  const std::string text = error.render();
  return text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
}

LayerScan scan_layer(LayoutReader& layout, const Descriptor& descriptor, const std::string& diff_id,
                     ScanWorkspace& workspace, const std::function<void(std::uint64_t)>& on_bytes) {
  LayerScan scan{.fact = {.descriptor = descriptor, .diff_id = diff_id}};
  LayerPass pass(scan, workspace);
  const auto stored = layout.open_unverified(descriptor.digest);
  if (!stored) {
    pass.add("the image lacks blob '" + descriptor.digest.str() + "'");
    return scan;
  }
  if (stored->size != descriptor.size) {
    pass.add(ErrorText{
        .message = "blob '" + descriptor.digest.str() + "' has another size",
        .details = {{"expected", with_commas(descriptor.size) + " bytes", "its descriptor"},
                    {"got", with_commas(stored->size) + " bytes", "the image"}}});
  }
  pass.read_packed(*stored->source, on_bytes);
  pass.compare();
  return scan;
}

}  // namespace img
