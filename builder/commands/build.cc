// SPDX-License-Identifier: Apache-2.0
// imgbuild build: manifest and lock → image.

#include "builder/assemble/assemble.h"
#include "builder/base/text.h"
#include "builder/commands/bundle.h"
#include "builder/commands/commands.h"
#include "builder/fetch/fetch.h"

#include <algorithm>
#include <chrono>
#include <memory>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;

struct BuildFlags {
  std::string manifest, lock, output, format = "dir", compression;
  std::string no_layer_cache;
  int jobs = 0;
  bool locked = false;
};

LayoutFormat parse_format(const std::string& text) {
  if (text == "dir") return LayoutFormat::directory;
  if (text == "oci-archive") return LayoutFormat::oci_archive;
  if (text == "docker-archive") return LayoutFormat::docker_archive;
  throw UsageError(ErrorText{.message = "'" + text + "' is no output format",
                             .hint = "use dir, oci-archive or docker-archive"});
}

Compression choose_compression(const BuildFlags& flags, const BuildManifest& manifest,
                               LayoutFormat format) {
  Compression compression = manifest.compression.value_or(Compression::zstd);
  if (!flags.compression.empty()) {
    const auto parsed = parse_compression(flags.compression);
    if (!parsed) {
      throw UsageError(ErrorText{.message = "'" + flags.compression + "' is no compression",
                                 .hint = "use zstd or gzip"});
    }
    compression = *parsed;
  }
  if (format == LayoutFormat::docker_archive && compression == Compression::zstd) {
    throw UsageError(ErrorText{.message = "a docker archive cannot carry zstd layers",
                               .hint = "add --compression gzip"});
  }
  return compression;
}

LayerCache parse_layer_cache(const std::string& text) {
  if (text.empty()) return LayerCache::use;
  if (text == "all") return LayerCache::remake_all;
  if (text == "wheels") return LayerCache::remake_wheels;
  throw UsageError(ErrorText{.message = "'" + text + "' is no kind of cached layer",
                             .hint = "use --no-layer-cache or --no-layer-cache=wheels"});
}

Json layer_json(const BuiltLayer& built) {
  const Layer& layer = built.described.layer;
  return {{"recipe", built.described.recipe->name},
          {"title", built.described.title},
          {"digest", layer.descriptor.digest.str()},
          {"diffId", layer.diff_id.str()},
          {"size", layer.descriptor.size},
          {"uncompressedSize", layer.uncompressed_size},
          {"base", built.of_base},
          {"cached", built.cached},
          {"seconds", built.seconds}};
}

void print_answer(Session& session, const BuildFlags& flags, const BuiltImage& image,
                  double seconds) {
  if (session.json()) {
    Json layers = Json::array();
    for (const BuiltLayer& built : image.layers) layers.push_back(layer_json(built));
    session.print_json({{"digest", image.documents.manifest.digest.str()},
                        {"output", flags.output},
                        {"format", flags.format},
                        {"size", image.packed_bytes},
                        {"uncompressedSize", image.unpacked_bytes},
                        {"layers", layers},
                        {"seconds", seconds}});
    return;
  }
  session.print(image.documents.manifest.digest.str() + " " + flags.output);
}

std::string summary(const BuiltImage& image, double seconds) {
  const auto of_base = std::count_if(image.layers.begin(), image.layers.end(),
                                     [](const BuiltLayer& layer) { return layer.of_base; });
  const auto cached =
      std::count_if(image.layers.begin(), image.layers.end(),
                    [](const BuiltLayer& layer) { return layer.cached && !layer.of_base; });
  char time[32];
  std::snprintf(time, sizeof time, "%.1f s", seconds);
  return std::to_string(image.layers.size()) + " layers (" +
         (of_base == 0 ? "" : std::to_string(of_base) + " of the base image, ") +
         std::to_string(cached) + " from the cache), " + human_size(image.packed_bytes) +
         " packed, " + human_size(image.unpacked_bytes) + " unpacked, in " + time;
}

ExitCode run_build(Session& session, const BuildFlags& flags) {
  const auto start = Clock::now();
  const LayoutFormat format = parse_format(flags.format);
  const LayerCache cache = parse_layer_cache(flags.no_layer_cache);
  const int jobs = job_count(flags.jobs);
  const BuildManifest written = session.load(flags.manifest);
  const Compression compression = choose_compression(flags, written, format);
  const LockFile lock = load_or_make_lock(session, written, flags.lock,
                                          flags.locked ? MissingLock::refuse : MissingLock::make);
  const BuildManifest manifest = with_selftest(written, lock.bundle);

  fetch_all(wanted_files(lock), session.sources(), session.store(), session.progress());
  const BuiltImage image = assemble(manifest, lock, session.store(), session.progress(),
                                    {.compression = compression, .jobs = jobs, .cache = cache});
  with_context("writing image '" + flags.output + "'", [&] {
    write_layout(layout_of(image, manifest, session.store()), flags.output, format);
  });

  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  session.progress().log(summary(image, seconds));
  print_answer(session, flags, image, seconds);
  return ExitCode::ok;
}

}  // namespace

void add_build_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<BuildFlags>();
  CLI::App* command = app.add_subcommand("build", "Build the image of a manifest");
  command->add_option("MANIFEST", flags->manifest, "The image manifest")->required();
  command->add_option("-o,--output", flags->output, "Where the image goes")->required();
  command->add_option("--format", flags->format, "dir (default), oci-archive or docker-archive");
  command->add_option("--compression", flags->compression,
                      "zstd (default) or gzip; overrides the manifest");
  command->add_option("--lock", flags->lock, "Use this lock");
  command->add_flag("--locked", flags->locked, "Refuse to make a lock that is missing");
  command->add_option("-j,--jobs", flags->jobs,
                      "Threads (default: all cores); never changes a byte");
  command
      ->add_option("--no-layer-cache", flags->no_layer_cache,
                   "Make all layers anew, or only =wheels")
      ->expected(0, 1)
      ->default_str("all");
  command->callback([flags, command, &chosen] {
    if (command->count("--no-layer-cache") != 0 && flags->no_layer_cache.empty()) {
      flags->no_layer_cache = "all";
    }
    chosen = [flags](Session& session) { return run_build(session, *flags); };
  });
}

}  // namespace img
