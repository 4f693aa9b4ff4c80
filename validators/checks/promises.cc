// SPDX-License-Identifier: Apache-2.0
// PAIR-PROMISE: the versions that the manifest promises are those of the files.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>

namespace img {
namespace {

/// A version that the image shows, and where.
struct Seen {
  std::string version, where, path;
};

/// "3.11.2-6+deb12u6" → "3.11.2"
std::string upstream_version(std::string_view version) {
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    version.remove_prefix(colon + 1);
  }
  return std::string(version.substr(0, version.find_first_not_of("0123456789.")));
}

/// Version of an installed Debian package; empty: not installed.
std::string debian_version(const ImageFacts& image, const std::string& package) {
  const auto status = image.texts.find("/var/lib/dpkg/status");
  if (status == image.texts.end()) return {};
  bool here = false;
  for (const std::string& line : split(status->second, '\n')) {
    if (line.starts_with("Package: ")) here = line.substr(9) == package;
    if (here && line.starts_with("Version: ")) return line.substr(9);
  }
  return {};
}

/// The part of "python3.11" after the name, of the file that the interpreter really is.
std::string python_of_name(const std::string& real) {
  const std::string name = base_name(real);
  return name.starts_with("python3.") ? name.substr(6) : std::string();
}

std::vector<Seen> python_versions(const CheckContext& context) {
  std::string real;
  const std::string& called = context.expectations.python;
  if (called.empty() || context.image().resolve(called, &real) == nullptr) return {};
  const std::string minor = python_of_name(real);
  for (const std::string& package : {"python" + minor + "-minimal", "python" + minor}) {
    const std::string version = debian_version(context.image(), package);
    if (!minor.empty() && !version.empty()) {
      return {{upstream_version(version), "package '" + package + "' " + version, real}};
    }
  }
  if (!minor.empty()) return {{minor, "name of the interpreter", real}};
  return {};
}

std::vector<Seen> package_versions(const std::vector<const InstalledPackage*>& packages) {
  std::vector<Seen> seen;
  for (const InstalledPackage* package : packages) {
    seen.push_back({package->version, "distribution '" + package->name + "'", package->folder});
  }
  return seen;
}

/// "2.27.3" of a real file "libnccl.so.2.27.3": how Debian packages of NVIDIA name it.
std::vector<Seen> file_versions(const CheckContext& context, const std::string& family) {
  std::vector<Seen> seen;
  for (const CudaLibrary& library : context.view.cuda_libraries()) {
    const std::string name = base_name(library.path);
    const std::size_t at = name.find(".so.");
    if (library.family != family || at == std::string::npos) continue;
    const std::string version = name.substr(at + 4);
    if (version.find('.') != std::string::npos) {
      seen.push_back({version, "name of the file", library.path});
    }
  }
  return seen;
}

std::vector<Seen> torch_versions(const CheckContext& context) {
  std::vector<Seen> seen;
  if (context.view.torch()) {
    seen.push_back({context.view.torch()->version, "torch/version.py",
                    context.view.torch()->folder + "/version.py"});
  }
  if (const InstalledPackage* package = context.view.package("torch")) {
    seen.push_back({package->version, "distribution 'torch'", package->folder});
  }
  return seen;
}

std::vector<Seen> cuda_versions(const CheckContext& context) {
  std::vector<Seen> seen;
  if (context.view.torch()) {
    const TorchFacts& torch = *context.view.torch();
    seen.push_back({torch.cuda.empty() ? "none" : torch.cuda, "torch/version.py",
                    torch.folder + "/version.py"});
  }
  // 12.9.79 beside a torch for 12.8 would be PAIR-TABLE's matter; here the major.minor is said.
  for (Seen& one : package_versions(context.view.variants("nvidia-cuda-runtime"))) {
    seen.push_back(std::move(one));
  }
  return seen.empty() ? file_versions(context, "cudart") : seen;
}

std::vector<Seen> versions_of(const CheckContext& context, const std::string& name) {
  if (name == "python") return python_versions(context);
  if (name == "torch") return torch_versions(context);
  if (name == "cuda") return cuda_versions(context);
  if (name == "cudnn" || name == "nccl") {
    std::vector<Seen> seen = package_versions(context.view.variants("nvidia-" + name));
    return seen.empty() ? file_versions(context, name) : seen;
  }
  const InstalledPackage* package = context.view.package(normal_name(name));
  return package == nullptr ? std::vector<Seen>{} : package_versions({package});
}

void judge(const CheckContext& context, const std::string& name, const std::string& promised,
           std::vector<Finding>& findings) {
  const std::vector<Seen> seen = versions_of(context, name);
  if (seen.empty()) {
    findings.push_back(
        compared(fail_finding(context, "'" + name + "' is promised, but the image has none"),
                 promised, "not found", "manifest, versions." + name));
  }
  for (const Seen& one : seen) {
    Finding finding;
    if (keeps_version(promised, one.version)) {
      finding =
          pass_finding(context, name + " is the promised version, says " + one.where, one.path);
    } else if (keeps_version(one.version, promised)) {
      finding = warn_finding(
          context, name + " is promised more exactly than " + one.where + " says", one.path);
    } else {
      finding =
          fail_finding(context, name + " is not the promised version, says " + one.where, one.path);
    }
    findings.push_back(
        compared(std::move(finding), promised, one.version, "manifest, versions." + name));
  }
}

}  // namespace

CheckResult check_promises(const CheckContext& context) {
  if (context.manifest() == nullptr) return skip("PAIR-PROMISE", kNoManifest);
  if (context.expectations.versions.empty()) {
    return skip("PAIR-PROMISE", "the manifest promises no version");
  }
  std::vector<Finding> findings;
  for (const auto& [name, promised] : context.expectations.versions) {
    judge(context, name, promised, findings);
  }
  return finish("PAIR-PROMISE", std::move(findings));
}

}  // namespace img
