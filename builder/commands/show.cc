// SPDX-License-Identifier: Apache-2.0
// imgbuild show: the plan of a manifest or the contents of an image, and what costs bytes.

#include "builder/assemble/content_report.h"
#include "builder/assemble/plan.h"
#include "builder/base/text.h"
#include "builder/commands/bundle.h"
#include "builder/commands/commands.h"
#include "builder/layout/image_layout.h"

#include <memory>

namespace img {
namespace {

struct ShowFlags {
  std::string subject, lock, reference;
  std::size_t biggest = 10;
};

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// ---- an image
// ------------------------------------------------------------------------------------

ExitCode show_image(Session& session, const ShowFlags& flags) {
  const auto layout = LayoutReader::open(flags.subject);
  const SelectedImage image = select_image(*layout, flags.reference);
  std::vector<std::string> titles;
  for (const History& entry : image.config.history) {
    if (!entry.empty_layer) titles.push_back(entry.created_by);
  }
  titles.resize(image.manifest.layers.size());
  if (session.json()) {
    Json layers = Json::array();
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
      const Descriptor& layer = image.manifest.layers[i];
      layers.push_back({{"digest", layer.digest.str()},
                        {"mediaType", layer.media_type.str()},
                        {"size", layer.size},
                        {"createdBy", titles[i]}});
    }
    session.print_json({{"digest", image.manifest_descriptor.digest.str()},
                        {"platform", to_string(image.config.platform)},
                        {"created", image.config.created},
                        {"config", parse_json(image.config_bytes, "config")},
                        {"layers", layers}});
    return ExitCode::ok;
  }
  session.print("image    " + image.manifest_descriptor.digest.str());
  session.print("platform " + to_string(image.config.platform));
  session.print("created  " + image.config.created);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const Descriptor& layer = image.manifest.layers[i];
    total += layer.size;
    session.print(right(human_size(layer.size), 10) + "  " + layer.digest.short_hex() + "  " +
                  printable(titles[i]));
  }
  session.print(right(human_size(total), 10) + "  packed in all");
  return ExitCode::ok;
}

// ---- a manifest
// ----------------------------------------------------------------------------------

Json inputs_json(const PlannedLayer& layer) {
  Json inputs = Json::array();
  for (const LockedWheel* wheel : layer.wheels) {
    inputs.push_back({{"file", wheel->file},
                      {"source", wheel->index},
                      {"size", wheel->size},
                      {"unpackedSize", wheel->unpacked_size},
                      {"sha256", wheel->sha256.str()}});
  }
  for (const LockedDeb* deb : layer.debs) {
    inputs.push_back({{"file", deb->path},
                      {"source", deb->archive + " " + deb->suite},
                      {"size", deb->size},
                      {"unpackedSize", Json()},
                      {"sha256", deb->sha256.str()}});
  }
  return inputs;
}

Json report_json(const ContentReport& report) {
  Json kinds = Json::array(), biggest = Json::array(), trim = Json::array(), same = Json::array();
  for (const KindShare& kind : report.kinds) {
    kinds.push_back({{"kind", kind.kind},
                     {"files", kind.files},
                     {"unpacked", kind.unpacked},
                     {"packed", kind.packed}});
  }
  for (const FileShare& file : report.biggest) {
    biggest.push_back({{"wheel", file.wheel},
                       {"path", file.path},
                       {"unpacked", file.unpacked},
                       {"packed", file.packed}});
  }
  for (const TrimCandidate& candidate : report.candidates) {
    trim.push_back({{"what", candidate.what},
                    {"glob", candidate.glob},
                    {"consequence", candidate.consequence},
                    {"files", candidate.files},
                    {"unpacked", candidate.unpacked},
                    {"packed", candidate.packed}});
  }
  for (const DuplicateShare& duplicate : report.duplicates) {
    same.push_back({{"places", duplicate.places}, {"wasted", duplicate.wasted}});
  }
  return {{"kinds", kinds}, {"biggest", biggest}, {"candidates", trim}, {"duplicates", same}};
}

void print_plan(Session& session, const BuildManifest& manifest, const LockFile& lock,
                const std::vector<PlannedLayer>& plan) {
  session.print("image    " + manifest.name + ":" + manifest.tag + " (" +
                to_string(manifest.platform) + ")");
  session.print("created  " + lock.created);
  for (const auto& [promise, truth] : lock.verified) {
    session.print("promises " + padded(promise, 8) + " = " + truth);
  }
  session.print("");
  session.print("layers, bottom to top (bytes of their inputs):");
  for (const PlannedLayer& layer : plan) {
    session.print(right(human_size(layer.input_bytes), 10) + "  " + padded(layer.recipe->name, 24) +
                  layer.title);
    if (!session.flags().verbose) continue;
    for (const LockedWheel* wheel : layer.wheels) {
      session.print("              " + wheel->file + "  from " + wheel->index);
    }
    for (const LockedDeb* deb : layer.debs) {
      session.print("              " + deb->package + " " + deb->version + "  from " + deb->suite);
    }
  }
}

void print_report(Session& session, const ContentReport& report) {
  session.print("");
  session.print("what the wheels hold (unpacked, packed, files):");
  for (const KindShare& kind : report.kinds) {
    session.print(right(human_size(kind.unpacked), 10) + right(human_size(kind.packed), 11) +
                  right(std::to_string(kind.files), 8) + "  " + kind.kind);
  }
  session.print("");
  session.print("biggest files (unpacked, packed):");
  for (const FileShare& file : report.biggest) {
    session.print(right(human_size(file.unpacked), 10) + right(human_size(file.packed), 11) + "  " +
                  printable(file.path));
  }
  session.print("");
  session.print("could be dropped by a 'drop:' rule of a recipe (unpacked, packed):");
  for (const TrimCandidate& candidate : report.candidates) {
    session.print(right(human_size(candidate.unpacked), 10) +
                  right(human_size(candidate.packed), 11) + "  " + candidate.what + "  " +
                  candidate.glob);
    session.print("                       but: " + candidate.consequence);
  }
  for (const DuplicateShare& duplicate : report.duplicates) {
    session.print(right(human_size(duplicate.wasted), 10) +
                  "             same bytes again: " + printable(duplicate.places.front()) +
                  " and " + std::to_string(duplicate.places.size() - 1) + " more");
  }
}

/// The report needs the wheels' own directories, so it exists only once they are in the store.
std::optional<ContentReport> content_report(Session& session, const LockFile& lock,
                                            std::size_t biggest) {
  std::vector<Wheel> wheels;
  for (const LockedWheel& wheel : lock.wheels) {
    if (!session.store().contains(wheel.sha256)) return std::nullopt;
    wheels.push_back(Wheel::open(session.store().open_file(wheel.sha256), wheel.file));
  }
  std::vector<const Wheel*> pointers;
  for (const Wheel& wheel : wheels) pointers.push_back(&wheel);
  return report_contents(pointers, biggest);
}

ExitCode show_manifest(Session& session, const ShowFlags& flags) {
  const BuildManifest written = session.load(flags.subject);
  const LockFile lock = load_or_make_lock(session, written, flags.lock, MissingLock::refuse);
  const BuildManifest manifest = with_selftest(written, lock.bundle);
  const auto plan = make_plan(manifest, lock);
  const auto report = content_report(session, lock, flags.biggest);
  if (session.json()) {
    Json layers = Json::array();
    for (const PlannedLayer& layer : plan) {
      layers.push_back({{"recipe", layer.recipe->name},
                        {"kind", to_string(layer.kind)},
                        {"title", layer.title},
                        {"inputBytes", layer.input_bytes},
                        {"inputs", inputs_json(layer)}});
    }
    session.print_json({{"name", manifest.name},
                        {"tag", manifest.tag},
                        {"created", lock.created},
                        {"verified", lock.verified},
                        {"layers", layers},
                        {"contents", report ? report_json(*report) : Json()}});
    return ExitCode::ok;
  }
  print_plan(session, manifest, lock, plan);
  if (report) {
    print_report(session, *report);
  } else {
    session.print("");
    session.print("run 'imgbuild fetch " + flags.subject + "' to see what the wheels hold");
  }
  return ExitCode::ok;
}

bool is_manifest(const std::string& subject) {
  return subject.ends_with(".yaml") || subject.ends_with(".yml");
}

}  // namespace

void add_show_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<ShowFlags>();
  CLI::App* command = app.add_subcommand("show", "Show the plan of a manifest, or an image");
  command->add_option("SUBJECT", flags->subject, "A manifest (.yaml), a layout or an archive")
      ->required();
  command->add_option("--lock", flags->lock, "Use this lock");
  command->add_option("--ref", flags->reference, "Tag or digest in the layout");
  command->add_option("--biggest", flags->biggest, "How many of the biggest files (default 10)");
  command->callback([flags, &chosen] {
    chosen = [flags](Session& session) {
      return is_manifest(flags->subject) ? show_manifest(session, *flags)
                                         : show_image(session, *flags);
    };
  });
}

}  // namespace img
