// SPDX-License-Identifier: Apache-2.0
// .pyc files (PEP 552, checked-hash) made by the image's own interpreter, cached by wheel.
#pragma once

#include "builder/base/file.h"
#include "builder/fetch/store.h"
#include "builder/inputs/wheel_install.h"
#include "builder/lock/lock_file.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// The image's Python, runnable on this host without root and without a container: files of the
/// locked debs (or of an OCI base) are unpacked into a private folder and run through their own
/// dynamic loader.
class ImagePython {
 public:
  /// From debs in the store: the interpreter's packages and the libraries it needs to start. `key`
  /// identifies it in caches: a digest of those debs. Nothing is unpacked before the first run().
  /// `store` must outlive the object.
  static std::unique_ptr<ImagePython> from_debs(const std::vector<LockedDeb>& debs,
                                                const PythonSpec& python, const Store& store);
  /// From a root tree, whose contents must stay readable.
  static std::unique_ptr<ImagePython> from_tree(const Tree& root, const PythonSpec& python,
                                                const std::string& key, const Store& store);
  ~ImagePython();

  const std::string& key() const { return key_; }
  /// Runs a script on files for standard input and output, with an environment of its own (no site,
  /// no bytecode written, fixed hash seed). UnavailableError when this Python cannot run on this
  /// host or the script fails. Thread-safe.
  void run(const fs::path& script, const fs::path& stdin_file, const fs::path& stdout_file) const;

 private:
  struct Unpacked;
  using Unpack = std::function<std::unique_ptr<Unpacked>()>;
  ImagePython(std::string key, PythonSpec python, Unpack unpack);
  const Unpacked& unpacked() const;

  std::string key_;
  PythonSpec python_;
  Unpack unpack_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Unpacked> unpacked_;
};

/// Bytecode of one wheel: source path in the image → content (a deflate stream in a pack file of
/// the store, so that gzip layers splice it). Sources that do not compile are absent.
struct BytecodePack {
  std::shared_ptr<const InputFile> file;
  std::map<std::string, DeflatedContent> by_source;
  std::optional<Content> find(const std::string& source_path) const;
};

/// From the store when it is there (key: wheel digest, interpreter key, target, output format;
/// drops are irrelevant: all sources are compiled), else compiled now with up to `jobs` processes.
/// Each file is what `python3 -m compileall --invalidation-mode checked-hash -o 0` makes at the
/// final path, with one freedom that CPython takes: which equal constants share one object in the
/// file depends on the strings that modules loaded in the compiling process have interned. Here no
/// module is loaded, so that bytes depend on source, path and interpreter only.
BytecodePack bytecode_of(const Wheel& wheel, const Digest& wheel_digest,
                         const InstallTarget& target, const ImagePython& python, Store& store,
                         int jobs, const std::function<void(std::uint64_t)>& on_progress = nullptr);

}  // namespace img
