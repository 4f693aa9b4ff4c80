// SPDX-License-Identifier: Apache-2.0
// The simulated loader against this machine's ld.so, over random worlds of real libraries.
#include "builder/base/text.h"
#include "tests/support/compiled_library.h"
#include "tests/support/random.h"
#include "validators/elf/elf_reader.h"
#include "validators/image/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace img {
namespace {

constexpr std::size_t kLibraries = 7;
constexpr std::size_t kFolders = 4;

/// A program and libraries in a few folders, some of them twice, that need each other and look for
/// each other by every kind of path.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < kFolders; ++i) fs::create_directories(folder(i));
    fs::create_directories(folder(0) / "glibc-hwcaps/x86-64-v2");
    // Needs go to higher numbers, so that each can be linked against what is there.
    for (std::size_t i = kLibraries; i-- > 0;) add_library(i);
    program_ = dir_.path() / "program";
    testing::compile_library({.text = "int main(void) { return 0; }",
                              .flags = link_flags(random_some(0), ""),
                              .is_program = true},
                             program_);
  }

  /// Name → file, as ld.so says when it is asked to trace the program.
  std::map<std::string, std::string> by_ld_so() const {
    std::map<std::string, std::string> env = {{"LD_TRACE_LOADED_OBJECTS", "1"}};
    if (!library_path().empty()) env["LD_LIBRARY_PATH"] = library_path();
    const ProcessResult result = run_process({.argv = {program_.string()}, .env = env});
    std::map<std::string, std::string> found;
    for (const std::string& line : split(result.stdout_text, '\n')) {
      const std::size_t arrow = line.find(" => ");
      if (arrow == std::string::npos) continue;
      std::string path = line.substr(arrow + 4);
      path = path.substr(0, path.find(" (0x"));
      const std::string name(trim(line.substr(0, arrow)));
      if (!name.starts_with("libw")) continue;  // the C library is not in the facts
      add(found, name, path == "not found" ? "" : fs::canonical(path).string());
    }
    return found;
  }

  std::map<std::string, std::string> by_simulation() const {
    const ImageFacts facts = facts_of_folder();
    LoaderSimulation process(facts, library_path());
    process.load(program_.string());
    std::map<std::string, std::string> found;
    for (const ResolvedLibrary& library : process.resolutions()) {
      if (library.name.starts_with("libw")) add(found, library.name, library.path);
    }
    return found;
  }

  std::string describe() const {
    std::string text = "LD_LIBRARY_PATH=" + library_path() + "\n";
    const ImageFacts facts = facts_of_folder();
    for (const auto& [path, elf] : facts.elf) {
      text += path + " soname=" + elf.soname + " rpath=" + elf.rpath + " runpath=" + elf.runpath +
              " needs " + join(elf.needed, " ") + "\n";
    }
    return text;
  }

 private:
  /// Each asker looks for itself: who finds the library counts, however many others did not.
  static void add(std::map<std::string, std::string>& found, const std::string& name,
                  const std::string& path) {
    std::string& known = found[name];
    if (known.empty()) known = path;
  }

  fs::path folder(std::size_t i) const { return dir_.path() / ("d" + std::to_string(i)); }
  static std::string name_of(std::size_t i) { return "libw" + std::to_string(i) + ".so"; }
  std::string library_path() const { return library_path_; }

  std::vector<std::size_t> random_some(std::size_t from) {
    std::vector<std::size_t> some;
    for (std::size_t i = from; i < kLibraries; ++i) {
      if (random_.below(3) != 0) some.push_back(i);
    }
    return some;
  }

  std::string random_path() {
    std::string list;
    for (std::uint64_t count = 1 + random_.below(3); count > 0; --count) {
      const std::size_t i = random_.below(kFolders);
      if (!list.empty()) list += ':';
      list += random_.below(2) == 0
                  ? folder(i).string()
                  : (random_.below(2) == 0 ? "$ORIGIN/../d" : "${ORIGIN}/../d") + std::to_string(i);
    }
    return list;
  }

  /// The linker writes the sonames of what it is given; links for it lie apart, in no search path.
  std::vector<std::string> link_flags(const std::vector<std::size_t>& needs,
                                      const std::string& soname) {
    std::vector<std::string> flags = {"-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined"};
    if (soname.empty()) {
      if (random_.below(2) == 0) flags.push_back("-Wl,-rpath," + random_path());
    } else {
      flags.push_back("-nostdlib");
      flags.push_back("-Wl,-soname," + soname);
      if (random_.below(3) != 0) flags.push_back("-Wl,-rpath," + random_path());
    }
    flags.push_back(random_.below(2) == 0 ? "-Wl,--disable-new-dtags" : "-Wl,--enable-new-dtags");
    if (random_.below(4) == 0) flags.push_back("-Wl,-z,nodefaultlib");
    for (const std::size_t need : needs)
      flags.push_back((dir_.path() / "link" / name_of(need)).string());
    if (library_path_.empty() && random_.below(3) == 0)
      library_path_ = folder(random_.below(kFolders)).string();
    return flags;
  }

  void add_library(std::size_t i) {
    const std::vector<std::size_t> needs = random_some(i + 1);
    fs::create_directories(dir_.path() / "link");
    const fs::path first = folder(random_.below(kFolders)) / name_of(i);
    testing::compile_library({.flags = link_flags(needs, name_of(i))}, first);
    fs::copy_file(first, dir_.path() / "link" / name_of(i));
    if (random_.below(2) == 0) {  // another copy, with other paths
      const fs::path second = folder(random_.below(kFolders)) / name_of(i);
      if (!fs::exists(second))
        testing::compile_library({.flags = link_flags(needs, name_of(i))}, second);
    }
    const fs::path linked = folder(random_.below(kFolders)) / name_of(i);
    if (random_.below(3) == 0 && !fs::exists(linked)) fs::create_symlink(first, linked);
    const fs::path better = folder(0) / "glibc-hwcaps/x86-64-v2" / name_of(i);
    if (random_.below(4) == 0) fs::copy_file(first, better);
  }

  ImageFacts facts_of_folder() const {
    ImageFacts facts{.image = {.manifest_descriptor = {MediaType::manifest(), Digest::of(""), 0},
                               .manifest = {.config = {MediaType::config(), Digest::of(""), 0}}}};
    for (fs::path up = dir_.path(); up != up.root_path(); up = up.parent_path()) {
      facts.files[up.string()].kind = FileKind::directory;
    }
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
      FileFact& fact = facts.files[entry.path().string()];
      if (entry.is_symlink()) {
        fact.kind = FileKind::symlink;
        fact.target = fs::read_symlink(entry.path()).string();
      } else if (entry.is_directory()) {
        fact.kind = FileKind::directory;
      } else {
        const std::string bytes = read_file(entry.path());
        facts.elf.emplace(entry.path().string(), read_elf(as_bytes(bytes), entry.path().string()));
      }
    }
    return facts;
  }

  testing::Random random_;
  TempDir dir_{fs::canonical(fs::temp_directory_path()), "loader-world-"};
  fs::path program_;
  std::string library_path_;
};

TEST(LoaderAgainstLdSo, FindsTheSameFileForEveryLibrary) {
  std::size_t found = 0, missing = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const World world(seed);
    const auto expected = world.by_ld_so();
    EXPECT_EQ(world.by_simulation(), expected) << "seed " << seed << "\n" << world.describe();
    for (const auto& [name, path] : expected) ++(path.empty() ? missing : found);
  }
  // Worlds in which everything or nothing is found would show little.
  EXPECT_GT(found, 25u);
  EXPECT_GT(missing, 5u);
}

}  // namespace
}  // namespace img
