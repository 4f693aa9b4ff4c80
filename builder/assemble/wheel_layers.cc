// SPDX-License-Identifier: Apache-2.0
// Installs the wheels of a layer into a tree.

#include "builder/assemble/wheel_layers.h"

#include "builder/assemble/files_tree.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"
#include "builder/layer/layer_format.h"

#include <algorithm>

namespace img {
namespace {

Json drops_json(const std::vector<DropGlob>& drops) {
  Json list = Json::array();
  for (const DropGlob& drop : drops) list.push_back(drop.glob);
  return list;
}

Json directories_json(const Recipe& recipe) {
  Json list = Json::array();
  for (const DirectorySpec& d : recipe.directories) {
    list.push_back({d.path, d.mode, d.uid, d.gid});
  }
  return list;
}

const Recipe& recipe_named(const BuildManifest& manifest, const std::string& name) {
  const auto it = std::find_if(manifest.recipes.begin(), manifest.recipes.end(),
                               [&](const Recipe& recipe) { return recipe.name == name; });
  if (it == manifest.recipes.end()) throw InternalError("no recipe '" + name + "'");
  return *it;
}

const WheelsSpec& wheels_spec(const Recipe& recipe) { return std::get<WheelsSpec>(recipe.spec); }

std::vector<const Recipe*> wheel_recipes(const BuildManifest& manifest) {
  std::vector<const Recipe*> recipes;
  for (const Recipe& recipe : manifest.recipes) {
    if (std::holds_alternative<WheelsSpec>(recipe.spec)) recipes.push_back(&recipe);
  }
  return recipes;
}

Json yielded_json(const YieldedPaths& yielded) {
  Json value = Json::object();
  for (const auto& [file, rules] : yielded) {
    Json list = Json::array();
    for (const DropRule& rule : rules) list.push_back({rule.glob, rule.reason});
    value[file] = list;
  }
  return value;
}

YieldedPaths parse_yielded(const Json& value) {
  YieldedPaths yielded;
  for (const auto& [file, rules] : value.items()) {
    for (const Json& rule : rules) {
      yielded[file].push_back({rule.at(0).get<std::string>(), rule.at(1).get<std::string>()});
    }
  }
  return yielded;
}

}  // namespace

WheelLayers::WheelLayers(const BuildManifest& manifest, const LockFile& lock, Store& store,
                         Progress& progress, int jobs)
    : manifest_(manifest),
      lock_(lock),
      store_(store),
      progress_(progress),
      jobs_(jobs),
      target_{.venv = EntryPath::parse(manifest.venv().empty() ? "opt/venv"
                                                               : manifest.venv().substr(1)),
              .python_version = manifest.python() != nullptr ? manifest.python()->version : ""} {}

WheelLayers::~WheelLayers() = default;

const Wheel& WheelLayers::opened(const LockedWheel& wheel) {
  const std::lock_guard guard(mutex_);
  auto& slot = wheels_[wheel.file];
  if (!slot) {
    slot = std::make_unique<Wheel>(Wheel::open(store_.open_file(wheel.sha256), wheel.file));
  }
  return *slot;
}

YieldedPaths WheelLayers::compute_yielded() {
  std::vector<OwnedWheel> owned;
  for (const LockedWheel& wheel : lock_.wheels) {
    owned.push_back({&opened(wheel), &recipe_named(manifest_, wheel.layer)});
  }
  return check_ownership(owned, wheel_recipes(manifest_), target_);
}

const YieldedPaths& WheelLayers::yielded() {
  if (yielded_) return *yielded_;
  Json inputs = Json::array({"ownership 1", target_.venv.str(), target_.python_version});
  for (const LockedWheel& wheel : lock_.wheels) {
    inputs.push_back({wheel.file, wheel.sha256.str(), wheel.layer});
  }
  for (const Recipe* recipe : wheel_recipes(manifest_)) {
    Json prefer = Json::array();
    for (const PreferRule& rule : wheels_spec(*recipe).prefer) {
      prefer.push_back({rule.glob, rule.winner, rule.reason});
    }
    inputs.push_back({recipe->name, drops_json(wheels_spec(*recipe).drop), prefer});
  }
  const std::string key(Digest::of(canonical_json(inputs)).hex());
  if (const auto fact = store_.find_fact("ownership", key)) {
    yielded_ = std::make_unique<YieldedPaths>(parse_yielded(*fact));
  } else {
    yielded_ = std::make_unique<YieldedPaths>(compute_yielded());
    store_.put_fact("ownership", key, yielded_json(*yielded_));
  }
  return *yielded_;
}

std::vector<DropRule> WheelLayers::drops_of(const PlannedLayer& layer, const LockedWheel& wheel) {
  std::vector<DropRule> drops;
  for (const DropGlob& drop : wheels_spec(*layer.recipe).drop) {
    drops.push_back({drop.glob, drop.reason});
  }
  if (const auto it = yielded().find(wheel.file); it != yielded().end()) {
    drops.insert(drops.end(), it->second.begin(), it->second.end());
  }
  return drops;
}

Json WheelLayers::key_inputs(const PlannedLayer& layer, Compression compression) {
  Json wheels = Json::array();
  for (const LockedWheel* wheel : layer.wheels) {
    Json drops = Json::array();
    for (const DropRule& drop : drops_of(layer, *wheel)) drops.push_back(drop.glob);
    wheels.push_back({wheel->file, wheel->sha256.str(), drops});
  }
  return {{"kind", "wheels"},
          {"format", output_format()},
          {"compression", to_string(compression)},
          {"venv", target_.venv.str()},
          {"python", target_.python_version},
          {"makesVenv", layer.makes_venv ? manifest_.python()->path : ""},
          {"directories", layer.has_directories ? directories_json(*layer.recipe) : Json()},
          {"wheels", wheels}};
}

std::vector<std::function<void()>> WheelLayers::bytecode_jobs(
    const std::vector<const PlannedLayer*>& layers, const ImagePython& python) {
  std::vector<const LockedWheel*> wheels;
  for (const PlannedLayer* layer : layers) {
    wheels.insert(wheels.end(), layer->wheels.begin(), layer->wheels.end());
  }
  std::stable_sort(wheels.begin(), wheels.end(), [](const auto* a, const auto* b) {
    return a->unpacked_size > b->unpacked_size;
  });
  std::vector<std::function<void()>> jobs;
  for (const LockedWheel* wheel : wheels) {
    jobs.push_back([this, wheel, &python] {
      with_context("compiling the Python sources of '" + wheel->file + "'", [&] {
        const Wheel& opened_wheel = opened(*wheel);
        auto task = progress_.task("compiling", wheel->name + " " + wheel->version);
        BytecodePack pack = bytecode_of(opened_wheel, wheel->sha256, target_, python, store_, jobs_,
                                        [&](std::uint64_t bytes) { task.advance(bytes); });
        task.finish();
        const std::lock_guard guard(mutex_);
        bytecode_.insert_or_assign(wheel->file, std::move(pack));
      });
    });
  }
  return jobs;
}

void WheelLayers::add_venv(const PlannedLayer& layer, Tree& tree) const {
  const std::string origin = "recipe " + layer.recipe->name;
  const PythonSpec& python = *manifest_.python();
  const std::string home = fs::path(python.path).parent_path().string();
  const EntryPath& venv = target_.venv;
  tree.add(venv / "pyvenv.cfg",
           Entry::file(literal("home = " + home + "\ninclude-system-site-packages = false\n"), 0644,
                       origin));
  tree.add(venv / "bin/python3", Entry::symlink(python.path, origin));
  tree.add(venv / "bin/python", Entry::symlink("python3", origin));
  tree.add(venv / ("bin/python" + python.version), Entry::symlink("python3", origin));
  tree.add(venv / ("lib/python" + python.version + "/site-packages"),
           Entry::directory(0755, origin));
}

Tree WheelLayers::tree(const PlannedLayer& layer) {
  Tree tree;
  if (layer.makes_venv) add_venv(layer, tree);
  for (const LockedWheel* wheel : layer.wheels) {
    with_context("installing '" + wheel->file + "'", [&] {
      const Wheel& opened_wheel = opened(*wheel);
      const WheelFacts facts = wheel_facts(store_, wheel->sha256, wheel->file);
      const BytecodePack& pack = bytecode_.at(wheel->file);
      install_wheel(
          opened_wheel, target_, drops_of(layer, *wheel),
          [&](const std::string& source) { return pack.find(source); }, &facts, tree);
    });
  }
  if (layer.has_directories) add_directories(*layer.recipe, tree);
  tree.seal("recipe " + layer.recipe->name);
  return tree;
}

}  // namespace img
