// SPDX-License-Identifier: Apache-2.0
// A simulation of ld.so (glibc): which file of the image each library name would be.
#pragma once

#include "validators/image/image_facts.h"

#include <map>
#include <string>
#include <vector>

namespace img {

struct ResolvedLibrary {
  std::string name;   ///< as asked for: "libcudnn.so.9", or a path
  std::string asker;  ///< path of the object that asks
  std::string path;   ///< the file that would be mapped, links followed; empty: not found
  std::string how;  ///< "RPATH of '/…'", "LD_LIBRARY_PATH", "RUNPATH of …", "ld.so.cache", "default
                    ///< path", "already loaded"
};

/// One process: objects are loaded in order, and a soname that is loaded is not looked for again.
class LoaderSimulation {
 public:
  /// `library_path`: value of LD_LIBRARY_PATH in that process.
  LoaderSimulation(const ImageFacts& image, std::string library_path);
  ~LoaderSimulation();

  /// Loads a program or library by path with everything it needs, breadth first as ld.so does.
  void load(const std::string& path);
  /// What dlopen(name) called by code in `caller` would map.
  ResolvedLibrary open(const std::string& name, const std::string& caller);

  /// Everything that was resolved or not found so far, in order.
  const std::vector<ResolvedLibrary>& resolutions() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace img
