// SPDX-License-Identifier: Apache-2.0
// DRV-NOTBAKED and DRV-STUB: libraries of the driver are the host's, and no stub is taken for them.

#include "builder/base/text.h"
#include "validators/checks/driver_files.h"

#include <algorithm>
#include <array>
#include <set>

namespace img {
namespace {

constexpr const char* kNoCuda = "the image has no CUDA libraries";
constexpr std::array kDriverNames{"libcuda.so.1", "libcuda.so", "libnvidia-ml.so.1",
                                  "libnvidia-ml.so"};

/// Folder names as written may be links; both are compared.
bool same_folder(const ImageFacts& image, const std::string& left, const std::string& right) {
  std::string real;
  return left == right || left == right + "/" ||
         (image.resolve(left, &real) != nullptr && real == right);
}

class Stubs {
 public:
  explicit Stubs(const CheckContext& context) : context_(context) {
    for (const auto& [path, file] : context.image().files) {
      if (file.kind == FileKind::file && is_stub_path(path) &&
          path.find(".so") != std::string::npos) {
        stubs_.push_back(path);
      }
    }
  }

  std::vector<Finding> run() {
    by_folders();
    by_processes();
    for (const std::string& path : stubs_) {
      if (reached_.contains(path)) continue;
      findings_.push_back(pass_finding(context_, "stub '" + path + "' is on no search path", path));
    }
    if (stubs_.empty()) {
      findings_.push_back(pass_finding(context_, "no file of the image lies in a folder of stubs"));
    }
    return std::move(findings_);
  }

  bool any() const { return !stubs_.empty(); }

 private:
  void found(const std::string& path, const std::string& how) {
    if (!reached_.insert(path).second) return;
    findings_.push_back(
        compared(fail_finding(context_, "a loader finds the stub '" + path + "' by " + how, path),
                 "no stub on a search path", path));
  }

  void by_folders() {
    for (const SearchFolder& search : search_folders(context_.view)) {
      for (const std::string& path : stubs_) {
        if (same_folder(context_.image(), search.folder, folder_of(path)))
          found(path, search.named_by);
      }
    }
  }

  void by_processes() {
    for (const char* name : kDriverNames) {
      const auto process = context_.processes.bare();
      consider(process->open(name, context_.processes.python()));
    }
    for (const std::string& path : context_.processes.objects()) {
      if (is_stub_path(path)) continue;
      for (const ResolvedLibrary& one : context_.processes.alone(path).needed) consider(one);
    }
  }
  void consider(const ResolvedLibrary& one) {
    if (!one.path.empty() && is_stub_path(one.path)) found(one.path, one.how);
  }

  const CheckContext& context_;
  std::vector<std::string> stubs_;
  std::set<std::string> reached_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_driver_baked(const CheckContext& context) {
  std::vector<Finding> findings;
  for (const auto& [path, file] : context.image().files) {
    if (file.kind != FileKind::file || !is_driver_file(path)) continue;
    if (is_stub_path(path) || is_compat_path(path)) continue;
    // A container that ran with GPUs and was committed leaves empty files where the toolkit
    // mounted.
    const std::string what = file.size == 0 ? "an empty file where the toolkit mounts"
                                            : "a file of the driver, " + human_size(file.size);
    findings.push_back(fail_finding(context, "'" + path + "' is " + what, path));
  }
  if (findings.empty()) {
    if (!context.view.has_cuda()) return skip("DRV-NOTBAKED", kNoCuda);
    findings.push_back(pass_finding(context, "none of " +
                                                 count_of(context.image().files.size(), "path") +
                                                 " is a library or program of the driver"));
  }
  return finish("DRV-NOTBAKED", std::move(findings));
}

CheckResult check_driver_stub(const CheckContext& context) {
  Stubs stubs(context);
  if (!stubs.any() && !context.view.has_cuda()) return skip("DRV-STUB", kNoCuda);
  return finish("DRV-STUB", stubs.run());
}

}  // namespace img
