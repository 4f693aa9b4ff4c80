// SPDX-License-Identifier: Apache-2.0
// Runs mmdebstrap over a flat repository of exactly the locked packages.
#include "builder/assemble/mmdebstrap.h"

#include "builder/assemble/spool_file.h"
#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "builder/inputs/debian.h"
#include "builder/layer/layer_format.h"

#include <algorithm>
#include <cerrno>

#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::string_view kPrefix = "imgbuild-root-";
constexpr std::string_view kLockName = "lock";
constexpr std::uint64_t kNeededBytes = 1ull << 30;
/// mmdebstrap's own name for a suite decides nothing, since the repository is flat.
constexpr const char* kSuite = "locked";

/// One version and architecture of a package is in a root, so this is unique; a version's colon
/// would be taken for an escape.
std::string file_name(const LockedDeb& deb) {
  return deb.package + "_" + deb.architecture + ".deb";
}

/// Device files and programs must work there.
bool is_usable(const fs::path& folder) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0 || access(folder.c_str(), W_OK | X_OK) != 0) return false;
  if ((info.f_flag & (ST_NOEXEC | ST_NODEV | ST_RDONLY)) != 0) return false;
  return std::uint64_t{info.f_bavail} * info.f_frsize >= kNeededBytes;
}

bool others_can_enter(fs::path folder) {
  for (folder = fs::absolute(folder);; folder = folder.parent_path()) {
    struct stat info {};
    if (stat(folder.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
    if (folder == folder.root_path()) return true;
  }
}

void make_enterable(const fs::path& folder) {
  if (chmod(folder.c_str(), 0755) == 0) return;
  const int error = errno;
  throw SystemError(error, "cannot change the mode of '" + folder.string() + "'");
}

/// Folders whose lock nobody holds belong to runs that were killed.
void remove_leftovers(const fs::path& parent) {
  for (const std::string& name : sorted_names(parent)) {
    if (!name.starts_with(kPrefix)) continue;
    const fs::path folder = parent / name;
    struct stat info {};
    if (lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid()) {
      continue;
    }
    if (!fs::exists(folder / kLockName)) continue;
    try {
      if (FileLock::try_lock(folder / kLockName, FileLock::Mode::exclusive)) remove_tree(folder);
    } catch (const Error&) {
      // Somebody else cleans up, or it belongs to subordinate ids: not our work today.
    }
  }
}

void copy_file(const InputFile& from, const fs::path& to) {
  SpoolFile copy(to);
  std::string buffer(1 << 20, '\0');
  for (std::uint64_t offset = 0; offset < from.size();) {
    const std::size_t count =
        from.read_at(offset, {reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size()});
    if (count == 0) throw IntegrityError("'" + from.path().string() + "' became shorter");
    copy.write(as_bytes(std::string_view(buffer).substr(0, count)));
    offset += count;
  }
  copy.finish();
  if (chmod(to.c_str(), 0644) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot change the mode of '" + to.string() + "'");
  }
}

void require_field(const DebianStanza& control, const LockedDeb& deb, const char* field,
                   const std::string& expected) {
  const std::string found = control.find(field).value_or("");
  if (found == expected) return;
  throw IntegrityError(ErrorText{
      .message = "package '" + deb.package + "' is not what the lock says: " + field + " differs",
      .details = {{"expected", expected, "lock"}, {"got", found, deb.path}}});
}

std::string packages_stanza(const LockedDeb& deb, const std::shared_ptr<const InputFile>& file) {
  DebianStanza control = DebFile::open(file, fs::path(deb.path).filename().string()).control();
  require_field(control, deb, "Package", deb.package);
  require_field(control, deb, "Version", deb.version);
  require_field(control, deb, "Architecture", deb.architecture);
  control.set("Filename", "./" + file_name(deb));
  control.set("Size", std::to_string(deb.size));
  control.set("SHA256", std::string(deb.sha256.hex()));
  return control.format();
}

/// The path part of a copy: address.
std::string escaped(const fs::path& path) {
  static constexpr std::string_view kPlain = "/._-";
  std::string result;
  for (const char c : path.string()) {
    const bool is_alnum =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_alnum || kPlain.find(c) != std::string_view::npos) {
      result.push_back(c);
    } else {
      const std::uint8_t byte = static_cast<std::uint8_t>(c);
      result += "%" + to_hex({&byte, 1});
    }
  }
  return result;
}

/// "amd64": what all packages have that are not for every architecture.
std::string architecture_of(const std::vector<LockedDeb>& debs) {
  for (const LockedDeb& deb : debs) {
    if (deb.architecture != "all") return deb.architecture;
  }
  return "amd64";
}

std::string names_of(const std::vector<LockedDeb>& debs) {
  std::vector<std::string> names;
  for (const LockedDeb& deb : debs) names.push_back(deb.package);
  std::sort(names.begin(), names.end());
  return join(names, ",");
}

void require_programs(bool as_root) {
  require_program("apt-get", "apt");
  require_program("dpkg", "dpkg");
  require_program("tar", "tar");
  if (as_root) return;
  require_program("newuidmap", "uidmap");
  const passwd* user = getpwuid(geteuid());
  const std::string name = user != nullptr ? user->pw_name : std::to_string(geteuid());
  require_subordinate_ids("/etc/subuid", name, geteuid());
  require_subordinate_ids("/etc/subgid", name, geteuid());
}

}  // namespace

InstallSpace::InstallSpace(const fs::path& parent)
    : folder_(std::make_unique<TempDir>(parent, kPrefix)) {
  make_enterable(folder_->path());
  lock_.emplace(folder_->path() / kLockName, FileLock::Mode::exclusive);
}

std::unique_ptr<InstallSpace> InstallSpace::make(const Store& store, bool as_root) {
  for (const fs::path& parent : {fs::path("/dev/shm"), fs::absolute(store.root() / "tmp"),
                                 fs::path("/var/tmp"), fs::path("/tmp")}) {
    if (!is_usable(parent) || !(as_root || others_can_enter(parent))) continue;
    remove_leftovers(parent);
    return std::unique_ptr<InstallSpace>(new InstallSpace(parent));
  }
  throw UnavailableError(ErrorText{
      .message = "no folder can hold a Debian root while it is installed",
      .details = {
          {"needed", human_size(kNeededBytes) + " on a file system without noexec and nodev"},
          {"tried", "/dev/shm, the cache's tmp folder, /var/tmp, /tmp"}}});
}

void write_repository(const std::vector<LockedDeb>& debs, const Store& store,
                      const fs::path& repository) {
  create_folders(repository);
  make_enterable(repository);
  std::string packages;
  for (const LockedDeb& deb : debs) {
    with_context("reading package '" + deb.package + "'", [&] {
      const std::shared_ptr<const InputFile> file = store.open_file(deb.sha256);
      packages += packages_stanza(deb, file) + "\n";
      // A copy, not a link: what is installed runs with the right to write.
      copy_file(*file, repository / file_name(deb));
    });
  }
  write_file(repository / "Packages", packages, 0644);
}

void run_mmdebstrap(const std::vector<LockedDeb>& debs, const fs::path& repository,
                    const fs::path& tmp, const fs::path& tar, bool as_root) {
  const fs::path program = require_program("mmdebstrap", "mmdebstrap");
  require_programs(as_root);
  ProcessSpec spec;
  spec.argv = {program.string(),
               std::string("--mode=") + (as_root ? "root" : "unshare"),
               "--variant=custom",
               "--architectures=" + architecture_of(debs),
               "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
               "--dpkgopt=force-unsafe-io",
               "--skip=output/dev",
               "--format=tar",
               "--include=" + names_of(debs),
               kSuite,
               tar.string(),
               "deb [trusted=yes] copy://" + escaped(repository) + " ./"};
  // mmdebstrap hands its environment on to maintainer scripts. Without PYTHONDONTWRITEBYTECODE,
  // modules that the compiling interpreter itself imports get bytecode with dates; with
  // SOURCE_DATE_EPOCH the rest is hash-based.
  spec.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
              {"LC_ALL", "C.UTF-8"},
              {"PYTHONDONTWRITEBYTECODE", "1"},
              {"SOURCE_DATE_EPOCH", std::to_string(kEntryMtime)},
              {"TMPDIR", tmp.string()}};
  run_checked(spec, "mmdebstrap");
}

void require_subordinate_ids(const fs::path& file, const std::string& user, unsigned uid) {
  const std::string text = fs::exists(file) ? read_file(file, 1 << 20) : "";
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with(user + ":") || line.starts_with(std::to_string(uid) + ":")) return;
  }
  throw UnavailableError(ErrorText{
      .message = "user '" + user + "' has no range of subordinate ids in '" + file.string() + "'",
      .hint = "run as root, or: usermod --add-subuids 100000-165535 --add-subgids "
              "100000-165535 " +
              user});
}

}  // namespace img
