// SPDX-License-Identifier: Apache-2.0
// Facts of a small image made by hand: Debian, Python, torch with its CUDA libraries, all in order.
#pragma once

#include "builder/base/text.h"
#include "validators/checks/static_tier.h"

#include <string>
#include <utility>
#include <vector>

namespace img::testing {

inline const std::string kSite = "/opt/venv/lib/python3.11/site-packages";
inline const std::string kTorchLib = kSite + "/torch/lib";
inline const std::string kSystem = "/usr/lib/x86_64-linux-gnu";

inline Digest digest_of(const std::string& text) { return Digest::of(text); }

/// Everything that the static tier is given. Tests change one thing and run one check.
class FakeImage {
 public:
  FakeImage() : facts(empty_facts()) {
    table = builtin_compatibility();
    manifest.name = "fake";
    manifest.tag = "1";
    manifest.platform = {"linux", "amd64", ""};
    add_layer("base");
    add_layer("wheels");
  }

  // --- layers and files ---

  void add_layer(const std::string& name) {
    const Digest digest = digest_of("packed " + name), plain = digest_of("plain " + name);
    facts.layers.push_back({.descriptor = {MediaType::layer(Compression::zstd), digest, 1000},
                            .diff_id = plain.str(),
                            .actual_digest = digest.str(),
                            .actual_diff_id = plain.str(),
                            .packed_size = 1000,
                            .unpacked_size = 100'000'000,
                            .created_by = "imgbuild " + name});
    facts.image.config.diff_ids.emplace_back(plain);
  }

  FileFact& file(const std::string& path, std::uint64_t size = 10, std::uint32_t mode = 0644) {
    ++content_;
    FileFact& fact = facts.files[path];
    fact = {.kind = FileKind::file,
            .mode = mode,
            .size = size,
            .layer = path.starts_with("/opt") ? 1 : 0,
            .content_key = content_};
    folders_above(path);
    return fact;
  }
  void folder(const std::string& path) {
    facts.files[path] = {.kind = FileKind::directory, .mode = 0755};
    folders_above(path);
  }
  void link(const std::string& path, const std::string& target) {
    facts.files[path] = {.kind = FileKind::symlink, .mode = 0777, .target = target};
    folders_above(path);
  }
  void text(const std::string& path, const std::string& content) {
    file(path, content.size());
    facts.texts[path] = content;
  }
  ElfFacts& elf(const std::string& path, const std::string& soname,
                std::vector<std::string> needed = {}, const std::string& rpath = {},
                const std::string& runpath = {}) {
    file(path, 5000, 0755);
    ElfFacts& made = facts.elf[path];
    made = {.machine = 62, .type = 3, .is_64 = true, .has_dynamic = true, .soname = soname};
    made.needed = std::move(needed);
    made.rpath = rpath;
    made.runpath = runpath;
    return made;
  }
  void remove(const std::string& path) {
    facts.files.erase(path);
    facts.elf.erase(path);
    facts.texts.erase(path);
    facts.bytecode.erase(path);
  }
  void package(const std::string& name, const std::string& version,
               const std::string& requirements = {}) {
    std::string folder = name;
    for (char& c : folder) c = c == '-' ? '_' : c;
    text(kSite + "/" + folder + "-" + version + ".dist-info/METADATA",
         "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n" + requirements +
             "\nVersion: 0 of the description\n");
    lock.wheels.push_back(locked(name, version));
  }
  static LockedWheel locked(const std::string& name, const std::string& version) {
    return {.name = name, .version = version, .file = name + ".whl", .sha256 = digest_of(name)};
  }
  void module(const std::string& path, std::uint32_t flags = 3,
              std::uint32_t magic = 3495 | 0x0a0d0000) {
    file(path);
    const std::size_t slash = path.rfind('/');
    const std::string cached = path.substr(0, slash) + "/__pycache__" +
                               path.substr(slash, path.size() - slash - 3) + ".cpython-311.pyc";
    file(cached);
    facts.bytecode[cached] = {magic, flags};
  }
  void env(const std::string& name, const std::string& value) {
    for (std::string& line : facts.image.config.env) {
      if (line.starts_with(name + "=")) {
        line = name + "=" + value;
        return;
      }
    }
    facts.image.config.env.push_back(name + "=" + value);
  }
  void unset(const std::string& name) {
    std::erase_if(facts.image.config.env,
                  [&name](const std::string& line) { return line.starts_with(name + "="); });
  }

  // --- running ---

  StaticInput input() const {
    return {facts, with_manifest ? &manifest : nullptr, with_manifest ? &lock : nullptr, table};
  }
  CheckResult run(const std::string& id) const {
    const StaticInput all = input();
    return run_static_tier(all, expectations_of(all), {id}).at(0);
  }

  ImageFacts facts;
  BuildManifest manifest;
  LockFile lock;
  Compatibility table;
  bool with_manifest = true;

 private:
  static ImageFacts empty_facts() {
    const std::string bytes = "{}";
    const Descriptor document{MediaType::manifest(), Digest::of(bytes), bytes.size()};
    ImageManifest manifest{.config = document, .layers = {}, .annotations = {}};
    SelectedImage image{document, bytes, manifest, bytes, {}};
    image.config.platform = {"linux", "amd64", ""};
    return {.reference = "image", .image = image};
  }
  void folders_above(const std::string& path) {
    for (std::size_t slash = path.rfind('/'); slash != 0 && slash != std::string::npos;
         slash = path.rfind('/', slash - 1)) {
      const std::string parent = path.substr(0, slash);
      if (facts.files.contains(parent)) continue;
      facts.files[parent] = {.kind = FileKind::directory, .mode = 0755};
    }
  }
  std::uint64_t content_ = 0;
};

inline FatBinaries gpu_code(const std::vector<GpuArch>& machine, std::uint64_t count = 100) {
  FatBinaries binaries{.count = count};
  for (const GpuArch arch : machine) binaries.machine[arch] = count;
  return binaries;
}

inline void add_debian(FakeImage& image) {
  image.link("/lib", "usr/lib");
  image.link("/lib64", "usr/lib64");
  image.text("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ntrainer:x:1000:1000::/home:\n");
  image.text("/etc/group", "root:x:0:\nusers:x:100:\n");
  ElfFacts& libc = image.elf(kSystem + "/libc.so.6", "libc.so.6");
  libc.version_definitions = {"GLIBC_2.2.5", "GLIBC_2.28", "GLIBC_2.36", "GLIBC_PRIVATE"};
  ElfFacts& cxx = image.elf(kSystem + "/libstdc++.so.6", "libstdc++.so.6", {"libc.so.6"});
  cxx.version_definitions = {"GLIBCXX_3.4.22", "GLIBCXX_3.4.30", "CXXABI_1.3.11"};
  ElfFacts& python = image.elf("/usr/bin/python3.11", "", {"libc.so.6"});
  python.interpreter = "/lib64/ld-linux-x86-64.so.2";
  python.version_needs = {{"libc.so.6", "GLIBC_2.36"}};
  image.link("/usr/bin/python3", "python3.11");
  image.link("/opt/venv/bin/python3", "/usr/bin/python3");
  image.text("/var/lib/dpkg/status",
             "Package: libc6\nVersion: 2.36-9\n\nPackage: python3.11-minimal\n"
             "Version: 3.11.2-6+deb12u6\n\n");
}

inline void add_cudnn(FakeImage& image) {
  const std::string lib = kSite + "/nvidia/cudnn/lib/";
  ElfFacts& front = image.elf(lib + "libcudnn.so.9", "libcudnn.so.9", {"libc.so.6"}, "", "$ORIGIN");
  front.exports = {{"cudnnCreate", "libcudnn.so.9"}};
  for (const char* part : {"graph", "ops", "cnn", "adv", "heuristic", "engines_precompiled",
                           "engines_runtime_compiled"}) {
    const std::string name = std::string("libcudnn_") + part + ".so.9";
    ElfFacts& elf = image.elf(lib + name, name, {"libc.so.6"}, "", "$ORIGIN");
    elf.gpu_code = gpu_code({{70, 0}, {80, 0}, {90, 'a'}, {100, 0}});
  }
}

inline void add_torch(FakeImage& image) {
  const std::string rpath =
      "$ORIGIN/../../nvidia/cuda_runtime/lib:$ORIGIN/../../nvidia/cudnn/lib:"
      "$ORIGIN/../../nvidia/nccl/lib:$ORIGIN";
  image.text(kSite + "/torch/version.py",
             "from typing import Optional\n__version__ = '2.8.0+cu128'\ndebug = False\n"
             "cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n");
  ElfFacts& cpu = image.elf(kTorchLib + "/libtorch_cpu.so", "libtorch_cpu.so",
                            {"libc.so.6", "libstdc++.so.6"}, rpath);
  cpu.new_string_symbols = 40'000;
  cpu.version_needs = {{"libc.so.6", "GLIBC_2.28"}, {"libstdc++.so.6", "GLIBCXX_3.4.22"}};
  ElfFacts& cuda = image.elf(
      kTorchLib + "/libtorch_cuda.so", "libtorch_cuda.so",
      {"libtorch_cpu.so", "libcudart.so.12", "libcudnn.so.9", "libnccl.so.2", "libc.so.6"}, rpath);
  cuda.new_string_symbols = 9'000;
  cuda.imports = {{"cudaMalloc", "libcudart.so.12"},
                  {"cudnnCreate", "libcudnn.so.9"},
                  {"ncclCommRegister", ""}};
  cuda.gpu_code = gpu_code({{70, 0}, {75, 0}, {80, 0}, {86, 0}, {90, 0}, {100, 0}, {120, 0}}, 393);
  cuda.gpu_code.machine[{90, 'a'}] = 4;
  image.elf(kTorchLib + "/libtorch_python.so", "libtorch_python.so", {"libtorch_cuda.so"}, rpath);
}

inline void add_packages(FakeImage& image) {
  image.package("nvidia-cuda-runtime-cu12", "12.8.90");
  image.package("nvidia-cudnn-cu12", "9.10.2.21");
  image.package("nvidia-nccl-cu12", "2.27.3");
  image.package("torch", "2.8.0",
                "Requires-Dist: filelock\n"
                "Requires-Dist: nvidia-cudnn-cu12==9.10.2.21; platform_system == \"Linux\"\n"
                "Requires-Dist: nvidia-nccl-cu12==2.27.3; platform_system == \"Linux\"\n"
                "Requires-Dist: opt-einsum>=3.3; extra == \"opt-einsum\"\n");
  image.module(kSite + "/torch/version.py");
  for (int i = 0; i < 199; ++i) {
    image.module(kSite + "/torch/module_" + std::to_string(i) + ".py");
  }
}

inline void add_manifest(FakeImage& image) {
  Recipe base{.name = "base",
              .spec = DebianSpec{.python = PythonSpec{"/usr/bin/python3.11", "3.11"}}};
  Recipe python{.name = "python", .spec = WheelsSpec{.venv = "/opt/venv"}};
  python.env = {{"PYTHONDONTWRITEBYTECODE", "1"}};
  image.manifest.recipes = {base, python};
  image.manifest.versions = {{"python", "3.11"},
                             {"torch", "2.8.0"},
                             {"cuda", "12.8"},
                             {"cudnn", "9.10"},
                             {"nccl", "2.27"}};
  image.manifest.supports = {{"T4", "A10", "H100", "B200"}, "525.60.13"};
  image.manifest.config.cmd = {"python3"};
  image.facts.image.config.cmd = {"python3"};
  image.facts.image.config.env = {"PATH=/opt/venv/bin:/usr/bin", "NVIDIA_VISIBLE_DEVICES=all",
                                  "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                                  "NVIDIA_REQUIRE_CUDA=cuda>=12.0", "PYTHONDONTWRITEBYTECODE=1"};
}

/// An image that every check passes.
inline FakeImage good_image() {
  FakeImage image;
  add_debian(image);
  ElfFacts& cudart = image.elf(kSite + "/nvidia/cuda_runtime/lib/libcudart.so.12",
                               "libcudart.so.12", {"libc.so.6"});
  cudart.exports = {{"cudaMalloc", "libcudart.so.12"}};
  add_cudnn(image);
  ElfFacts& nccl =
      image.elf(kSite + "/nvidia/nccl/lib/libnccl.so.2", "libnccl.so.2", {"libc.so.6"});
  nccl.exports = {{"ncclCommRegister", ""}};
  nccl.gpu_code = gpu_code({{70, 0}, {80, 0}, {90, 0}, {100, 0}}, 16);
  add_torch(image);
  add_packages(image);
  add_manifest(image);
  return image;
}

/// "fail: message | expected | actual | source" of every finding that is no pass.
inline std::vector<std::string> complaints(const CheckResult& result) {
  std::vector<std::string> lines;
  for (const Finding& finding : result.findings) {
    if (finding.status == Status::pass) continue;
    lines.push_back(std::string(to_string(finding.status)) + ": " + finding.message + " | " +
                    finding.expected + " | " + finding.actual + " | " + finding.source);
  }
  return lines;
}
inline std::vector<std::string> evidence(const CheckResult& result) {
  std::vector<std::string> lines;
  for (const Finding& finding : result.findings) {
    if (finding.status == Status::pass) lines.push_back(finding.message);
  }
  return lines;
}

}  // namespace img::testing
