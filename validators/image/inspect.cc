// SPDX-License-Identifier: Apache-2.0
// One decompression pass over an image: layers side by side, then the merged view.
#include "builder/base/thread_pool.h"
#include "validators/image/image_facts.h"
#include "validators/image/layer_scan.h"
#include "validators/image/merged_view.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>

namespace img {
namespace {

/// Hands each running job a workspace of its own; at most as many as threads exist.
class Workspaces {
 public:
  explicit Workspaces(fs::path scratch) : scratch_(std::move(scratch)) {}

  std::unique_ptr<ScanWorkspace> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<ScanWorkspace>(scratch_);
    std::unique_ptr<ScanWorkspace> workspace = std::move(idle_.back());
    idle_.pop_back();
    return workspace;
  }
  void put_back(std::unique_ptr<ScanWorkspace> workspace) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(workspace));
  }

 private:
  fs::path scratch_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ScanWorkspace>> idle_;
};

/// Lines of the history that belong to layers, in their order.
std::vector<std::string> created_by(const ImageConfig& config) {
  std::vector<std::string> lines;
  for (const History& history : config.history) {
    if (!history.empty_layer) lines.push_back(history.created_by);
  }
  return lines;
}

class Inspection {
 public:
  Inspection(LayoutReader& layout, const SelectedImage& image, const InspectOptions& options)
      : layout_(layout),
        image_(image),
        workspaces_(options.scratch.empty() ? fs::temp_directory_path() : options.scratch) {
    const std::vector<Descriptor>& layers = image.manifest.layers;
    const std::uint64_t total = std::accumulate(
        layers.begin(), layers.end(), std::uint64_t{0},
        [](std::uint64_t sum, const Descriptor& layer) { return sum + layer.size; });
    if (options.progress != nullptr) {
      task_ =
          options.progress->task("inspecting", std::to_string(layers.size()) + " layers", total);
    }
  }

  std::vector<LayerScan> run(std::size_t threads) {
    const std::vector<Descriptor>& layers = image_.manifest.layers;
    std::vector<LayerScan> scans(layers.size(),
                                 LayerScan{.fact = {.descriptor = image_.manifest.config}});
    std::vector<std::function<void()>> jobs;
    for (const std::size_t i : by_size()) {
      jobs.push_back([this, i, &scans] { scans[i] = scan(i); });
    }
    run_parallel(std::move(jobs), threads);
    if (task_) task_->finish();
    return scans;
  }

 private:
  /// Big layers first, so that no thread is left alone with one at the end.
  std::vector<std::size_t> by_size() const {
    const std::vector<Descriptor>& layers = image_.manifest.layers;
    std::vector<std::size_t> order(layers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return layers[a].size > layers[b].size; });
    return order;
  }

  LayerScan scan(std::size_t i) {
    const std::vector<DiffId>& diff_ids = image_.config.diff_ids;
    std::unique_ptr<ScanWorkspace> workspace = workspaces_.take();
    LayerScan result =
        scan_layer(layout_, image_.manifest.layers[i], i < diff_ids.size() ? diff_ids[i].str() : "",
                   *workspace, [this](std::uint64_t bytes) {
                     if (task_) task_->advance(bytes);
                   });
    workspaces_.put_back(std::move(workspace));
    const std::vector<std::string> lines = created_by(image_.config);
    if (i < lines.size()) result.fact.created_by = lines[i];
    return result;
  }

  LayoutReader& layout_;
  const SelectedImage& image_;
  Workspaces workspaces_;
  std::optional<ProgressTask> task_;
};

}  // namespace

ImageFacts inspect_image(const fs::path& image, const InspectOptions& options) {
  const std::unique_ptr<LayoutReader> layout = LayoutReader::open(image);
  ImageFacts facts{.reference = image.string(),
                   .format = layout->format(),
                   .image = select_image(*layout, options.tag)};
  Inspection inspection(*layout, facts.image, options);
  merge_layers(inspection.run(options.threads != 0 ? options.threads : available_cores()), facts);
  return facts;
}

}  // namespace img
