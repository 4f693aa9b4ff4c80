// SPDX-License-Identifier: Apache-2.0
// Follows symbolic links within the merged view of an image.
#include "builder/base/text.h"
#include "validators/image/image_facts.h"

namespace img {
namespace {

constexpr int kMostLinks = 40;  // as Linux allows

/// Path components still to walk, the next one last.
class PendingPath {
 public:
  void push(std::string_view path) {
    const std::vector<std::string> parts = split(path, '/');
    parts_.insert(parts_.end(), parts.rbegin(), parts.rend());
  }
  bool empty() const { return parts_.empty(); }
  std::string pop() {
    std::string part = std::move(parts_.back());
    parts_.pop_back();
    return part;
  }

 private:
  std::vector<std::string> parts_;
};

}  // namespace

const FileFact* ImageFacts::resolve(const std::string& path, std::string* real) const {
  PendingPath pending;
  pending.push(path);
  std::string at;  // "" is the root
  const FileFact* fact = nullptr;
  int links = 0;
  while (!pending.empty()) {
    const std::string part = pending.pop();
    if (part.empty() || part == ".") continue;
    if (fact != nullptr && fact->kind != FileKind::directory) return nullptr;
    if (part == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      fact = at.empty() ? nullptr : &files.at(at);
      continue;
    }
    const auto found = files.find(at + "/" + part);
    if (found == files.end()) return nullptr;
    fact = &found->second;
    if (fact->kind != FileKind::symlink) {
      at = found->first;
      continue;
    }
    if (++links > kMostLinks) return nullptr;
    pending.push(fact->target);
    if (fact->target.starts_with('/')) at.clear();
    fact = at.empty() ? nullptr : &files.at(at);
  }
  if (fact != nullptr && real != nullptr) *real = at;
  return fact;
}

}  // namespace img
