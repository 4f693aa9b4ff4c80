// SPDX-License-Identifier: Apache-2.0
// Zip archives that are not here as files: the directory from the archive's end, and members out of
// a stream of its bytes.
#pragma once

#include "builder/base/file.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace img {

/// One member as one of its headers has it.
struct ZipPart {
  std::string name;
  std::uint16_t method = 0;  ///< 0 stored, 8 deflate
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t offset = 0;  ///< of its local header
  std::uint64_t span = 0;    ///< bytes up to the next member; 0: not known
};

/// Gives bytes [offset, offset + size) of the archive to the sink, all of them or an exception.
using ReadZipBytes = std::function<void(std::uint64_t offset, std::uint64_t size, Sink& to)>;

/// The central directory of an archive of `archive_size` bytes, ordered by offset. Two reads: the
/// end of the archive, and the directory. `scratch` is a folder. InputError naming `archive` for
/// what the strict reader of whole files refuses in a directory; members are not looked at.
std::vector<ZipPart> read_zip_directory(std::uint64_t archive_size, const ReadZipBytes& read,
                                        const fs::path& scratch, const std::string& archive);

/// Takes the bytes of an archive in order, from its first local header or that of any member, and
/// unpacks what is chosen. Every byte is passed once and nothing is kept. Members whose local
/// header does not say their size are InputErrors; what does not unpack to the size and CRC of its
/// header is an IntegrityError.
class ZipStream final : public Sink {
 public:
  /// Asked at every member, with what its local header says: who takes its plain bytes (finish()
  /// is called when they are proven); nullptr: it is passed over, unpacked by nobody.
  using Choose = std::function<Sink*(const ZipPart& member)>;

  ZipStream(std::string archive, std::uint64_t offset, Choose choose);
  ~ZipStream() override;

  void write(ByteView bytes) override;
  /// Members that have passed whole.
  std::uint64_t members() const { return members_; }
  /// The central directory was reached: there are no more members.
  bool at_directory() const { return at_directory_; }

 private:
  struct Member;
  ByteView take_header(ByteView bytes);
  ByteView take_data(ByteView bytes);
  void begin_member();
  void end_member();

  std::shared_ptr<const std::string> archive_;
  Choose choose_;
  std::uint64_t offset_;
  std::string header_;
  std::unique_ptr<Member> member_;
  std::uint64_t members_ = 0;
  bool at_directory_ = false;
};

}  // namespace img
