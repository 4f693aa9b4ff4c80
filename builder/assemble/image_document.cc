// SPDX-License-Identifier: Apache-2.0
// Builds the three JSON documents of an image.

#include "builder/assemble/image_document.h"

#include "builder/base/text.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::string_view kSystemPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Environment with stable places: setting a name again changes its value only.
class Environment {
 public:
  void set(const std::string& name, const std::string& value) {
    for (auto& [known, old] : variables_) {
      if (known != name) continue;
      old = value;
      return;
    }
    variables_.emplace_back(name, value);
  }
  void set_all(const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) set(name, value);
  }
  std::vector<std::string> list() const {
    std::vector<std::string> result;
    for (const auto& [name, value] : variables_) result.push_back(name + "=" + value);
    return result;
  }

 private:
  std::vector<std::pair<std::string, std::string>> variables_;
};

std::string cuda_major(const BuildManifest& manifest) {
  const auto cuda = manifest.versions.find("cuda");
  return cuda == manifest.versions.end() ? "" : split(cuda->second, '.').front();
}

bool promises_gpu_libraries(const BuildManifest& manifest) {
  return manifest.versions.contains("cuda") || manifest.versions.contains("cudnn") ||
         manifest.versions.contains("nccl");
}

std::vector<std::string> environment(const BuildManifest& manifest, const BaseImage* base) {
  Environment env;
  if (base != nullptr) {
    for (const std::string& line : base->config.env) {
      const auto equals = line.find('=');
      if (equals != std::string::npos) env.set(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  const std::string venv = manifest.venv();
  env.set("PATH", (venv.empty() ? "" : venv + "/bin:") + std::string(kSystemPath));
  if (promises_gpu_libraries(manifest)) {
    env.set("NVIDIA_VISIBLE_DEVICES", "all");
    env.set("NVIDIA_DRIVER_CAPABILITIES", "compute,utility");
  }
  if (const std::string major = cuda_major(manifest); !major.empty()) {
    // Minor-version compatibility: every driver of the major's first release or newer serves.
    env.set("NVIDIA_REQUIRE_CUDA", "cuda>=" + major + ".0");
  }
  for (const Recipe& recipe : manifest.recipes) env.set_all(recipe.env);
  env.set_all(manifest.config.env);
  return env.list();
}

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

ImageConfig make_config(const BuildManifest& manifest, const LockFile& lock,
                        const std::vector<DescribedLayer>& layers, const BaseImage* base) {
  ImageConfig config;
  if (base != nullptr) config = base->config;
  config.platform = manifest.platform;
  config.created = lock.created;
  config.env = environment(manifest, base);
  const ConfigSpec& spec = manifest.config;
  if (!spec.user.empty()) config.user = spec.user;
  if (!spec.workdir.empty()) config.working_dir = spec.workdir;
  if (!spec.stop_signal.empty()) config.stop_signal = spec.stop_signal;
  if (!spec.entrypoint.empty() || !spec.cmd.empty()) {
    config.entrypoint = spec.entrypoint;
    config.cmd = spec.cmd;
  }
  if (!spec.volumes.empty()) config.volumes = sorted(spec.volumes);
  if (!spec.exposed_ports.empty()) config.exposed_ports = sorted(spec.exposed_ports);
  for (const auto& [name, value] : spec.labels) config.labels[name] = value;
  for (const DescribedLayer& described : layers) {
    config.diff_ids.push_back(described.layer.diff_id);
    config.history.push_back(
        {.created = lock.created,
         .created_by = "imgbuild " + described.recipe->name + ": " + described.title,
         .comment = described.recipe->summary});
  }
  return config;
}

Annotations image_annotations(const BuildManifest& manifest, const LockFile& lock,
                              const BaseImage* base) {
  Annotations annotations{{"org.opencontainers.image.created", lock.created},
                          {"org.opencontainers.image.title", manifest.name},
                          {"org.opencontainers.image.version", manifest.tag}};
  if (base != nullptr) {
    annotations["org.opencontainers.image.base.digest"] = base->digest;
    if (!base->name.empty()) annotations["org.opencontainers.image.base.name"] = base->name;
  }
  return annotations;
}

Descriptor describe(MediaType type, const std::string& bytes) {
  return {.media_type = std::move(type), .digest = Digest::of(bytes), .size = bytes.size()};
}

}  // namespace

std::vector<Descriptor> BaseImage::descriptors() const {
  std::vector<Descriptor> result;
  for (const Layer& layer : layers) result.push_back(layer.descriptor);
  return result;
}

ImageDocuments make_documents(const BuildManifest& manifest, const LockFile& lock,
                              const std::vector<DescribedLayer>& layers, const BaseImage* base) {
  ImageConfig config = make_config(manifest, lock, layers, base);
  std::string config_json = canonical_json(to_json(config));

  ImageManifest image{.config = describe(MediaType::config(), config_json),
                      .layers = {},
                      .annotations = image_annotations(manifest, lock, base)};
  if (base != nullptr) image.layers = base->descriptors();
  for (const DescribedLayer& described : layers) {
    image.layers.push_back(described.layer.descriptor);
  }
  std::string manifest_json = canonical_json(to_json(image));

  Descriptor descriptor = describe(MediaType::manifest(), manifest_json);
  Descriptor in_index = descriptor;
  in_index.platform = manifest.platform;
  in_index.annotations["org.opencontainers.image.ref.name"] = manifest.tag;
  std::string index_json =
      canonical_json(to_json(ImageIndex{.manifests = {in_index}, .annotations = {}}));

  return {std::move(config), std::move(config_json), std::move(manifest_json),
          std::move(index_json), std::move(descriptor)};
}

}  // namespace img
