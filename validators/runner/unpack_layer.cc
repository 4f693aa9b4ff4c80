// SPDX-License-Identifier: Apache-2.0
// Writes the entries of a layer below a folder, by descriptors only.
#include "validators/runner/unpack_layer.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "validators/runner/read_ahead.h"

#include <cerrno>
#include <map>
#include <optional>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::size_t kWriteBuffer = 1 << 20;
constexpr std::uint64_t kFreeSpaceInterval = 64 << 20;  // bytes between two looks at the disk
constexpr std::uint32_t kKeptModeBits = 01777;          // setuid and setgid mean nothing here
constexpr std::size_t kMaxLinkText = 4095;              // what symlink(2) takes
constexpr const char* kOpaque = "user.overlay.opaque";

/// Counts and hashes plain bytes on their way.
class DiffIdSource final : public Source {
 public:
  DiffIdSource(Source& plain, const UnpackRequest& request) : plain_(plain), request_(request) {}

  std::size_t read(ByteSpan buffer) override {
    const std::size_t count = plain_.read(buffer);
    hash_.update(ByteView(buffer).first(count));
    count_ += count;
    const UnpackLimits& limits = request_.limits;
    if (count_ > limits.ratio_floor && count_ / limits.ratio > request_.packed_size) {
      throw InputError(
          ErrorText{.message = "layer '" + request_.name + "' unpacks to too much",
                    .details = {{"packed", with_commas(request_.packed_size) + " bytes"},
                                {"limit", std::to_string(limits.ratio) + " times that"}}});
    }
    return count;
  }

  void require_diff_id() {
    const Digest found = Digest::sha256(hash_.finish());
    if (found == request_.diff_id.digest()) return;
    throw IntegrityError(
        ErrorText{.message = "layer '" + request_.name + "' has another DiffID",
                  .details = {{"expected", request_.diff_id.str(), "the image's config"},
                              {"got", found.str(), "sha256 of its plain tar"}}});
  }

 private:
  Source& plain_;
  const UnpackRequest& request_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

/// Tells progress, and is drained when the reader gives up early.
class PackedSource final : public Source {
 public:
  PackedSource(Source& packed, const UnpackRequest& request) : packed_(packed), request_(request) {}
  std::size_t read(ByteSpan buffer) override {
    const std::size_t count = packed_.read(buffer);
    if (request_.on_packed_bytes) request_.on_packed_bytes(count);
    return count;
  }

 private:
  Source& packed_;
  const UnpackRequest& request_;
};

/// The folder that was opened last: entries of one folder mostly follow each other.
class LastFolder {
 public:
  explicit LastFolder(const SafeFolder& root) : root_(root) {}

  /// -1 with errno set when it is not there or no folder.
  int try_open(const std::string& path) {
    if (fd_ && path == path_) return fd_.get();
    fd_ = root_.try_open(path);
    path_ = path;
    return fd_.get();
  }
  void forget() { fd_.reset(); }

 private:
  const SafeFolder& root_;
  Fd fd_;
  std::string path_;
};

struct FolderAttributes {
  std::uint32_t mode = 0755;
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime = 0;
};

class LayerUnpacker {
 public:
  explicit LayerUnpacker(const UnpackRequest& request)
      : request_(request), folder_(request.target), link_folder_(request.target) {}

  void take(const TarEntry& entry, Source& body) {
    ++facts_.entries;
    const Place place = place_of(entry.path);
    if (entry.is_opaque_marker) return make_opaque(place);
    if (entry.is_whiteout) return make_whiteout(place);
    switch (entry.entry.type) {
      case EntryType::directory:
        return make_folder(entry);
      case EntryType::file:
        return make_file(entry, place, body);
      case EntryType::symlink:
        return make_symlink(entry, place);
      case EntryType::hardlink:
        return make_hard_link(entry, place);
      case EntryType::character_device:
      case EntryType::block_device:
      case EntryType::fifo:
        return leave_out(entry);
    }
  }

  /// Folders get their modes when nothing is written into them any more, innermost first.
  UnpackedFacts finish() {
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
      const Fd fd = request_.target.open(folder->first);
      set_owner(fd.get(), folder->second.uid, folder->second.gid, folder->first);
      require(fchmod(fd.get(), folder->second.mode), "set the mode of", folder->first);
      set_mtime(fd.get(), folder->second.mtime, folder->first);
    }
    require(fchmod(request_.target.fd(), 0755), "set the mode of", "");
    return std::move(facts_);
  }

 private:
  struct Place {
    std::string path, folder, name;
  };

  static Place place_of(const EntryPath& path) {
    const auto parent = path.parent();
    return {path.str(), parent ? parent->str() : "", std::string(path.name())};
  }

  [[noreturn]] void fail(int error, const std::string& what, const std::string& path) const {
    const std::string text =
        "cannot " + what + " '" + (request_.target.path() / path).string() + "'";
    if (error == ENOSPC || error == EDQUOT) fail_full(error, text);
    throw SystemError(error, text);
  }
  [[noreturn]] void fail_full(int error, const std::string& text) const {
    ErrorText full = SystemError(error, text).text();
    full.details.push_back({"free", with_commas(free_bytes(request_.target.path())) + " bytes"});
    full.hint = "make room, or name a folder on a larger disk: --cache-dir";
    throw UnavailableError(std::move(full));
  }
  void require(int result, const std::string& what, const std::string& path) const {
    if (result != 0) fail(errno, what, path);
  }

  /// The folder that holds the place; made when no entry declares it.
  int parent(const Place& place) {
    int fd = folder_.try_open(place.folder);
    if (fd >= 0) return fd;
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) fail(errno, "open", place.folder);
    imply(place.folder);
    fd = folder_.try_open(place.folder);
    if (fd < 0) fail(errno, "open", place.folder);
    return fd;
  }

  /// Makes a folder and those above it that are missing.
  void imply(const std::string& path) {
    std::size_t end = 0;
    while (end != std::string::npos) {
      end = path.find('/', end + 1);
      const std::string folder = path.substr(0, end);
      if (folders_.contains(folder)) continue;
      make_one_folder(place_of(EntryPath::parse(folder)));
      folders_.emplace(folder, FolderAttributes{});
      facts_.implied.insert(folder);
    }
  }

  void make_one_folder(const Place& place) {
    const int fd = parent(place);
    const bool hidden = remove_whiteout(place, fd);
    require(mkdirat(fd, place.name.c_str(), 0700), "make folder", place.path);
    if (hidden) set_opaque(place.path);
  }

  void make_folder(const TarEntry& entry) {
    const std::string& path = entry.path.str();
    const FolderAttributes attributes{entry.entry.mode & kKeptModeBits, entry.entry.uid,
                                      entry.entry.gid, entry.mtime};
    if (facts_.implied.erase(path) == 0) make_one_folder(place_of(entry.path));
    folders_.insert_or_assign(path, attributes);
  }

  void make_file(const TarEntry& entry, const Place& place, Source& body) {
    const int folder = parent(place);
    remove_whiteout(place, folder);
    const Fd file(openat(folder, place.name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) fail(errno, "create", place.path);
    write_content(file.get(), body, place.path);
    set_owner(file.get(), entry.entry.uid, entry.entry.gid, place.path);
    require(fchmod(file.get(), entry.entry.mode & kKeptModeBits), "set the mode of", place.path);
    set_mtime(file.get(), entry.mtime, place.path);
  }

  void write_content(int fd, Source& body, const std::string& path) {
    while (const std::size_t count = read_full(body, buffer_)) {
      account(count);
      write_all(fd, ByteView(buffer_).first(count), path);
      if (count < buffer_.size()) return;
    }
  }

  void write_all(int fd, ByteView bytes, const std::string& path) const {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(errno, "write", path);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  void account(std::uint64_t count) {
    facts_.bytes += count;
    if (request_.image_bytes != nullptr &&
        (*request_.image_bytes += count) > request_.limits.image_bytes) {
      throw InputError("the image unpacks to more than " +
                       with_commas(request_.limits.image_bytes) + " bytes");
    }
    if (facts_.bytes < next_look_) return;
    next_look_ = facts_.bytes + kFreeSpaceInterval;
    // Filling the disk to the last byte would break whatever else runs on this machine.
    if (free_bytes(request_.target.path()) < request_.limits.keep_free) {
      fail_full(ENOSPC, "cannot unpack layer '" + request_.name + "'");
    }
  }

  void make_symlink(const TarEntry& entry, const Place& place) {
    const std::string& target = entry.entry.link;
    if (target.size() > kMaxLinkText) {
      throw InputError("entry '" + place.path + "': has a link target of more than " +
                       with_commas(kMaxLinkText) + " bytes");
    }
    const int folder = parent(place);
    remove_whiteout(place, folder);
    require(symlinkat(target.c_str(), folder, place.name.c_str()), "make link", place.path);
    if (request_.owners == Owners::kept) {
      require(fchownat(folder, place.name.c_str(), entry.entry.uid, entry.entry.gid,
                       AT_SYMLINK_NOFOLLOW),
              "set the owner of", place.path);
    }
  }

  void make_hard_link(const TarEntry& entry, const Place& place) {
    const Place target = place_of(EntryPath::parse(entry.entry.link));
    const int from = link_folder_.try_open(target.folder);
    if (from < 0) fail(errno, "open", target.folder);
    const int folder = parent(place);
    remove_whiteout(place, folder);
    // Without AT_SYMLINK_FOLLOW a link in the target's place is linked itself, never followed.
    require(linkat(from, target.name.c_str(), folder, place.name.c_str(), 0), "make hard link",
            place.path);
  }

  void leave_out(const TarEntry& entry) {
    if (facts_.not_made_count++ >= kMostNotMade) return;
    facts_.not_made.push_back("'" + printable(entry.path.str()) + "' is a " +
                              std::string(to_string(entry.entry.type)));
  }

  /// ".wh.name" hides what lower layers have as "name"; what this layer has under that name stays.
  void make_whiteout(const Place& marker) {
    const std::string name = marker.name.substr(4);
    const std::string path = marker.folder.empty() ? name : marker.folder + "/" + name;
    const int folder = parent(marker);
    if (mknodat(folder, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) {
      whiteouts_.insert(path);
      return;
    }
    if (errno != EEXIST) fail(errno, "make whiteout", path);
    if (folders_.contains(path)) set_opaque(path);
  }

  /// True when lower layers are hidden under this name.
  bool remove_whiteout(const Place& place, int folder) {
    if (whiteouts_.erase(place.path) == 0) return false;
    require(unlinkat(folder, place.name.c_str(), 0), "remove whiteout", place.path);
    return true;
  }

  void make_opaque(const Place& marker) {
    if (marker.folder.empty()) {
      facts_.hides_everything_below = true;
      return;
    }
    parent(marker);
    set_opaque(marker.folder);
  }

  void set_opaque(const std::string& path) const {
    const Fd folder = request_.target.open(path);
    if (fsetxattr(folder.get(), kOpaque, "y", 1, 0) == 0) return;
    const int error = errno;
    if (error != ENOTSUP) fail(error, "mark as opaque", path);
    throw UnavailableError(
        ErrorText{.message = "cannot mark folder '" + (request_.target.path() / path).string() +
                             "' as opaque: its file system keeps no extended attributes of users",
                  .hint = "name a cache on another file system, e.g. ext4 or xfs: --cache-dir"});
  }

  void set_owner(int fd, std::uint32_t uid, std::uint32_t gid, const std::string& path) const {
    if (request_.owners == Owners::kept) require(fchown(fd, uid, gid), "set the owner of", path);
  }

  void set_mtime(int fd, std::int64_t mtime, const std::string& path) const {
    const timespec times[2] = {{.tv_sec = mtime, .tv_nsec = 0}, {.tv_sec = mtime, .tv_nsec = 0}};
    if (futimens(fd, times) != 0 && errno != EINVAL) fail(errno, "set the time of", path);
  }

  const UnpackRequest& request_;
  LastFolder folder_, link_folder_;
  UnpackedFacts facts_;
  std::map<std::string, FolderAttributes> folders_;
  std::unordered_set<std::string> whiteouts_;
  std::uint64_t next_look_ = 0;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kWriteBuffer);
};

UnpackedFacts unpack(Source& packed, const UnpackRequest& request) {
  const auto plain = open_decompressed(packed, request.compression);
  ReadAhead ahead(*plain);
  DiffIdSource verified(ahead, request);
  LayerUnpacker unpacker(request);
  TarReadLimits limits;
  limits.entries = request.limits.layer_entries;
  limits.bytes = request.limits.layer_bytes;
  read_tar(
      verified, request.name,
      [&](const TarEntry& entry, Source& body) { unpacker.take(entry, body); }, limits);
  verified.require_diff_id();
  return unpacker.finish();
}

}  // namespace

UnpackedFacts unpack_layer(Source& packed, const UnpackRequest& request) {
  PackedSource source(packed, request);
  try {
    return unpack(source, request);
  } catch (const InputError&) {
    // Damaged bytes look like a bad layer at first; their digest says what they really are.
    NullSink nowhere;
    copy(source, nowhere);
    throw;
  }
}

}  // namespace img
