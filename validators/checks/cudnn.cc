// SPDX-License-Identifier: Apache-2.0
// CUDNN-SET: cuDNN's parts are all there, of one version, in one folder.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>

namespace img {
namespace {

/// "9.10.2" of a file "libcudnn_ops.so.9.10.2"; empty when the name has the major only.
std::string full_version_in(const std::string& path) {
  const std::string name = base_name(path);
  const std::size_t at = name.find(".so.");
  if (at == std::string::npos) return {};
  const std::string version = name.substr(at + 4);
  return version.find('.') == std::string::npos ? std::string() : version;
}

void judge_part(const CheckContext& context, const CudnnPart& part, const CudnnPart& dispatcher,
                std::vector<Finding>& findings) {
  const std::string folder = folder_of(dispatcher.path);
  if (part.path.empty()) {
    findings.push_back(
        compared(fail_finding(context, "'" + part.stem + "', which cuDNN opens, is not there",
                              dispatcher.path),
                 "in " + folder, "found nowhere", "cuDNN"));
    return;
  }
  if (folder_of(part.path) != folder) {
    findings.push_back(compared(
        fail_finding(context,
                     "cuDNN would take '" + part.name + "' from another folder (" + part.how + ")",
                     part.path),
        folder, folder_of(part.path), "folder of '" + base_name(dispatcher.path) + "'"));
    return;
  }
  const std::string whole = full_version_in(dispatcher.path), own = full_version_in(part.path);
  if (!whole.empty() && !own.empty() && whole != own) {
    findings.push_back(
        compared(fail_finding(context, "'" + part.path + "' is of another version", part.path),
                 whole, own, "'" + dispatcher.path + "'"));
    return;
  }
  findings.push_back(pass_finding(
      context, "'" + part.name + "' is '" + part.path + "' (" + part.how + ")", part.path));
}

void judge_packages(const CheckContext& context, const CudnnPart& dispatcher,
                    std::vector<Finding>& findings) {
  const auto packages = context.view.variants("nvidia-cudnn");
  if (packages.size() > 1) {
    std::vector<std::string> names;
    for (const InstalledPackage* package : packages) {
      names.push_back(package->name + " " + package->version);
    }
    findings.push_back(
        compared(fail_finding(context,
                              "several distributions own cuDNN's folder, and the last one "
                              "installed has won",
                              packages.back()->folder),
                 "one", join(names, ", ")));
    return;
  }
  if (packages.empty() || !dispatcher.path.starts_with(packages[0]->site + "/")) return;
  const std::string major = split(packages[0]->version, '.').front();
  const auto elf = context.image().elf.find(dispatcher.path);
  const bool right =
      elf != context.image().elf.end() && elf->second.soname == "libcudnn.so." + major;
  Finding finding =
      right ? pass_finding(context,
                           "the set is that of " + packages[0]->name + " " + packages[0]->version,
                           packages[0]->folder)
            : fail_finding(context,
                           "the files are not of the major that " + packages[0]->name + " names",
                           dispatcher.path);
  findings.push_back(compared(std::move(finding), "libcudnn.so." + major,
                              elf == context.image().elf.end() ? "" : elf->second.soname,
                              packages[0]->name + " " + packages[0]->version));
}

}  // namespace

CheckResult check_cudnn_set(const CheckContext& context) {
  const std::vector<CudnnPart> parts = cudnn_parts(context.view, context.processes);
  if (parts.empty()) return skip("CUDNN-SET", "the image has no cuDNN");
  std::vector<Finding> findings;
  for (std::size_t at = 1; at < parts.size(); ++at) {
    judge_part(context, parts[at], parts.front(), findings);
  }
  judge_packages(context, parts.front(), findings);
  return finish("CUDNN-SET", std::move(findings));
}

}  // namespace img
