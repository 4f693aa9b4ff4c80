// SPDX-License-Identifier: Apache-2.0
// Foreign packed streams → plain bytes, through libarchive's filters.
#include "builder/inputs/decompressor.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <archive.h>
#include <archive_entry.h>

#include <exception>
#include <new>
#include <vector>

namespace img {
namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

ForeignCodec to_codec(int filter_code, const std::string& name) {
  switch (filter_code) {
    case ARCHIVE_FILTER_NONE:
      return ForeignCodec::none;
    case ARCHIVE_FILTER_GZIP:
      return ForeignCodec::gzip;
    case ARCHIVE_FILTER_BZIP2:
      return ForeignCodec::bzip2;
    case ARCHIVE_FILTER_XZ:
      return ForeignCodec::xz;
    case ARCHIVE_FILTER_LZMA:
      return ForeignCodec::lzma;
    case ARCHIVE_FILTER_ZSTD:
      return ForeignCodec::zstd;
    default:
      throw InputError("'" + printable(name) + "' is packed in an unknown way");
  }
}

class ForeignSource final : public Source {
 public:
  ForeignSource(Source& packed, const std::string& name, std::optional<ForeignCodec> expected)
      : packed_(packed), name_(name), buffer_(256 << 10), reader_(archive_read_new()) {
    if (!reader_) throw std::bad_alloc();
    archive* reader = reader_.get();
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_lzma(reader);
    archive_read_support_filter_zstd(reader);
    archive_read_support_format_raw(reader);
    require(archive_read_open(reader, this, nullptr, feed, nullptr));
    archive_entry* entry = nullptr;
    require(archive_read_next_header(reader, &entry));
    check_codec(expected);
  }

  std::size_t read(ByteSpan buffer) override {
    if (ended_) return 0;
    const la_ssize_t count = archive_read_data(reader_.get(), buffer.data(), buffer.size());
    if (count < 0) require(ARCHIVE_FATAL);
    if (count == 0) check_end();
    return static_cast<std::size_t>(count);
  }

 private:
  /// libarchive is C: what our source throws is kept and thrown again behind it.
  static la_ssize_t feed(archive* reader, void* self_pointer, const void** bytes) {
    auto& self = *static_cast<ForeignSource*>(self_pointer);
    try {
      const std::size_t count = self.packed_.read(self.buffer_);
      self.fed_ += count;
      *bytes = self.buffer_.data();
      return static_cast<la_ssize_t>(count);
    } catch (...) {
      self.failure_ = std::current_exception();
      archive_set_error(reader, EIO, "cannot read");
      return ARCHIVE_FATAL;
    }
  }

  void require(int result) {
    if (failure_) std::rethrow_exception(failure_);
    if (result == ARCHIVE_OK) return;
    const char* known = archive_error_string(reader_.get());
    const std::string reason = fed_ == 0 ? "it is empty" : known ? known : "it ends too early";
    throw InputError(ErrorText{"'" + printable(name_) + "' does not unpack", {{"reason", reason}}});
  }

  void check_codec(std::optional<ForeignCodec> expected) {
    const int layers = archive_filter_count(reader_.get());  // the reading of bytes is one of them
    if (layers > 2) throw InputError("'" + printable(name_) + "' is packed more than once");
    const ForeignCodec codec = to_codec(archive_filter_code(reader_.get(), 0), name_);
    if (expected && codec != *expected)
      throw InputError(ErrorText{"'" + printable(name_) + "' is not packed as its name says",
                                 {{"expected", std::string(to_string(*expected))},
                                  {"got", std::string(to_string(codec))}}});
  }

  /// libarchive stops silently where a stream ends; what follows must not be there.
  void check_end() {
    ended_ = true;
    const auto used = static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1));
    std::uint8_t spare = 0;
    if (used < fed_ || packed_.read({&spare, 1}) != 0)
      throw InputError("'" + printable(name_) + "' has bytes after the end of its packed stream");
  }

  Source& packed_;
  const std::string name_;
  std::vector<std::uint8_t> buffer_;
  std::unique_ptr<archive, FreeArchive> reader_;
  std::exception_ptr failure_;
  std::uint64_t fed_ = 0;
  bool ended_ = false;
};

}  // namespace

std::string_view to_string(ForeignCodec codec) {
  switch (codec) {
    case ForeignCodec::none:
      return "plain";
    case ForeignCodec::gzip:
      return "gzip";
    case ForeignCodec::bzip2:
      return "bzip2";
    case ForeignCodec::xz:
      return "xz";
    case ForeignCodec::lzma:
      return "lzma";
    case ForeignCodec::zstd:
      return "zstd";
  }
  return "";
}

std::unique_ptr<Source> open_foreign(Source& packed, const std::string& name,
                                     std::optional<ForeignCodec> expected) {
  return std::make_unique<ForeignSource>(packed, name, expected);
}

}  // namespace img
