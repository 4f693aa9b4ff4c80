// SPDX-License-Identifier: Apache-2.0
// Prepares an image for starting and starts it for each call of a plan.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/base/thread_pool.h"
#include "validators/runner/edit_places.h"
#include "validators/runner/layer_stack.h"
#include "validators/runner/page_cache.h"
#include "validators/runner/runner.h"
#include "validators/runner/scratch.h"
#include "validators/runner/skeleton.h"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <numeric>

#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::size_t kMostLayers = 400;  // overlayfs stacks 500
constexpr std::size_t kStderrTail = 4 << 10;
constexpr std::chrono::seconds kTrialTimeout(60);
constexpr std::uint32_t kTrialUser = 65532;

/// Reads layers in parallel, the biggest first.
class Unpacking {
 public:
  Unpacking(LayoutReader& layout, const SelectedImage& image, UnpackedStore& store,
            const RunnerOptions& options)
      : layout_(layout), image_(image), store_(store), options_(options) {}

  /// Bottom to top.
  std::vector<UnpackedLayer> run() {
    const std::vector<std::size_t> wanted = layers_to_stack();
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return descriptor(wanted[a]).size > descriptor(wanted[b]).size;
    });
    std::vector<UnpackedLayer> layers(wanted.size());
    std::vector<std::function<void()>> jobs;
    for (const std::size_t i : order) {
      jobs.push_back([this, &layers, &wanted, i] { layers[i] = unpack(wanted[i]); });
    }
    run_parallel(std::move(jobs), options_.threads == 0 ? available_cores() : options_.threads);
    return layers;
  }

 private:
  const Descriptor& descriptor(std::size_t index) const { return image_.manifest.layers[index]; }

  /// A layer that comes again higher up adds nothing lower down, and overlayfs refuses it.
  std::vector<std::size_t> layers_to_stack() const {
    const std::vector<DiffId>& diff_ids = image_.config.diff_ids;
    if (diff_ids.size() != image_.manifest.layers.size()) {
      throw InputError(
          ErrorText{.message = "the image's manifest and config have different numbers of layers",
                    .details = {{"manifest", std::to_string(image_.manifest.layers.size())},
                                {"config", std::to_string(diff_ids.size())}}});
    }
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
      const auto above = diff_ids.begin() + static_cast<std::ptrdiff_t>(i) + 1;
      if (std::find(above, diff_ids.end(), diff_ids[i]) == diff_ids.end()) wanted.push_back(i);
    }
    if (wanted.size() > kMostLayers) {
      throw InputError("the image has " + std::to_string(wanted.size()) +
                       " layers, more than can be stacked");
    }
    return wanted;
  }

  UnpackedLayer unpack(std::size_t index) {
    const Descriptor& layer = descriptor(index);
    const std::string name = layer.digest.str();
    const auto compression = layer.media_type.compression();
    if (!compression) {
      throw InputError("layer '" + name + "' has a media type that cannot be unpacked: '" +
                       printable(layer.media_type.str()) + "'");
    }
    std::optional<ProgressTask> task;
    const auto on_bytes = [&](std::uint64_t bytes) {
      if (options_.progress == nullptr) return;
      if (!task) task = options_.progress->task("unpacking", layer.digest.short_hex(), layer.size);
      task->advance(bytes);
    };
    const auto on_wait = [&](int pid) {
      if (options_.progress == nullptr) return;
      options_.progress->log("waiting for process " + std::to_string(pid) +
                             ", which unpacks layer " + layer.digest.short_hex());
    };
    UnpackedLayer result = with_context("unpacking layer '" + name + "'", [&] {
      return store_.get({.name = name,
                         .diff_id = image_.config.diff_ids[index],
                         .compression = *compression,
                         .packed_size = layer.size,
                         .open = [&] { return open(layer); }},
                        &image_bytes_, on_bytes, on_wait);
    });
    if (task) task->finish();
    return result;
  }

  std::unique_ptr<Source> open(const Descriptor& layer) {
    const std::lock_guard lock(mutex_);  // readers of layouts are not made for several threads
    return layout_.open_blob(layer);
  }

  LayoutReader& layout_;
  const SelectedImage& image_;
  UnpackedStore& store_;
  const RunnerOptions& options_;
  std::atomic<std::uint64_t> image_bytes_{0};
  std::mutex mutex_;
};

/// Lines stay lines; everything else that could move a cursor or break a document is escaped.
std::string tail_of(const std::string& text) {
  const std::size_t from = text.size() - std::min(text.size(), kStderrTail);
  std::vector<std::string> lines = split(std::string_view(text).substr(from), '\n');
  for (std::string& line : lines) line = printable(line);
  return join(lines, "\n");
}

RunEnd run_end_of(ContainerEnd::Kind kind) {
  switch (kind) {
    case ContainerEnd::Kind::exited:
      return RunEnd::exited;
    case ContainerEnd::Kind::signalled:
      return RunEnd::signalled;
    case ContainerEnd::Kind::timed_out:
      return RunEnd::timed_out;
    case ContainerEnd::Kind::output_limit:
      return RunEnd::output_limit;
    case ContainerEnd::Kind::not_started:
      break;
  }
  return RunEnd::not_started;
}

/// From the start of the runtime to the probe's first instruction, by the clock that both read; 0
/// when the probe does not say, or says what cannot be.
double start_seconds_of(const ProbeRun& run, const ContainerEnd& end) {
  if (run.events.empty()) return 0;
  const Json& first = run.events.front();
  const auto name = first.find("event");
  const auto time = first.find("monotonic_ns");
  if (name == first.end() || *name != "start") return 0;
  if (time == first.end() || !time->is_number_integer()) return 0;
  const double seconds =
      (time->get<double>() - static_cast<double>(end.started_ns)) / 1'000'000'000.0;
  return seconds > 0 && seconds <= end.seconds ? seconds : 0;
}

bool is_program_name(const std::string& name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
}

std::vector<std::string> notes_of(const std::vector<UnpackedLayer>& layers,
                                  const RuntimeTraits& traits) {
  std::vector<std::string> notes;
  for (const UnpackedLayer& layer : layers) {
    for (const std::string& what : layer.facts.not_made) {
      notes.push_back(what + ", which is not made for a container");
    }
    if (layer.facts.not_made_count > layer.facts.not_made.size()) {
      notes.push_back("a layer has " +
                      with_commas(layer.facts.not_made_count - layer.facts.not_made.size()) +
                      " more devices and fifos");
    }
  }
  for (std::string& weakness : weaknesses(traits)) notes.push_back(std::move(weakness));
  return notes;
}

}  // namespace

struct PreparedImage::State {
  State(UnpackedStore unpacked, Runtime& used, const RunnerOptions& given,
        std::vector<std::string> env)
      : store(std::move(unpacked)),
        runtime(used),
        options(given),
        image_env(std::move(env)),
        scratch(fs::absolute(given.store) / "containers") {}

  /// Gives the layers short names: a mount takes one page of text at most.
  void link_layers() {
    create_folders(scratch.path() / "empty");
    layers = {"../skeleton"};
    for (const fs::path& tree : trees) {
      const std::string name = std::to_string(layers.size());
      fs::create_directory_symlink(tree, scratch.path() / name);
      layers.push_back("../" + name);
    }
    if (layers.size() == 1) layers.push_back("../empty");  // overlayfs wants two
  }

  ContainerEnd start(const ContainerProcess& process, const ContainerLimits& limits) {
    ContainerStart start{.folder = scratch.path() / ("container-" + std::to_string(++runs)),
                         .layers = layers,
                         .id = "imgcheck-" + std::to_string(getpid()) + "-" +
                               scratch.path().filename().string().substr(4) + "-" +
                               std::to_string(runs),
                         .limits = limits};
    create_folders(start.folder / "rootfs");
    std::ofstream(start.folder / "config.json")
        << canonical_json(runtime_config(process, limits, runtime.traits(), options.edits));
    ContainerEnd end;
    try {
      end = runtime.run(start);
    } catch (...) {
      remove_run_folder(start.folder);
      throw;
    }
    remove_run_folder(start.folder);
    return end;
  }

  UnpackedStore store;
  Runtime& runtime;
  RunnerOptions options;
  std::vector<std::string> image_env;
  Scratch scratch;
  std::vector<std::string> layers;
  std::vector<fs::path> trees;
  std::string working_dir;
  std::vector<std::string> notes;
  int runs = 0;
};

PreparedImage::PreparedImage(std::unique_ptr<State> state) : state_(std::move(state)) {}
PreparedImage::PreparedImage(PreparedImage&&) noexcept = default;
PreparedImage::~PreparedImage() = default;

PreparedImage PreparedImage::prepare(LayoutReader& layout, const SelectedImage& image,
                                     Runtime& runtime, const RunnerOptions& options) {
  const Owners owners = runtime.rootless() ? Owners::ours : Owners::kept;
  UnpackedStore store(options.store, owners, options.limits);
  const std::vector<UnpackedLayer> layers = Unpacking(layout, image, store, options).run();
  auto state = std::make_unique<State>(std::move(store), runtime, options, image.config.env);
  const LayerStack stack(layers);
  state->trees = stack.trees();
  state->working_dir = working_dir_of(image.config.working_dir, stack);
  state->notes = notes_of(layers, runtime.traits());
  create_folders(state->scratch.path() / "skeleton");
  make_skeleton(state->scratch.path() / "skeleton", stack, state->working_dir, owners);
  state->options.edits =
      place_edits(state->scratch.path() / "skeleton", stack, owners, options.edits);
  const std::vector<std::string>& more = state->options.edits.notes;
  state->notes.insert(state->notes.end(), more.begin(), more.end());
  state->link_layers();

  // Whether this machine can start it is said now, not once for every call.
  const ContainerEnd end =
      state->start({.arguments = {}, .env = {}, .uid = kTrialUser, .gid = kTrialUser},
                   {.timeout = kTrialTimeout});
  if (end.kind != ContainerEnd::Kind::exited || end.exit_code != 0) {
    throw UnavailableError(ErrorText{
        .message = "cannot start a container of the image",
        .details = {{"reason", end.reason.empty() ? printable(trim(end.stderr_text)) : end.reason}},
        .hint = end.hint});
  }
  return PreparedImage(std::move(state));
}

ProbeRun PreparedImage::run(const ProbeCall& call) {
  ProbeRun run{.probe = call.probe, .label = call.label};
  if (!is_program_name(call.probe)) {
    throw InternalError("'" + call.probe + "' is no name of a probe");
  }
  if (access((state_->options.bundle / call.probe).c_str(), X_OK) != 0) {
    run.reason = "the bundle has no program '" + call.probe + "'";
    return run;
  }
  ContainerProcess process{.arguments = {std::string(kBundlePlace) + "/" + call.probe},
                           .env = call_environment(state_->image_env, call.unset, call.env),
                           .working_dir = state_->working_dir,
                           .uid = call.uid,
                           .gid = call.uid,
                           .writable_tmp = call.writable_tmp,
                           .bundle = fs::absolute(state_->options.bundle)};
  process.arguments.insert(process.arguments.end(), call.arguments.begin(), call.arguments.end());
  const ContainerLimits limits{.timeout = call.timeout,
                               .memory_bytes = call.memory_bytes,
                               .processes = state_->options.processes};
  ContainerEnd end;
  try {
    end = state_->start(process, limits);
  } catch (const SystemError& error) {
    end.reason = error.what();  // this machine's, not the image's
  }
  run.end = run_end_of(end.kind);
  run.exit_code = end.exit_code;
  run.reason = end.reason;
  run.seconds = end.seconds;
  run.stderr_tail = tail_of(end.stderr_text);
  read_events(end.stdout_text, run);
  run.start_seconds = start_seconds_of(run, end);
  return run;
}

void PreparedImage::drop_page_cache() const {
  for (const fs::path& tree : state_->trees) drop_from_page_cache(tree);
}

const std::vector<std::string>& PreparedImage::notes() const { return state_->notes; }

}  // namespace img
