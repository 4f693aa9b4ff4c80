// SPDX-License-Identifier: Apache-2.0
// The stamp's text form and its comparison.
#include "builder/fetch/blob_stamp.h"

#include "builder/base/text.h"

#include <array>
#include <vector>

namespace img {
namespace {

constexpr std::string_view kVersion = "v1";

}  // namespace

BlobStamp BlobStamp::of(const struct stat& info) {
  BlobStamp stamp;
  stamp.inode = info.st_ino;
  stamp.size = static_cast<std::uint64_t>(info.st_size);
  stamp.mtime_seconds = info.st_mtim.tv_sec;
  stamp.mtime_nanoseconds = info.st_mtim.tv_nsec;
  stamp.ctime_seconds = info.st_ctim.tv_sec;
  stamp.ctime_nanoseconds = info.st_ctim.tv_nsec;
  stamp.links = info.st_nlink;
  return stamp;
}

std::string BlobStamp::format() const {
  std::string text(kVersion);
  for (const std::uint64_t number :
       {inode, size, static_cast<std::uint64_t>(mtime_seconds),
        static_cast<std::uint64_t>(mtime_nanoseconds), static_cast<std::uint64_t>(ctime_seconds),
        static_cast<std::uint64_t>(ctime_nanoseconds), links}) {
    text += " " + std::to_string(number);
  }
  return text + "\n";
}

std::optional<BlobStamp> BlobStamp::parse(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;  // a torn write
  text.remove_suffix(1);
  const std::vector<std::string> words = split(text, ' ');
  if (words.size() != 8 || words[0] != kVersion) return std::nullopt;
  std::array<std::uint64_t, 7> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = parse_decimal(words[i + 1]);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  BlobStamp stamp;
  stamp.inode = numbers[0];
  stamp.size = numbers[1];
  stamp.mtime_seconds = static_cast<std::int64_t>(numbers[2]);
  stamp.mtime_nanoseconds = static_cast<std::int64_t>(numbers[3]);
  stamp.ctime_seconds = static_cast<std::int64_t>(numbers[4]);
  stamp.ctime_nanoseconds = static_cast<std::int64_t>(numbers[5]);
  stamp.links = numbers[6];
  return stamp;
}

bool BlobStamp::vouches_for(const BlobStamp& now) const {
  BlobStamp relinked = *this;
  if (links != now.links) {
    relinked.links = now.links;
    relinked.ctime_seconds = now.ctime_seconds;
    relinked.ctime_nanoseconds = now.ctime_nanoseconds;
  }
  return relinked == now;
}

}  // namespace img
