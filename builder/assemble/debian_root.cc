// SPDX-License-Identifier: Apache-2.0
// Installs locked debs through mmdebstrap and keeps what is reproducible.
#include "builder/assemble/debian_root.h"

#include "builder/assemble/installed_root.h"
#include "builder/assemble/mmdebstrap.h"
#include "builder/base/error.h"

#include <unistd.h>

namespace img {
namespace {

/// mmdebstrap writes in a folder of its own, since others than root run it as a subordinate user.
fs::path make_open_folder(const fs::path& folder) {
  create_folders(folder);
  return folder;
}

}  // namespace

DebianRoot make_debian_root(const std::vector<LockedDeb>& debs, const std::string& suite,
                            const Store& store, Progress& progress) {
  const bool as_root = geteuid() == 0;
  ProgressTask task =
      progress.task("installing", std::to_string(debs.size()) + " Debian packages of " + suite);
  DebianRoot root;
  with_context("installing the Debian packages of " + suite, [&] {
    const std::unique_ptr<InstallSpace> space = InstallSpace::make(store, as_root);
    const fs::path repository = space->path() / "repository";
    const fs::path tar = space->path() / "root.tar";
    write_repository(debs, store, repository);
    run_mmdebstrap(debs, repository, make_open_folder(space->path() / "tmp"), tar, as_root);
    root.spool = store.temp_dir("debian-root-");
    FileSource source(InputFile::open(tar));
    root.tree = read_installed_root(source, "debian root", root.spool->path() / "contents");
  });
  task.finish();
  return root;
}

}  // namespace img
