// SPDX-License-Identifier: Apache-2.0
// The passes of a build: plan, look up, make Debian roots and bytecode, write layers, describe the
// image.

#include "builder/assemble/assemble.h"

#include "builder/assemble/base_image.h"
#include "builder/assemble/debian_layers.h"
#include "builder/assemble/files_tree.h"
#include "builder/assemble/image_user.h"
#include "builder/assemble/layer_cache.h"
#include "builder/assemble/layer_tree.h"
#include "builder/assemble/plan.h"
#include "builder/assemble/wheel_layers.h"
#include "builder/base/interrupt.h"
#include "builder/base/thread_pool.h"
#include "builder/layer/layer_format.h"
#include "builder/layer/layer_writer.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;

/// State of one build; each pass is one member function, run() is the table of contents.
class Assembly {
 public:
  Assembly(const BuildManifest& manifest, const LockFile& lock, Store& store, Progress& progress,
           const AssembleOptions& options)
      : manifest_(manifest),
        lock_(lock),
        store_(store),
        progress_(progress),
        options_(options),
        plan_(make_plan(manifest, lock)),
        wheels_(manifest, lock, store, progress, options.jobs),
        results_(plan_.size()) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (plan_[i].kind == LayerKind::debian) {
        debian_.push_back(&plan_[i]);
        debian_index_.push_back(i);
      }
    }
  }

  BuiltImage run() {
    import_base();
    look_up_layers();
    make_roots_and_bytecode();  // both feed the layers and keep different cores busy
    make_wheel_layers();
    make_files_layers();  // last: they continue the account files of the layers below
    return describe();
  }

 private:
  struct Result {
    std::string key;
    std::optional<CachedLayer> layer;
    bool cached = false;
    double seconds = 0;
  };

  void import_base() {
    for (const PlannedLayer& layer : plan_) {
      if (layer.kind != LayerKind::oci) continue;
      base_ = import_base_image(std::get<OciSpec>(layer.recipe->spec), manifest_.platform, store_);
    }
  }

  void look_up_layers() {
    std::size_t debian = 0;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      const LayerKind kind = plan_[i].kind;
      if (kind == LayerKind::debian) {
        results_[i].key = layer_key(debian_key_inputs(debian_, debian++, options_.compression));
      } else if (kind == LayerKind::wheels) {
        results_[i].key = layer_key(wheels_.key_inputs(plan_[i], options_.compression));
      } else {
        continue;
      }
      const bool may_use =
          options_.cache == LayerCache::use ||
          (options_.cache == LayerCache::remake_wheels && kind == LayerKind::debian);
      if (may_use) take_from_cache(results_[i]);
    }
  }

  bool take_from_cache(Result& result) {
    result.layer = find_layer(store_, result.key);
    result.cached = result.layer.has_value();
    return result.cached;
  }

  void make_roots_and_bytecode() {
    std::vector<std::function<void()>> jobs;
    if (std::any_of(debian_index_.begin(), debian_index_.end(),
                    [&](std::size_t i) { return !results_[i].layer; })) {
      jobs.push_back([this] { make_debian_layers(); });
    }
    std::vector<const PlannedLayer*> missing;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (plan_[i].kind == LayerKind::wheels && !results_[i].layer) missing.push_back(&plan_[i]);
    }
    if (!missing.empty()) {
      python_ = image_python();
      for (auto& job : wheels_.bytecode_jobs(missing, *python_)) jobs.push_back(std::move(job));
    }
    run_parallel(std::move(jobs), static_cast<std::size_t>(options_.jobs));
  }

  std::unique_ptr<ImagePython> image_python() {
    const PythonSpec& python = *manifest_.python();
    if (base_) {
      const MergedTree merged = merge_layers(base_->descriptors(), store_);
      return ImagePython::from_tree(merged.tree, python, base_->digest, store_);
    }
    std::vector<LockedDeb> debs;
    for (const PlannedLayer* layer : debian_) {
      for (const LockedDeb* deb : layer->debs) debs.push_back(*deb);
      if (std::get<DebianSpec>(layer->recipe->spec).python) break;
    }
    return ImagePython::from_debs(debs, python, store_);
  }

  void make_debian_layers() {
    std::vector<Descriptor> lower;
    if (base_) lower = base_->descriptors();
    for (std::size_t i = 0; i < debian_.size(); ++i) {
      Result& result = results_[debian_index_[i]];
      if (!result.layer) {
        with_context("making layer '" + debian_[i]->recipe->name + "'", [&] {
          make_once(result, *debian_[i], 1, [&](auto&& write) {
            const DebianLayerTree made = make_debian_layer(debian_, i, lower, store_, progress_);
            write(made.tree, made.accounts);
          });
        });
      }
      lower.push_back(result.layer->layer.descriptor);
    }
  }

  void make_wheel_layers() {
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (plan_[i].kind == LayerKind::wheels && !results_[i].layer) missing.push_back(i);
    }
    // Largest first: the last layer to finish is then a small one.
    std::stable_sort(missing.begin(), missing.end(), [&](std::size_t a, std::size_t b) {
      return plan_[a].input_bytes > plan_[b].input_bytes;
    });
    const int at_once = std::max(1, std::min<int>(options_.jobs, static_cast<int>(missing.size())));
    const int workers = std::max(1, options_.jobs / at_once);
    std::vector<std::function<void()>> jobs;
    for (const std::size_t i : missing) {
      jobs.push_back([this, i, workers] {
        with_context("making layer '" + plan_[i].recipe->name + ": " + plan_[i].title + "'", [&] {
          make_once(results_[i], plan_[i], workers,
                    [&](auto&& write) { write(wheels_.tree(plan_[i]), std::nullopt); });
        });
      });
    }
    run_parallel(std::move(jobs), static_cast<std::size_t>(options_.jobs));
  }

  void make_files_layers() {
    std::optional<Accounts> accounts;
    if (base_ && needs_accounts()) accounts = accounts_of_base(*base_, store_);
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      Result& result = results_[i];
      if (plan_[i].kind == LayerKind::files) {
        with_context("making layer '" + plan_[i].recipe->name + "'",
                     [&] { make_files_layer(plan_[i], result, accounts); });
      }
      if (result.layer && result.layer->accounts) accounts = result.layer->accounts;
    }
    const std::string warning = check_user(manifest_.config, accounts);
    if (!warning.empty()) progress_.warn(warning);
  }

  /// Reading a base image for its account files takes long, and most images need none of them.
  bool needs_accounts() const {
    return !manifest_.config.user.empty() ||
           std::any_of(plan_.begin(), plan_.end(), [](const PlannedLayer& layer) {
             const auto* spec = std::get_if<FilesSpec>(&layer.recipe->spec);
             return spec != nullptr && !spec->users.empty();
           });
  }

  void make_files_layer(const PlannedLayer& planned, Result& result,
                        std::optional<Accounts>& accounts) {
    const auto& spec = std::get<FilesSpec>(planned.recipe->spec);
    Tree tree;
    add_files(*planned.recipe, spec, tree);
    add_directories(*planned.recipe, tree);
    add_users(*planned.recipe, spec, accounts, tree);
    tree.seal("recipe " + planned.recipe->name);
    if (auto own = accounts_in(tree)) accounts = std::move(own);  // users, or files of that name
    result.key = layer_key(files_key_inputs(tree));
    if (options_.cache != LayerCache::remake_all && take_from_cache(result)) return;
    make_once(result, planned, options_.jobs,
              [&](auto&& write) { write(tree, spec.users.empty() ? std::nullopt : accounts); });
  }

  Json files_key_inputs(const Tree& tree) const {
    Json entries = Json::array();
    for (const auto& [path, entry] : tree.entries()) {
      std::string content;
      if (entry.type == EntryType::file) {
        const auto source = open_content(entry.content);
        NullSink nowhere;
        HashSink hash(nowhere);
        copy(*source, hash);
        content = Digest::sha256(hash.digest()).str();
      }
      entries.push_back({path.str(), to_string(entry.type), entry.mode, entry.uid, entry.gid,
                         entry.link, content});
    }
    return {{"kind", "files"},
            {"format", output_format()},
            {"compression", to_string(options_.compression)},
            {"entries", entries}};
  }

  /// Makes one layer under its lock: of several builders on one store, one works and the others
  /// take its result.
  template <typename Make>
  void make_once(Result& result, const PlannedLayer& planned, int workers, Make&& make) {
    const auto start = Clock::now();
    const FileLock lock = store_.lock("layer-" + result.key, [&](int pid) {
      progress_.log("waiting for process " + std::to_string(pid) + ", which makes layer '" +
                    planned.recipe->name + "'");
    });
    if (options_.cache == LayerCache::use && take_from_cache(result)) return;
    make([&](const Tree& tree, const std::optional<Accounts>& accounts) {
      result.layer = CachedLayer{write(tree, planned, workers), accounts};
    });
    remember_layer(store_, result.key, *result.layer);
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }

  Layer write(const Tree& tree, const PlannedLayer& planned, int workers) {
    check_interrupt();
    auto task =
        progress_.task("writing", planned.recipe->name + ": " + planned.title, tar_size(tree));
    const auto writer = store_.writer();
    Layer layer = write_layer(tree, *writer,
                              {.compression = options_.compression,
                               .workers = workers,
                               .on_progress = [&](std::uint64_t bytes) {
                                 check_interrupt();
                                 task.advance(bytes);
                               }});
    writer->commit(layer.descriptor.digest);
    task.finish();
    return layer;
  }

  BuiltImage describe() {
    std::vector<DescribedLayer> described;
    std::vector<BuiltLayer> built;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (plan_[i].kind == LayerKind::oci) {
        describe_base(*plan_[i].recipe, built);
        continue;
      }
      const Result& result = results_[i];
      described.push_back({result.layer->layer, plan_[i].recipe, plan_[i].title});
      built.push_back(
          {.described = described.back(), .cached = result.cached, .seconds = result.seconds});
    }
    std::uint64_t packed = 0, unpacked = 0;
    for (const BuiltLayer& layer : built) {
      packed += layer.described.layer.descriptor.size;
      unpacked += layer.described.layer.uncompressed_size;
    }
    const BaseImage* base = base_ ? &*base_ : nullptr;
    return {.layers = std::move(built),
            .documents = make_documents(manifest_, lock_, described, base),
            .packed_bytes = packed,
            .unpacked_bytes = unpacked};
  }

  void describe_base(const Recipe& recipe, std::vector<BuiltLayer>& built) const {
    const std::string count = std::to_string(base_->layers.size());
    for (std::size_t i = 0; i < base_->layers.size(); ++i) {
      const std::string title = "base layer " + std::to_string(i + 1) + " of " + count;
      built.push_back(
          {.described = {base_->layers[i], &recipe, title}, .of_base = true, .cached = true});
    }
  }

  const BuildManifest& manifest_;
  const LockFile& lock_;
  Store& store_;
  Progress& progress_;
  const AssembleOptions options_;
  const std::vector<PlannedLayer> plan_;
  WheelLayers wheels_;
  std::vector<Result> results_;              // parallel to plan_
  std::vector<const PlannedLayer*> debian_;  // the debian layers of plan_, bottom to top
  std::vector<std::size_t> debian_index_;    // and where they stand in plan_
  std::optional<BaseImage> base_;
  std::unique_ptr<ImagePython> python_;
};

}  // namespace

BuiltImage assemble(const BuildManifest& manifest, const LockFile& lock, Store& store,
                    Progress& progress, const AssembleOptions& options) {
  require_frozen_codecs();
  return Assembly(manifest, lock, store, progress, options).run();
}

LayoutImage layout_of(const BuiltImage& image, const BuildManifest& manifest, const Store& store) {
  LayoutImage layout{.index_json = image.documents.index_json,
                     .reference = manifest.name + ":" + manifest.tag,
                     .config = Digest::of(image.documents.config_json),
                     .layers = {},
                     .blobs = {}};
  const auto add_file = [&](const Descriptor& descriptor) {
    layout.layers.push_back(descriptor.digest);
    layout.blobs.push_back(
        {.digest = descriptor.digest,
         .size = descriptor.size,
         .file = store.blob_path(descriptor.digest),
         .on_linked = [&store, digest = descriptor.digest] { store.contains(digest); }});
  };
  for (const BuiltLayer& built : image.layers) add_file(built.described.layer.descriptor);
  for (const std::string* bytes : {&image.documents.manifest_json, &image.documents.config_json}) {
    layout.blobs.push_back({.digest = Digest::of(*bytes), .size = bytes->size(), .bytes = *bytes});
  }
  return layout;
}

}  // namespace img
