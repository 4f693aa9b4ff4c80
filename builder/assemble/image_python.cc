// SPDX-License-Identifier: Apache-2.0
// The image's own interpreter, unpacked on first use so that it runs on this host.
#include "builder/assemble/bytecode.h"
#include "builder/assemble/python_files.h"
#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "builder/inputs/debian.h"

#include <algorithm>
#include <array>

namespace img {

struct ImagePython::Unpacked {
  std::unique_ptr<TempDir> folder;
  PythonUnpacker files;
};

namespace {

/// Packages whose files the interpreter needs to start and to compile.
std::vector<LockedDeb> interpreter_debs(const std::vector<LockedDeb>& debs,
                                        const PythonSpec& python) {
  const std::array<std::string, 6> names = {"python" + python.version + "-minimal",
                                            "libpython" + python.version + "-minimal",
                                            "libpython" + python.version,
                                            "libc6",
                                            "zlib1g",
                                            "libexpat1"};
  std::vector<LockedDeb> result;
  for (const LockedDeb& deb : debs) {
    if (std::find(names.begin(), names.end(), deb.package) != names.end()) result.push_back(deb);
  }
  std::sort(result.begin(), result.end(),
            [](const LockedDeb& a, const LockedDeb& b) { return a.package < b.package; });
  return result;
}

std::string key_of(const std::vector<LockedDeb>& debs, const PythonSpec& python) {
  Json json = {{"path", python.path}, {"version", python.version}, {"debs", Json::array()}};
  for (const LockedDeb& deb : debs) json["debs"].push_back(deb.sha256.str());
  return std::string(Digest::of(canonical_json(json)).hex());
}

void unpack_debs(const std::vector<LockedDeb>& debs, const Store& store, PythonUnpacker& to) {
  for (const LockedDeb& deb : debs) {
    with_context("unpacking package '" + deb.package + "'", [&] {
      DebFile::open(store.open_file(deb.sha256), fs::path(deb.path).filename().string())
          .read_data([&](const EntryPath& path, const Entry& entry, Source& body) {
            to.take(path, entry, body);
          });
    });
  }
}

void unpack_tree(const Tree& tree, PythonUnpacker& to) {
  for (const auto& [path, entry] : tree.entries()) {
    const std::unique_ptr<Source> body = open_content(entry.content);
    to.take(path, entry, *body);
  }
}

}  // namespace

ImagePython::ImagePython(std::string key, PythonSpec python, Unpack unpack)
    : key_(std::move(key)), python_(std::move(python)), unpack_(std::move(unpack)) {}

ImagePython::~ImagePython() = default;

std::unique_ptr<ImagePython> ImagePython::from_debs(const std::vector<LockedDeb>& all,
                                                    const PythonSpec& python, const Store& store) {
  const std::vector<LockedDeb> debs = interpreter_debs(all, python);
  const auto unpack = [debs, python, &store] {
    std::unique_ptr<TempDir> folder = store.temp_dir("python-");
    PythonUnpacker files(folder->path(), python);
    unpack_debs(debs, store, files);
    files.finish();
    return std::unique_ptr<Unpacked>(new Unpacked{std::move(folder), std::move(files)});
  };
  return std::unique_ptr<ImagePython>(new ImagePython(key_of(debs, python), python, unpack));
}

std::unique_ptr<ImagePython> ImagePython::from_tree(const Tree& root, const PythonSpec& python,
                                                    const std::string& key, const Store& store) {
  // A copy of what is wanted, so that the tree need not live on.
  Tree wanted;
  const PythonFileChoice choice(python);
  for (const auto& [path, entry] : root.entries()) {
    const bool is_wanted = choice.wants(PythonFileChoice::merged_usr(path.str()));
    if (is_wanted && entry.type != EntryType::directory) wanted.put(path, entry);
  }
  const auto unpack = [wanted, python, &store] {
    std::unique_ptr<TempDir> folder = store.temp_dir("python-");
    PythonUnpacker files(folder->path(), python);
    unpack_tree(wanted, files);
    files.finish();
    return std::unique_ptr<Unpacked>(new Unpacked{std::move(folder), std::move(files)});
  };
  return std::unique_ptr<ImagePython>(new ImagePython(key, python, unpack));
}

const ImagePython::Unpacked& ImagePython::unpacked() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!unpacked_) unpacked_ = unpack_();
  return *unpacked_;
}

void ImagePython::run(const fs::path& script, const fs::path& stdin_file,
                      const fs::path& stdout_file) const {
  with_context("running the image's Python '" + python_.path + "' on this host", [&] {
    const PythonUnpacker& files = unpacked().files;
    ProcessSpec spec;
    spec.argv = {files.loader().string(),
                 "--library-path",
                 join(files.library_folders(), ":"),
                 files.interpreter().string(),
                 "-B",
                 "-S",
                 "-s",
                 "-W",
                 "ignore",
                 fs::absolute(script).string()};
    // A fixed seed, since before Python 3.11 the order of constant sets followed it.
    spec.env = {
        {"LC_ALL", "C.UTF-8"}, {"PYTHONHASHSEED", "0"}, {"PYTHONHOME", files.home().string()}};
    // Programs start in the root folder.
    spec.stdin_file = fs::absolute(stdin_file);
    spec.stdout_file = fs::absolute(stdout_file);
    run_checked(spec, "the image's Python");
  });
}

}  // namespace img
