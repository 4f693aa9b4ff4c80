// SPDX-License-Identifier: Apache-2.0
// A simulation of ld.so (glibc): which file of the image each library name would be.
#include "validators/image/loader.h"

#include "builder/base/text.h"
#include "validators/image/ld_cache.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

#include <elf.h>

namespace img {
namespace {

/// What ld.so looks for below each folder before the folder itself, best first. The machine is
/// taken to have AVX2 but not AVX-512, as most hosts of data-centre GPUs at least have.
const std::vector<std::string> kCapabilities = {"x86-64-v3", "x86-64-v2"};
/// The same of glibc before 2.37, by combinations of "tls", the platform and the architecture.
const std::vector<std::string> kLegacyFolders = {
    "tls/haswell/x86_64/", "tls/haswell/", "tls/x86_64/", "tls/",
    "haswell/x86_64/",     "haswell/",     "x86_64/"};
constexpr int kFirstWithoutLegacy = 37;  // glibc 2.37

const std::vector<std::string> kDebianFolders = {"/lib/x86_64-linux-gnu",
                                                 "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib"};
const std::vector<std::string> kOtherFolders = {"/lib64", "/usr/lib64", "/lib", "/usr/lib"};
constexpr std::string_view kDebianLibc = "/lib/x86_64-linux-gnu/libc.so.6";

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string quoted(const std::string& path) { return "'" + path + "'"; }

/// One object of the process, as ld.so's link map has it.
struct Object {
  std::string path;  ///< as it was found; $ORIGIN is its folder
  std::string real;  ///< links followed, first of its hard links
  const ElfFacts* elf = nullptr;
  const Object* loader = nullptr;  ///< what asked for it first
  std::set<std::string> names;     ///< it was asked for by, and its soname
};

/// A file that a name leads to.
struct Found {
  std::string path;
  std::string how;
};

}  // namespace

struct LoaderSimulation::State {
  State(const ImageFacts& facts, std::string path) : image(facts), library_path(std::move(path)) {
    const bool debian = image.resolve(std::string(kDebianLibc)) != nullptr;
    default_folders = debian ? kDebianFolders : kOtherFolders;
    lib = debian ? "lib/x86_64-linux-gnu" : "lib64";
    for (const std::string& name : kCapabilities) {
      subfolders.push_back("glibc-hwcaps/" + name + "/");
    }
    const bool legacy = glibc_minor() < kFirstWithoutLegacy;
    if (legacy) subfolders.insert(subfolders.end(), kLegacyFolders.begin(), kLegacyFolders.end());
    subfolders.emplace_back();
    platform = legacy ? "haswell" : "x86_64";
    const auto text = image.texts.find("/etc/ld.so.cache");
    if (text != image.texts.end()) cache = parse_ld_cache(text->second, kCapabilities);
  }

  /// N of the newest GLIBC_2.N that the image's libc defines; 0: no libc.
  int glibc_minor() const {
    int newest = 0;
    for (const std::string& folder : default_folders) {
      const ElfFacts* libc = nullptr;
      std::string real;
      if (image.resolve(folder + "/libc.so.6", &real) == nullptr) continue;
      libc = elf_of(real);
      if (libc == nullptr) continue;
      constexpr std::string_view kPrefix = "GLIBC_2.";
      for (const std::string& version : libc->version_definitions) {
        if (!version.starts_with(kPrefix)) continue;
        const std::string rest = version.substr(kPrefix.size());
        const auto minor = parse_decimal(rest.substr(0, rest.find('.')));
        if (minor && *minor < 1000) newest = std::max(newest, static_cast<int>(*minor));
      }
      return newest;
    }
    return newest;
  }

  const ElfFacts* elf_of(const std::string& real) const {
    const auto found = image.elf.find(real);
    return found == image.elf.end() ? nullptr : &found->second;
  }

  /// The file behind a path: links followed, and of hard links the first.
  std::optional<std::string> real_of(const std::string& path) const {
    std::string real;
    const FileFact* fact = image.resolve(path, &real);
    if (fact == nullptr || fact->kind != FileKind::file) return std::nullopt;
    return fact->hard_link_of.empty() ? real : fact->hard_link_of;
  }

  /// Paths that are not absolute begin at the folder where the process starts.
  std::string absolute(const std::string& path) const {
    if (path.starts_with('/')) return path;
    const std::string& start = image.image.config.working_dir;
    return (start.empty() || start == "/" ? "" : start) + "/" + path;
  }

  /// Replaces $ORIGIN, $LIB and $PLATFORM, also in braces; nullopt when the text names $ORIGIN of
  /// nothing.
  std::optional<std::string> expanded(const std::string& text, const Object* object) const {
    std::string result;
    std::size_t at = 0;
    while (at < text.size()) {
      if (text[at] != '$') {
        result += text[at++];
        continue;
      }
      const auto [token, length] = token_at(text, at);
      if (token == "ORIGIN") {
        if (object == nullptr) return std::nullopt;
        result += folder_of(object->path);
      } else if (token == "LIB") {
        result += lib;
      } else if (token == "PLATFORM") {
        result += platform;
      } else {
        result += text[at++];
        continue;
      }
      at += length;
    }
    return result;
  }

  static std::pair<std::string, std::size_t> token_at(const std::string& text, std::size_t at) {
    const bool braces = at + 1 < text.size() && text[at + 1] == '{';
    const std::size_t begin = at + (braces ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() && ((text[end] >= 'A' && text[end] <= 'Z') || text[end] == '_')) ++end;
    if (braces && (end == text.size() || text[end] != '}')) return {"", 0};
    return {text.substr(begin, end - begin), end - at + (braces ? 1 : 0)};
  }

  // --- the search ---

  /// What ld.so does with one candidate: take it, pass over it, or give up because of it.
  enum class Verdict { take, pass_over, give_up };
  Verdict look_at(const std::string& path) const {
    const FileFact* fact = image.resolve(path);
    if (fact == nullptr) return Verdict::pass_over;
    const auto real = real_of(path);
    if (!real) return Verdict::give_up;  // a folder or a device has the name
    const ElfFacts* elf = elf_of(*real);
    if (elf == nullptr) return Verdict::give_up;  // "invalid ELF header"
    return elf->is_64 && elf->machine == EM_X86_64 ? Verdict::take : Verdict::pass_over;
  }

  std::optional<Found> look_in(const std::string& folder, const std::string& name,
                               const std::string& how) const {
    const std::string base = absolute(folder);
    for (const std::string& subfolder : subfolders) {
      const std::string path = (base.ends_with('/') ? base : base + "/") + subfolder + name;
      const Verdict verdict = look_at(path);
      if (verdict == Verdict::take) return Found{path, how};
      if (verdict == Verdict::give_up) return Found{"", how + ": '" + path + "' is no ELF file"};
    }
    return std::nullopt;
  }

  /// `list`: folders between colons (and semicolons in LD_LIBRARY_PATH); an empty one is where the
  /// process starts.
  std::optional<Found> look_in_list(std::string list, const Object* object, const std::string& name,
                                    const std::string& how) const {
    for (const std::string& written : split(list, ':')) {
      const auto folder = expanded(written, object);
      if (!folder) continue;
      if (const auto found = look_in(*folder, name, how)) return found;
    }
    return std::nullopt;
  }

  /// DT_RPATH of an object counts only when it has no DT_RUNPATH.
  static const std::string& rpath_of(const Object& object) {
    static const std::string none;
    return object.elf->runpath.empty() ? object.elf->rpath : none;
  }

  std::optional<Found> look_in_rpaths(const std::string& name, const Object* asker) const {
    bool saw_main = false;
    for (const Object* object = asker; object != nullptr; object = object->loader) {
      saw_main = saw_main || object == main;
      if (const auto found = look_in_rpath(name, *object)) return found;
    }
    if (saw_main || main == nullptr) return std::nullopt;
    return look_in_rpath(name, *main);
  }

  std::optional<Found> look_in_rpath(const std::string& name, const Object& object) const {
    const std::string& rpath = rpath_of(object);
    if (rpath.empty()) return std::nullopt;
    return look_in_list(rpath, &object, name, "RPATH of " + quoted(object.path));
  }

  std::optional<Found> look_in_cache(const std::string& name, bool no_default) const {
    const auto entry = cache.find(name);
    if (entry == cache.end()) return std::nullopt;
    const bool is_default = std::any_of(
        default_folders.begin(), default_folders.end(),
        [&](const std::string& folder) { return entry->second.starts_with(folder + "/"); });
    if (no_default && is_default) return std::nullopt;
    const Verdict verdict = look_at(entry->second);
    if (verdict == Verdict::take) return Found{entry->second, "ld.so.cache"};
    if (verdict == Verdict::pass_over) return std::nullopt;
    return Found{"", "ld.so.cache: '" + entry->second + "' is no ELF file"};
  }

  /// In the order of glibc's _dl_map_object.
  std::optional<Found> search(const std::string& name, const Object* asker) const {
    const bool has_runpath = asker != nullptr && !asker->elf->runpath.empty();
    if (!has_runpath) {
      if (const auto found = look_in_rpaths(name, asker)) return found;
    }
    if (!library_path.empty()) {
      std::string list = library_path;
      std::replace(list.begin(), list.end(), ';', ':');
      if (const auto found = look_in_list(list, main, name, "LD_LIBRARY_PATH")) return found;
    }
    if (has_runpath) {
      if (const auto found =
              look_in_list(asker->elf->runpath, asker, name, "RUNPATH of " + quoted(asker->path))) {
        return found;
      }
    }
    const Object* decides = asker != nullptr ? asker : main;
    const bool no_default = decides != nullptr && decides->elf->no_default_lib;
    if (const auto found = look_in_cache(name, no_default)) return found;
    if (no_default) return std::nullopt;
    for (const std::string& folder : default_folders) {
      if (const auto found = look_in(folder, name, "default path")) return found;
    }
    return std::nullopt;
  }

  std::optional<Found> find(const std::string& name, const Object* asker) const {
    if (name.find('/') == std::string::npos) return search(name, asker);
    const auto path = expanded(name, asker);
    if (!path) return std::nullopt;
    const Verdict verdict = look_at(absolute(*path));
    if (verdict == Verdict::take) return Found{absolute(*path), "path"};
    if (verdict == Verdict::pass_over) return std::nullopt;
    return Found{"", "path: '" + absolute(*path) + "' is no ELF file"};
  }

  // --- the process ---

  Object* loaded_as(const std::string& name) {
    const auto found = std::find_if(objects.begin(), objects.end(), [&](const Object& object) {
      return object.names.contains(name);
    });
    return found == objects.end() ? nullptr : &*found;
  }

  Object* loaded_file(const std::string& real) {
    const auto found = std::find_if(objects.begin(), objects.end(),
                                    [&](const Object& object) { return object.real == real; });
    return found == objects.end() ? nullptr : &*found;
  }

  /// One name: the object it means, mapped when it is new. `is_new` tells which.
  Object* map(const std::string& name, const Object* asker, ResolvedLibrary& result, bool& is_new) {
    is_new = false;
    result = {.name = name, .asker = asker != nullptr ? asker->path : ""};
    if (Object* object = loaded_as(name)) {
      result.path = object->real;
      result.how = "already loaded";
      return object;
    }
    const auto found = find(name, asker);
    if (!found) return nullptr;
    result.how = found->how;
    if (found->path.empty()) return nullptr;
    const std::string real = *real_of(found->path);
    result.path = real;
    if (Object* object = loaded_file(real)) {
      object->names.insert(name);
      return object;
    }
    is_new = true;
    objects.push_back({.path = found->path, .real = real, .elf = elf_of(real), .loader = asker});
    Object& object = objects.back();
    object.names = {name, found->path};
    if (!object.elf->soname.empty()) object.names.insert(object.elf->soname);
    return &object;
  }

  /// dlopen, or the start of a program: the object and, breadth first, all it needs.
  ResolvedLibrary load(const std::string& name, const Object* asker) {
    ResolvedLibrary first;
    bool is_new = false;
    Object* root = map(name, asker, first, is_new);
    resolutions.push_back(first);
    if (root == nullptr || !is_new) return first;
    // A program, not a library that can be run: its RPATH serves the whole process.
    const bool is_program = !root->elf->interpreter.empty() && root->elf->soname.empty();
    if (main == nullptr && objects.size() == 1 && is_program) main = root;
    std::deque<Object*> pending = {root};
    while (!pending.empty()) {
      const Object* object = pending.front();
      pending.pop_front();
      for (const std::string& needed : object->elf->needed) {
        ResolvedLibrary result;
        Object* dependency = map(needed, object, result, is_new);
        resolutions.push_back(std::move(result));
        if (dependency != nullptr && is_new) pending.push_back(dependency);
      }
    }
    return first;
  }

  const ImageFacts& image;
  std::string library_path;
  std::vector<std::string> default_folders, subfolders;
  std::string lib, platform;
  LdCache cache;
  std::deque<Object> objects;  // addresses stay
  const Object* main = nullptr;
  std::vector<ResolvedLibrary> resolutions;
};

LoaderSimulation::LoaderSimulation(const ImageFacts& image, std::string library_path)
    : state_(std::make_unique<State>(image, std::move(library_path))) {}

LoaderSimulation::~LoaderSimulation() = default;

void LoaderSimulation::load(const std::string& path) { state_->load(path, nullptr); }

ResolvedLibrary LoaderSimulation::open(const std::string& name, const std::string& caller) {
  const auto object_of_caller = [&]() -> Object* {
    const auto real = state_->real_of(caller);
    return real ? state_->loaded_file(*real) : nullptr;
  };
  if (object_of_caller() == nullptr) state_->load(caller, nullptr);
  return state_->load(name, object_of_caller());
}

const std::vector<ResolvedLibrary>& LoaderSimulation::resolutions() const {
  return state_->resolutions;
}

}  // namespace img
