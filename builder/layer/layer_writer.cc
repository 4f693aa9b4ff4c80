// SPDX-License-Identifier: Apache-2.0
// Walks a tree once and drives hashes and packers.
#include "builder/layer/layer_writer.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/interrupt.h"
#include "builder/layer/async_sink.h"
#include "builder/layer/gzip_splice.h"
#include "builder/layer/inflate.h"
#include "builder/layer/tar_writer.h"
#include "builder/layer/zstd_sink.h"

#include <optional>
#include <vector>

namespace img {
namespace {

/// Takes the parts of a tar in order: framing (headers and padding) and contents.
class TarParts {
 public:
  virtual ~TarParts() = default;
  virtual void framing(ByteView bytes) = 0;
  virtual void content(const Content& content, std::uint64_t size) = 0;
};

void write_parts(const Tree& tree, TarParts& parts) {
  for (const auto& [path, entry] : tree.entries()) {
    check_interrupt();
    parts.framing(as_bytes(tar_header(path, entry)));
    if (entry.type != EntryType::file) continue;
    const std::uint64_t size = tar_entry_size(entry);
    with_context("writing '" + path.str() + "'", [&] { parts.content(entry.content, size); });
    parts.framing(tar_zeros(tar_padding(size)));
  }
  parts.framing(tar_zeros(kTarEnd));
}

/// Copies a content that must have exactly the size that its header states.
void copy_content(const Content& content, std::uint64_t size, ByteSpan buffer,
                  const std::function<void(ByteView)>& on_plain) {
  const auto source = open_content(content);
  std::uint64_t done = 0;
  while (const std::size_t count = source->read(buffer)) {
    check_interrupt();
    done += count;
    if (done > size) break;
    on_plain(buffer.first(count));
  }
  if (done != size) throw InternalError("a content has another size than it said");
}

/// Hash, count and progress of the plain tar. With helpers, the hash is made on a thread of its
/// own.
class PlainSide {
 public:
  explicit PlainSide(const LayerWriteOptions& options) : on_progress_(options.on_progress) {
    if (options.workers > 1) helper_.emplace(hashed_);
  }
  void take(ByteView plain) {
    hash().write(plain);
    count_ += plain.size();
    if (on_progress_) on_progress_(plain.size());
  }
  std::uint64_t count() const { return count_; }
  DiffId diff_id() {
    hash().finish();
    return DiffId(Digest::sha256(hashed_.digest()));
  }

 private:
  Sink& hash() { return helper_ ? static_cast<Sink&>(*helper_) : hashed_; }

  const std::function<void(std::uint64_t)>& on_progress_;
  std::uint64_t count_ = 0;
  NullSink nowhere_;
  HashSink hashed_{nowhere_};
  std::optional<AsyncSink> helper_;
};

class PlainParts final : public TarParts {
 public:
  explicit PlainParts(Sink& out) : out_(out), buffer_(kIoBuffer) {}
  void framing(ByteView bytes) override { out_.write(bytes); }
  void content(const Content& content, std::uint64_t size) override {
    copy_content(content, size, buffer_, [this](ByteView plain) { out_.write(plain); });
  }

 private:
  Sink& out_;
  std::vector<std::uint8_t> buffer_;
};

class ZstdParts final : public TarParts {
 public:
  ZstdParts(ZstdSink& out, PlainSide& plain) : out_(out), plain_(plain), buffer_(kIoBuffer) {}
  void framing(ByteView bytes) override { take(bytes); }
  void content(const Content& content, std::uint64_t size) override {
    copy_content(content, size, buffer_, [this](ByteView bytes) { take(bytes); });
  }

 private:
  void take(ByteView bytes) {
    plain_.take(bytes);
    out_.write(bytes);
  }
  ZstdSink& out_;
  PlainSide& plain_;
  std::vector<std::uint8_t> buffer_;
};

class GzipParts final : public TarParts {
 public:
  GzipParts(GzipSpliceSink& out, PlainSide& plain) : out_(out), plain_(plain) {}
  void framing(ByteView bytes) override {
    plain_.take(bytes);
    out_.glue(bytes);
  }
  void content(const Content& content, std::uint64_t size) override {
    const std::uint64_t before = plain_.count();
    const OnPlain on_plain = [this](ByteView bytes) { plain_.take(bytes); };
    if (size == 0) {
      copy_content(content, size, {&nothing_, 1},
                   on_plain);  // a stream of nothing must be one, too
    } else if (const auto* deflated = std::get_if<DeflatedContent>(&content)) {
      out_.splice(*deflated, on_plain);
    } else {
      out_.pack(*open_content(content), on_plain);
    }
    if (plain_.count() - before != size) {
      throw InternalError("a content has another size than it said");
    }
  }

 private:
  GzipSpliceSink& out_;
  PlainSide& plain_;
  std::uint8_t nothing_ = 0;
};

void write_packed(const Tree& tree, Sink& packed, const LayerWriteOptions& options,
                  PlainSide& plain) {
  switch (options.compression) {
    case Compression::zstd: {
      ZstdSink sink(packed, tar_size(tree), options.workers);
      ZstdParts parts(sink, plain);
      write_parts(tree, parts);
      return sink.finish();
    }
    case Compression::gzip: {
      GzipSpliceSink sink(packed);
      GzipParts parts(sink, plain);
      write_parts(tree, parts);
      return sink.finish();
    }
    case Compression::none:
      break;
  }
  throw InternalError("a layer is never written as plain tar");
}

}  // namespace

Layer write_layer(const Tree& tree, Sink& packed, const LayerWriteOptions& options) {
  HashSink hashed(packed);
  PlainSide plain(options);
  if (options.workers > 1) {
    AsyncSink helper(hashed);
    write_packed(tree, helper, options, plain);
  } else {
    write_packed(tree, hashed, options, plain);
  }
  const std::uint64_t uncompressed_size = plain.count();
  return Layer{.descriptor = {.media_type = MediaType::layer(options.compression),
                              .digest = Digest::sha256(hashed.digest()),
                              .size = hashed.count()},
               .diff_id = plain.diff_id(),
               .uncompressed_size = uncompressed_size};
}

void write_tar(const Tree& tree, Sink& plain) {
  PlainParts parts(plain);
  write_parts(tree, parts);
  plain.finish();
}

std::uint64_t tar_size(const Tree& tree) {
  std::uint64_t total = kTarEnd;
  for (const auto& [path, entry] : tree.entries()) {
    const std::uint64_t size = tar_entry_size(entry);
    total += tar_header(path, entry).size() + size + tar_padding(size);
  }
  return total;
}

}  // namespace img
