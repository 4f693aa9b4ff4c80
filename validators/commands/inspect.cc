// SPDX-License-Identifier: Apache-2.0
// imgcheck inspect: what the static tier reads of an image's ELF files, without judging it.

#include "builder/base/text.h"
#include "builder/fetch/store.h"
#include "validators/commands/commands.h"
#include "validators/image/image_facts.h"
#include "validators/image/loader.h"

#include <algorithm>
#include <memory>

namespace img {
namespace {

struct InspectFlags {
  std::string image, tag;
  std::vector<std::string> globs;
  unsigned threads = 0;
};

/// The value that the image's config gives every process.
std::string library_path_of(const ImageFacts& facts) {
  constexpr std::string_view kName = "LD_LIBRARY_PATH=";
  std::string value;
  for (const std::string& variable : facts.image.config.env) {
    if (variable.starts_with(kName)) value = variable.substr(kName.size());
  }
  return value;
}

std::vector<std::string> names_of(const char* prefix,
                                  const std::map<GpuArch, std::uint64_t>& counts) {
  std::vector<std::string> names;
  for (const auto& [arch, count] : counts) names.push_back(prefix + to_string(arch));
  return names;
}

/// What one object's process would map, were the object its program.
struct InspectedObject {
  std::string path;
  const ElfFacts& elf;
  std::vector<ResolvedLibrary> libraries;  ///< each name once, in the order of loading
};

InspectedObject inspect_object(const ImageFacts& facts, const std::string& path,
                               const ElfFacts& elf) {
  LoaderSimulation process(facts, library_path_of(facts));
  process.load(path);
  InspectedObject object{path, elf, {}};
  for (const ResolvedLibrary& library : process.resolutions()) {
    if (library.asker.empty() && library.name == path) continue;  // the object itself
    const auto known =
        std::find_if(object.libraries.begin(), object.libraries.end(),
                     [&](const ResolvedLibrary& other) { return other.name == library.name; });
    // Each asker looks for itself: who finds the library counts, however many did not.
    if (known == object.libraries.end()) {
      object.libraries.push_back(library);
    } else if (known->path.empty() && !library.path.empty()) {
      *known = library;
    }
  }
  return object;
}

Json json_of(const InspectedObject& object) {
  Json libraries = Json::array();
  for (const ResolvedLibrary& library : object.libraries) {
    libraries.push_back({{"name", printable(library.name)},
                         {"asker", printable(library.asker)},
                         {"path", library.path.empty() ? Json() : Json(printable(library.path))},
                         {"how", printable(library.how)}});
  }
  const FatBinaries& code = object.elf.gpu_code;
  return {{"path", printable(object.path)},
          {"soname", printable(object.elf.soname)},
          {"libraries", libraries},
          {"gpuCode",
           {{"fatBinaries", code.count},
            {"machine", names_of("sm_", code.machine)},
            {"ptx", names_of("compute_", code.ptx)},
            {"otherSections", code.other_sections},
            {"otherFatBinaries", code.other_count},
            {"otherMachine", names_of("sm_", code.other_machine)},
            {"otherPtx", names_of("compute_", code.other_ptx)},
            {"limits", code.limits}}}};
}

void print_code(Console& console, const std::string& where, std::uint64_t count,
                const std::map<GpuArch, std::uint64_t>& machine,
                const std::map<GpuArch, std::uint64_t>& ptx) {
  if (count == 0) return;
  std::vector<std::string> words = names_of("sm_", machine);
  for (const std::string& name : names_of("compute_", ptx)) words.push_back(name + " (PTX)");
  console.print("    GPU code" + where + ", " + with_commas(count) +
                " fat binaries: " + join(words, " "));
}

void print_object(Console& console, const InspectedObject& object) {
  console.print(printable(object.path));
  for (const ResolvedLibrary& library : object.libraries) {
    console.print("    " + printable(library.name) + " => " +
                  (library.path.empty()
                       ? std::string("not found")
                       : printable(library.path) + "  (" + printable(library.how) + ")"));
  }
  const FatBinaries& code = object.elf.gpu_code;
  print_code(console, "", code.count, code.machine, code.ptx);
  print_code(console, " in " + join(code.other_sections, ", "), code.other_count,
             code.other_machine, code.other_ptx);
  for (const std::string& limit : code.limits) console.print("    not read: " + printable(limit));
}

bool is_wanted(const std::string& path, const std::vector<std::string>& globs) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return glob_match(glob, path);
         });
}

ExitCode run_inspect(Console& console, const InspectFlags& flags) {
  const Store store(console.store());
  const auto scratch = store.temp_dir("inspect");
  const ImageFacts facts = inspect_image(flags.image, {.tag = flags.tag,
                                                       .scratch = scratch->path(),
                                                       .threads = flags.threads,
                                                       .progress = &console.progress()});
  Json objects = Json::array();
  std::size_t found = 0;
  for (const auto& [path, elf] : facts.elf) {
    if (!is_wanted(path, flags.globs)) continue;
    ++found;
    const InspectedObject object = inspect_object(facts, path, elf);
    if (console.json()) {
      objects.push_back(json_of(object));
    } else {
      print_object(console, object);
    }
  }
  if (found == 0 && !flags.globs.empty()) {
    throw UsageError(
        ErrorText{.message = "no ELF file of the image matches '" + join(flags.globs, "', '") + "'",
                  .hint = "patterns match whole paths: '**/libcudnn*'; there are " +
                          with_commas(facts.elf.size()) + " ELF files"});
  }
  if (console.json()) {
    console.print_json({{"digest", facts.image.manifest_descriptor.digest.str()},
                        {"libraryPath", printable(library_path_of(facts))},
                        {"objects", objects}});
  }
  return ExitCode::ok;
}

}  // namespace

void add_inspect_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* command =
      app.add_subcommand("inspect", "Which file each library is, and the GPU code in it");
  command->add_option("image", flags->image, "Layout or archive")->required();
  command->add_option("globs", flags->globs,
                      "Only ELF files of these paths, such as '**/libnccl*'");
  command->add_option("--tag", flags->tag, "Which image of the layout");
  command->add_option("-j,--jobs", flags->threads, "Threads; default: one a core");
  command->footer(
      "Each ELF file is taken as a process of its own, with the image's LD_LIBRARY_PATH,\n"
      "as ldd does; nothing of the image is run.");
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_inspect(console, *flags); };
  });
}

}  // namespace img
