// SPDX-License-Identifier: Apache-2.0
// Opens contents: memory, file ranges, and deflate streams checked to the last bit.
#include "builder/layer/content.h"

#include "builder/base/error.h"
#include "builder/layer/inflate.h"

#include <algorithm>

namespace img {
namespace {

class LiteralSource final : public Source {
 public:
  explicit LiteralSource(const LiteralContent& content)
      : bytes_(content.bytes), view_(bytes_ ? as_bytes(*bytes_) : ByteView{}) {}
  std::size_t read(ByteSpan buffer) override { return view_.read(buffer); }

 private:
  std::shared_ptr<const std::string> bytes_;
  ViewSource view_;
};

class InflateSource final : public Source {
 public:
  explicit InflateSource(const DeflatedContent& content)
      : content_(content),
        inflater_(content_),
        packed_(
            std::min<std::uint64_t>(kIoBuffer, std::max<std::uint64_t>(content.packed_size, 1))) {}

  std::size_t read(ByteSpan buffer) override {
    const std::size_t count = inflate_some(buffer);
    // The end is proven together with the last bytes: a reader that knows the size may never ask
    // again.
    if (!proven_ && inflater_.plain_done() == content_.size) prove_end();
    return count;
  }

 private:
  std::size_t inflate_some(ByteSpan buffer) {
    while (!proven_) {
      if (const std::size_t count = inflater_.read(buffer)) return count;
      if (!feed_more()) prove_end();
    }
    return 0;
  }

  bool feed_more() {
    const std::uint64_t left = content_.packed_size - inflater_.packed_fed();
    if (left == 0) return false;
    const ByteSpan chunk = ByteSpan(packed_).first(std::min<std::uint64_t>(left, packed_.size()));
    content_.file->read_exactly_at(content_.offset + inflater_.packed_fed(), chunk);
    inflater_.feed(chunk);
    return true;
  }

  void prove_end() {
    std::uint8_t spare[64];
    do {
      while (inflater_.read(spare) > 0) {
        // Any byte here is one too many, which read() refuses.
      }
    } while (feed_more());
    inflater_.check_end();
    proven_ = true;
  }

  const DeflatedContent content_;
  CheckedInflater inflater_;
  std::vector<std::uint8_t> packed_;
  bool proven_ = false;
};

struct SizeOf {
  std::uint64_t operator()(const LiteralContent& content) const {
    return content.bytes ? content.bytes->size() : 0;
  }
  std::uint64_t operator()(const StoredContent& content) const { return content.size; }
  std::uint64_t operator()(const DeflatedContent& content) const { return content.size; }
};

struct Opener {
  std::unique_ptr<Source> operator()(const LiteralContent& content) const {
    return std::make_unique<LiteralSource>(content);
  }
  std::unique_ptr<Source> operator()(const StoredContent& content) const {
    return std::make_unique<FileSource>(content.file, content.offset, content.size);
  }
  std::unique_ptr<Source> operator()(const DeflatedContent& content) const {
    return std::make_unique<InflateSource>(content);
  }
};

}  // namespace

Content literal(std::string bytes) {
  return LiteralContent{std::make_shared<const std::string>(std::move(bytes))};
}

std::uint64_t content_size(const Content& content) { return std::visit(SizeOf{}, content); }

std::unique_ptr<Source> open_content(const Content& content) {
  return std::visit(Opener{}, content);
}

std::string read_content(const Content& content, std::uint64_t limit) {
  return read_all(*open_content(content), limit, "content");
}

}  // namespace img
