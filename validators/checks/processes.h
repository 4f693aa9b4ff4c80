// SPDX-License-Identifier: Apache-2.0
// Simulated processes that several checks look at: each object alone, and Python with torch loaded.
#pragma once

#include "validators/checks/image_view.h"
#include "validators/image/loader.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// One object loaded into an empty process.
struct LoadedAlone {
  std::vector<ResolvedLibrary> needed;  ///< what the object itself asks for
  std::vector<std::string> loaded;      ///< every file that is mapped then, the object first
};

/// Simulations of one image; each is made when it is first asked for. Not for several threads.
class Processes {
 public:
  explicit Processes(const ImageView& view);
  ~Processes();

  /// Objects that a loader would take: x86-64, 64 bit, with a dynamic section.
  const std::vector<std::string>& objects() const { return objects_; }
  const LoadedAlone& alone(const std::string& path) const;
  /// (asker, name) → file, for every pair that some process resolves when it loads another object
  /// first: an RPATH of a parent serves its children.
  const std::map<std::pair<std::string, std::string>, std::string>& found_somewhere() const;

  /// Interpreter of the image that a process would start with; empty: none.
  const std::string& python() const { return python_; }
  /// A process of that interpreter into which torch's libraries are loaded as `import torch` does.
  /// nullptr: no torch in the image.
  std::unique_ptr<LoaderSimulation> with_torch() const;
  /// Every file that is mapped by that process, with the name it was asked for.
  const std::vector<ResolvedLibrary>& torch_libraries() const;
  /// A process of the interpreter alone: finds what only the environment, the cache and the default
  /// folders lead to.
  std::unique_ptr<LoaderSimulation> bare() const;

 private:
  const ImageView& view_;
  std::string python_;
  std::vector<std::string> objects_;
  mutable std::map<std::string, LoadedAlone> alone_;
  mutable std::optional<std::map<std::pair<std::string, std::string>, std::string>> somewhere_;
  mutable std::optional<std::vector<ResolvedLibrary>> torch_;
};

/// One library that cuDNN is made of, as its dispatcher would open it.
struct CudnnPart {
  std::string stem;  ///< "libcudnn_ops"
  std::string name;  ///< that was found, "libcudnn_ops.so.9"; the last tried when none was
  std::string path;  ///< empty: not found
  std::string how;   ///< how it was found
};
/// The dispatcher first ("libcudnn"); empty when the image has no cuDNN. Names are tried in the
/// order in which cuDNN 9 tries them: .so.9.10.2, .so.9.10, .so.9, .so.
std::vector<CudnnPart> cudnn_parts(const ImageView& view, const Processes& processes);

}  // namespace img
