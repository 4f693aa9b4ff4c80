// SPDX-License-Identifier: Apache-2.0
// The one full verification of a wheel: every member unpacked and compared with RECORD.
#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/inputs/record_hash.h"
#include "builder/inputs/wheel.h"
#include "builder/inputs/zip_directory.h"
#include "builder/layer/deflate_tail.h"

#include <algorithm>
#include <map>
#include <set>

namespace img {
namespace {

using zip::member_error;

/// Together: 200 times the file, but at least this much. Real wheels stay below 5 times.
constexpr std::uint64_t kMaxRatio = 200;
constexpr std::uint64_t kRatioFloor = 1ull << 30;

/// Signatures are added after RECORD has been written, and RECORD cannot hold its own hash.
bool needs_no_row(std::string_view path, const std::string& dist_info) {
  return path == dist_info + "/RECORD" || path == dist_info + "/RECORD.jws" ||
         path == dist_info + "/RECORD.p7s";
}

class Verifier {
 public:
  Verifier(const Wheel& wheel, const std::function<void(std::uint64_t)>& on_progress)
      : wheel_(wheel), zip_(wheel.zip()), on_progress_(on_progress) {
    for (const RecordRow& row : wheel.record()) rows_.emplace(row.path, &row);
  }

  WheelFacts run() {
    check_total();
    WheelFacts facts;
    for (const ZipMember& member : zip_.members()) {
      check_interrupt();
      facts.last_block_bits.push_back(check_member(member));
      facts.unpacked_size += member.size;
      facts.files += member.is_directory ? 0 : 1;
    }
    check_rows_left();
    return facts;
  }

 private:
  void check_total() {
    std::uint64_t total = 0;
    const std::uint64_t limit = std::max(kRatioFloor, zip_.file()->size() * kMaxRatio);
    for (const ZipMember& member : zip_.members()) {
      if (member.size > limit - total)
        throw zip::archive_error(zip_.name(), "unpacks to more than " + human_size(limit));
      total += member.size;
    }
  }

  std::optional<std::uint64_t> check_member(const ZipMember& member) {
    static const RecordRow kNoRow;
    const RecordRow* row = take_row(member);
    RecordHash hash(row ? *row : kNoRow);
    const auto last_block_bit = unpack(member, [&](ByteView chunk) {
      hash.update(chunk);
      if (on_progress_) on_progress_(chunk.size());
    });
    if (row) compare(member, *row, hash.finish());
    return last_block_bit;
  }

  /// Gives the plain bytes, all checked; where a deflate stream's last block begins is found on the
  /// way.
  std::optional<std::uint64_t> unpack(const ZipMember& member,
                                      const std::function<void(ByteView)>& on_plain) {
    if (member.method == 0 || member.is_directory) {
      zip_.read(member, on_plain);
      return std::nullopt;
    }
    try {
      return pass_.run(std::get<DeflatedContent>(zip_.content(member)), on_plain).last_block_bit;
    } catch (const IntegrityError& error) {
      throw zip::unpacking_error(zip_.name(), member.name, error);
    }
  }

  /// The row of a member; nullptr for those that need none.
  const RecordRow* take_row(const ZipMember& member) {
    const auto found = rows_.find(member.name);
    if (found == rows_.end()) {
      if (!member.is_directory && !needs_no_row(member.name, wheel_.dist_info()))
        throw member_error(zip_.name(), member.name, "is not listed in RECORD");
      return nullptr;
    }
    const RecordRow* row = found->second;
    rows_.erase(found);
    return row;
  }

  void compare(const ZipMember& member, const RecordRow& row, const std::string& hash) {
    if (member.name == wheel_.dist_info() + "/RECORD" && !hash.empty())
      throw member_error(zip_.name(), member.name, "claims to know its own hash");
    if (row.size && *row.size != member.size)
      throw member_error(zip_.name(), member.name, "does not have the size that RECORD gives",
                         {{"expected", std::to_string(*row.size), "RECORD"},
                          {"got", std::to_string(member.size)}});
    if (hash != hash_text(row))
      throw member_error(zip_.name(), member.name, "does not have the hash that RECORD gives",
                         {{"expected", hash_text(row), "RECORD"}, {"got", hash}});
  }

  /// Rows without a member; a few writers list folders, which a zip need not have.
  void check_rows_left() {
    for (const auto& [path, row] : rows_) {
      const bool folder = path.ends_with('/') && has_member_below(path);
      if (!folder && !needs_no_row(path, wheel_.dist_info()))
        throw zip::archive_error(zip_.name(), "lists a file in RECORD that it does not have",
                                 {{"got", std::string(path)}});
    }
  }

  bool has_member_below(std::string_view folder) const {
    return std::any_of(zip_.members().begin(), zip_.members().end(),
                       [&](const ZipMember& member) { return member.name.starts_with(folder); });
  }

  const Wheel& wheel_;
  const ZipFile& zip_;
  const std::function<void(std::uint64_t)>& on_progress_;
  std::map<std::string_view, const RecordRow*> rows_;
  DeflatePass pass_;
};

}  // namespace

WheelFacts Wheel::verify(const std::function<void(std::uint64_t)>& on_progress) const {
  return Verifier(*this, on_progress).run();
}

Json to_json(const WheelFacts& facts) {
  Json bits = Json::array();
  for (const auto& bit : facts.last_block_bits) bits.push_back(bit ? Json(*bit) : Json());
  return {{"files", facts.files},
          {"last_block_bits", std::move(bits)},
          {"unpacked_size", facts.unpacked_size}};
}

WheelFacts parse_wheel_facts(const Json& value, const std::string& document) {
  JsonReader reader(value, document, "");
  WheelFacts facts;
  facts.files = reader.unsigned_integer("files");
  facts.unpacked_size = reader.unsigned_integer("unpacked_size");
  for (const Json& bit : reader.array("last_block_bits")) {
    if (bit.is_null()) {
      facts.last_block_bits.emplace_back();
    } else if (bit.is_number_unsigned()) {
      facts.last_block_bits.emplace_back(bit.get<std::uint64_t>());
    } else {
      reader.fail("last_block_bits", "expected whole numbers and nulls");
    }
  }
  reader.finish();
  return facts;
}

}  // namespace img
