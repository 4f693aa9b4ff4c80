// SPDX-License-Identifier: Apache-2.0
// The store on disk: blobs in, blobs out, and what is remembered about them.
#include "builder/fetch/store.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

constexpr mode_t kBlobMode = 0444;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

/// Names become file names, so they are checked although they are ours.
const std::string& checked_name(const std::string& name) {
  const bool ok =
      !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
      });
  if (!ok) throw InternalError("store: '" + printable(name) + "' is no name");
  return name;
}

/// nullopt when there is nothing under that name.
std::optional<struct stat> look(const fs::path& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) return info;
  const int error = errno;
  if (error == ENOENT || error == ENOTDIR) return std::nullopt;
  throw SystemError(error, "cannot look at " + quoted(path));
}

void sync(const fs::path& path, int flags) {
  const Fd fd = Fd::open(path, flags);
  if (fsync(fd.get()) == 0) return;
  const int error = errno;
  if ((flags & O_DIRECTORY) != 0 && (error == EINVAL || error == ENOTSUP)) return;
  throw SystemError(error, "cannot write " + quoted(path));
}

/// See BlobStamp: any later write then moves the mtime, however soon it comes.
void date_back(int fd, const fs::path& path) {
  std::array<struct timespec, 2> times{};
  clock_gettime(CLOCK_REALTIME, &times[1]);
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec -= BlobStamp::kBackdate;
  if (futimens(fd, times.data()) == 0) return;
  const int error = errno;
  throw SystemError(error, "cannot set the date of " + quoted(path));
}

bool may_write(const fs::path& folder) {
  return faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

}  // namespace

/// The folder of one Store under tmp/, and the lock that says it lives.
struct Store::Session {
  std::optional<FileLock> lock;  // released after the folder is gone
  std::unique_ptr<TempDir> folder;
  std::atomic<std::uint64_t> names{0};
};

/// A blob on its way in. An AtomicFile in the session's folder that moves into blobs/.
class StoreWriter final : public BlobWriter {
 public:
  explicit StoreWriter(Store& store)
      : store_(store), file_(store.temporary_name("blob"), kBlobMode) {}

  void write(ByteView bytes) override { file_.write(bytes); }

  void commit(const Digest& expected) override {
    if (store_.check(expected) == Store::State::good) return store_.mark_used(expected);
    file_.finish();
    date_back(file_.fd(), file_.temporary_path());
    file_.commit_as(store_.blob_path(expected));
    store_.remember_new(expected);
  }

 private:
  Store& store_;
  AtomicFile file_;
};

fs::path Store::default_root(const std::string& flag) {
  if (!flag.empty()) return fs::absolute(flag);
  if (const auto own = environment("IMGBUILD_CACHE_DIR")) return fs::absolute(*own);
  // Relative paths are to be ignored (XDG Base Directory Specification).
  const auto xdg = environment("XDG_CACHE_HOME");
  if (xdg && fs::path(*xdg).is_absolute()) return fs::path(*xdg) / "imgbuild";
  const auto home = environment("HOME");
  if (home && fs::path(*home).is_absolute()) return fs::path(*home) / ".cache/imgbuild";
  throw UnavailableError(ErrorText{.message = "no folder is known for the cache: HOME is not set",
                                   .hint = "name one: --cache-dir DIR, or set IMGBUILD_CACHE_DIR"});
}

Store::Store(fs::path root) : root_(std::move(root)) {
  open_folders();
  try {
    user_lock_.emplace(root_ / "users.lock", FileLock::Mode::shared);
  } catch (const SystemError& error) {
    // A store that was copied to a read-only place without its lock file has no gc to fear.
    if (!read_only_ || error.errno_value() != ENOENT) throw;
  }
  if (!read_only_) remove_dead_sessions(false);
}

Store::~Store() = default;

void Store::open_folders() {
  const std::array<const char*, 6> folders = {"blobs/sha256", "verified", "facts",
                                              "partial",      "locks",    "tmp"};
  try {
    for (const char* folder : folders) create_folders(root_ / folder);
    read_only_ = std::any_of(folders.begin(), folders.end(),
                             [&](const char* folder) { return !may_write(root_ / folder); });
    read_only_ = read_only_ || !may_write(root_);
    return;
  } catch (const SystemError& error) {
    const int cause = error.errno_value();
    const bool forbidden = cause == EROFS || cause == EACCES || cause == EPERM;
    std::error_code ignored;
    if (!forbidden || !fs::is_directory(root_ / "blobs/sha256", ignored)) {
      throw SystemError(cause, ErrorText{.message = "cannot open the cache " + quoted(root_),
                                         .hint = "name another folder: --cache-dir DIR"});
    }
    read_only_ = true;
  }
}

void Store::require_writable() const {
  if (!read_only_) return;
  throw SystemError(EROFS, ErrorText{.message = "cannot write to the cache " + quoted(root_),
                                     .hint = "name another folder: --cache-dir DIR"});
}

void Store::open_session() const {
  require_writable();
  for (int attempt = 0;; ++attempt) {
    auto session = std::make_unique<Session>();
    session->folder = std::make_unique<TempDir>(root_ / "tmp", std::to_string(getpid()) + "-");
    try {
      session->lock.emplace(session->folder->path() / "lock", FileLock::Mode::exclusive);
      session_ = std::move(session);
      return;
    } catch (const SystemError& error) {
      // Before it was locked, somebody who cleans up took the new folder for a leftover.
      if (error.errno_value() != ENOENT || attempt == 10) throw;
    }
  }
}

fs::path Store::temporary_name(std::string_view prefix) const {
  const std::lock_guard guard(mutex_);
  if (!session_) open_session();
  return session_->folder->path() /
         (std::string(prefix) + "-" + std::to_string(session_->names.fetch_add(1)));
}

std::unique_ptr<TempDir> Store::temp_dir(std::string_view prefix) const {
  const fs::path name = temporary_name(prefix);
  return std::make_unique<TempDir>(name.parent_path(), name.filename().string() + "-");
}

fs::path Store::blob_path(const Digest& digest) const {
  if (!digest.is_sha256()) {
    throw InputError("blob '" + digest.str() + "' cannot be kept: its digest is not a sha256");
  }
  return root_ / "blobs/sha256" / digest.hex();
}

fs::path Store::partial_path(const Digest& digest) const {
  return root_ / "partial" / (std::string(digest.hex()) + ".part");
}

fs::path Store::stamp_path(std::string_view hex) const { return root_ / "verified" / hex; }

FileLock Store::lock(const std::string& key, const std::function<void(int)>& on_wait) const {
  require_writable();
  return FileLock(root_ / "locks" / (checked_name(key) + ".lock"), FileLock::Mode::exclusive,
                  on_wait);
}

std::optional<FileLock> Store::try_lock(const std::string& key) const {
  require_writable();
  return FileLock::try_lock(root_ / "locks" / (checked_name(key) + ".lock"),
                            FileLock::Mode::exclusive);
}

// ---- knowing that a blob is good

bool Store::contains(const Digest& digest) const {
  return digest.is_sha256() && check(digest) == State::good;
}

Store::State Store::check(const Digest& digest, Digest* got) const {
  const std::optional<struct stat> info = look(blob_path(digest));
  if (!info) return State::absent;
  if (!S_ISREG(info->st_mode)) {
    set_aside(digest, *info);
    return State::bad;
  }
  const std::string hex(digest.hex());
  const BlobStamp now = BlobStamp::of(*info);
  const std::optional<BlobStamp> stamp = stamp_that_vouches(hex, now);
  if (!stamp) return hash_blob(digest, *info, got, false);
  if (*stamp != now) remember(hex, now, true);
  return State::good;
}

Store::State Store::hash_blob(const Digest& digest, const struct stat& info, Digest* got,
                              bool keep_last_used) const {
  const auto file = InputFile::open(blob_path(digest));
  FileSource source(file);
  Sha256 hash;
  std::vector<std::uint8_t> buffer(1 << 20);
  while (const std::size_t count = source.read(buffer)) {
    check_interrupt();
    hash.update(ByteView(buffer).first(count));
  }
  const Digest actual = Digest::sha256(hash.finish());
  if (actual != digest) {
    if (got != nullptr) *got = actual;
    set_aside(digest, info);
    return State::bad;
  }
  // The stamp is from before hashing: a write in between makes it wrong, not the blob trusted.
  remember(std::string(digest.hex()), BlobStamp::of(info), keep_last_used);
  return State::good;
}

std::optional<BlobStamp> Store::stamp_that_vouches(const std::string& hex,
                                                   const BlobStamp& now) const {
  {
    const std::lock_guard guard(mutex_);
    const auto found = known_.find(hex);
    if (found != known_.end() && found->second.vouches_for(now)) return found->second;
  }
  try {
    const auto stamp = BlobStamp::parse(read_file(stamp_path(hex), 4096));
    if (stamp && stamp->vouches_for(now)) return stamp;
  } catch (const Error&) {
    // Missing or no use: the blob is hashed.
  }
  return std::nullopt;
}

void Store::remember(const std::string& hex, const BlobStamp& stamp, bool keep_last_used) const {
  {
    const std::lock_guard guard(mutex_);
    known_[hex] = stamp;
  }
  if (read_only_) return;
  const fs::path path = stamp_path(hex);
  try {
    const std::optional<struct stat> before = keep_last_used ? look(path) : std::nullopt;
    AtomicFile file(temporary_name("stamp"));
    file.write(as_bytes(stamp.format()));
    file.commit_as(path);
    if (!before) return;
    const std::array<struct timespec, 2> times = {before->st_atim, before->st_mtim};
    utimensat(AT_FDCWD, path.c_str(), times.data(), 0);
  } catch (const SystemError&) {
    // A full disk: then the next process hashes the blob once more.
  }
}

void Store::remember_new(const Digest& digest) const {
  const std::optional<struct stat> info = look(blob_path(digest));
  if (info) remember(std::string(digest.hex()), BlobStamp::of(*info), false);
}

void Store::set_aside(const Digest& digest, const struct stat& seen) const {
  {
    const std::lock_guard guard(mutex_);
    known_.erase(std::string(digest.hex()));
  }
  if (read_only_) return;
  const fs::path path = blob_path(digest);
  const std::optional<struct stat> now = look(path);
  if (!now || now->st_ino != seen.st_ino) return;  // another process has replaced it already
  const fs::path aside = path.string() + ".bad";
  remove_tree(aside);
  if (rename(path.c_str(), aside.c_str()) == 0) return;
  const int error = errno;
  if (error != ENOENT) {
    throw SystemError(error, "cannot set aside the changed blob " + quoted(path));
  }
}

void Store::mark_used(const Digest& digest) const {
  if (!read_only_) utimensat(AT_FDCWD, stamp_path(digest.hex()).c_str(), nullptr, 0);
}

// ---- blobs out

std::shared_ptr<const InputFile> Store::open_file(const Digest& digest) const {
  Digest got = digest;
  const State state = check(digest, &got);
  if (state == State::absent) {
    throw UnavailableError("blob '" + digest.str() + "' is not in the cache " + quoted(root_));
  }
  if (state == State::bad) {
    std::vector<ErrorDetail> details = {{"expected", digest.str()}};
    if (got != digest) details.push_back({"got", got.str()});
    throw IntegrityError(ErrorText{
        .message = "a blob of the cache " + quoted(root_) + " has changed since it was verified",
        .details = std::move(details),
        .hint = read_only_ ? "name another folder: --cache-dir DIR"
                           : "run the command again: the blob is set aside and will be replaced"});
  }
  mark_used(digest);
  return InputFile::open(blob_path(digest));
}

std::unique_ptr<Source> Store::open(const Digest& digest) const {
  return std::make_unique<FileSource>(open_file(digest));
}

std::uint64_t Store::size(const Digest& digest) const {
  const std::optional<struct stat> info = look(blob_path(digest));
  if (!info || !S_ISREG(info->st_mode)) {
    throw UnavailableError("blob '" + digest.str() + "' is not in the cache " + quoted(root_));
  }
  return static_cast<std::uint64_t>(info->st_size);
}

void Store::link_to(const Digest& digest, const fs::path& to) const {
  open_file(digest);
  link_or_copy(blob_path(digest), to);
  check(digest);
}

// ---- blobs in

std::unique_ptr<BlobWriter> Store::writer() { return std::make_unique<StoreWriter>(*this); }

void Store::adopt(const fs::path& file, const Digest& digest) {
  require_writable();
  const fs::path path = blob_path(digest);
  if (check(digest) == State::good) {
    mark_used(digest);
    remove_tree(file);
    return;
  }
  {
    const Fd fd = Fd::open(file, O_RDONLY | O_NOFOLLOW);
    date_back(fd.get(), file);
    if (fchmod(fd.get(), kBlobMode) != 0) {
      const int error = errno;
      throw SystemError(error, "cannot set the mode of " + quoted(file));
    }
  }
  sync(file, O_RDONLY);
  if (rename(file.c_str(), path.c_str()) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot move " + quoted(file) + " into the cache");
  }
  sync(path.parent_path(), O_RDONLY | O_DIRECTORY);
  remember_new(digest);
}

// ---- facts

std::optional<Json> Store::find_fact(const std::string& kind, const std::string& key) const {
  const fs::path path = root_ / "facts" / checked_name(kind) / (checked_name(key) + ".json");
  if (read_only_) {
    const std::lock_guard guard(mutex_);
    const auto found = facts_.find(kind + "/" + key);
    if (found != facts_.end()) return found->second;
  }
  if (!look(path)) return std::nullopt;
  try {
    const Json document = parse_json(read_file(path), path.string());
    const Json& value = document.at("fact");
    const std::string checksum = document.at("sha256").get<std::string>();
    if (checksum == to_hex(sha256(canonical_json(value)))) return value;
  } catch (const Error&) {
  } catch (const Json::exception&) {
  }
  return std::nullopt;  // torn or edited: it is made again
}

void Store::put_fact(const std::string& kind, const std::string& key, const Json& value) {
  const fs::path folder = root_ / "facts" / checked_name(kind);
  const fs::path path = folder / (checked_name(key) + ".json");
  if (read_only_) {
    const std::lock_guard guard(mutex_);
    facts_[kind + "/" + key] = value;
    return;
  }
  create_folders(folder);
  const Json document = {{"sha256", to_hex(sha256(canonical_json(value)))}, {"fact", value}};
  AtomicFile file(temporary_name("fact"));
  file.write(as_bytes(canonical_json(document)));
  file.commit_as(path);
}

}  // namespace img
