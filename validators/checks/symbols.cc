// SPDX-License-Identifier: Apache-2.0
// ELF-SYMS: functions of CUDA, cuDNN, NCCL and their like are defined by what would be loaded.

#include "validators/checks/check.h"
#include "validators/checks/known_misses.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>
#include <unordered_set>

namespace img {
namespace {

/// "cuInit", "nvmlInit_v2": the driver's own interfaces, unlike "cudaMalloc" or "cublasCreate".
bool is_driver_function(std::string_view name) {
  if (name.starts_with("nvml")) return true;
  return name.starts_with("cu") && name.size() > 2 &&
         std::isupper(static_cast<unsigned char>(name[2])) != 0;
}

/// "ncclCommInitRank" → "nccl": what the evidence is grouped by.
std::string interface_of(std::string_view name) {
  std::size_t end = 0;
  while (end < name.size() && std::isupper(static_cast<unsigned char>(name[end])) == 0 &&
         name[end] != '_') {
    ++end;
  }
  return std::string(name.substr(0, end));
}

class Symbols {
 public:
  explicit Symbols(const CheckContext& context) : context_(context) {}

  std::vector<Finding> run() {
    for (const std::string& path : context_.processes.objects()) {
      if (!context_.image().elf.at(path).imports.empty()) judge_object(path);
    }
    for (const auto& [key, count] : served_) {
      findings_.push_back(pass_finding(
          context_,
          count_of(count, "function") + " of " + key.second + " are defined by '" + key.first + "'",
          key.first));
    }
    return std::move(findings_);
  }

 private:
  /// Symbols of one library: name → versions it defines it with.
  using Exports = std::unordered_map<std::string, std::vector<std::string>>;

  const Exports& exports_of(const std::string& path) {
    const auto known = exports_.find(path);
    if (known != exports_.end()) return known->second;
    Exports all;
    const auto elf = context_.image().elf.find(path);
    if (elf != context_.image().elf.end()) {
      for (const SymbolRef& symbol : elf->second.exports) {
        all[symbol.name].push_back(symbol.version);
      }
    }
    return exports_.emplace(path, std::move(all)).first->second;
  }

  /// A need without a version takes any definition; a definition without one serves any need, as
  /// ld.so does for libraries that have no versions at all.
  std::string provider_of(const SymbolRef& symbol, const std::vector<std::string>& loaded) {
    for (const std::string& path : loaded) {
      const Exports& exports = exports_of(path);
      const auto found = exports.find(symbol.name);
      if (found == exports.end()) continue;
      const std::vector<std::string>& versions = found->second;
      const bool fits = symbol.version.empty() ||
                        std::any_of(versions.begin(), versions.end(), [&](const std::string& one) {
                          return one.empty() || one == symbol.version;
                        });
      if (fits) return path;
    }
    return {};
  }

  void judge_object(const std::string& path) {
    const LoadedAlone& process = context_.processes.alone(path);
    const bool wants_driver =
        std::any_of(process.needed.begin(), process.needed.end(), [](const ResolvedLibrary& one) {
          return one.path.empty() && is_brought_by_driver(one.name);
        });
    std::vector<SymbolRef> missing;
    std::uint64_t of_driver = 0;
    for (const SymbolRef& symbol : context_.image().elf.at(path).imports) {
      const std::string provider = provider_of(symbol, process.loaded);
      if (!provider.empty()) {
        if (provider != path) ++served_[{provider, interface_of(symbol.name)}];
      } else if (wants_driver && is_driver_function(symbol.name)) {
        ++of_driver;
      } else if (!symbol.weak && !defined_by_torch(path, symbol)) {
        missing.push_back(symbol);
      }
    }
    if (of_driver != 0) {
      findings_.push_back(pass_finding(
          context_,
          "'" + path + "' takes " + count_of(of_driver, "function") + " from the host's driver",
          path));
    }
    report(path, missing);
  }

  /// Extensions of Python are loaded after torch and may leave its libraries to it.
  bool defined_by_torch(const std::string& path, const SymbolRef& symbol) {
    if (path.find("/site-packages/") == std::string::npos) return false;
    if (torch_.empty()) {
      for (const ResolvedLibrary& one : context_.processes.torch_libraries()) {
        if (!one.path.empty() &&
            std::find(torch_.begin(), torch_.end(), one.path) == torch_.end()) {
          torch_.push_back(one.path);
        }
      }
    }
    // torch's own libraries must not need what torch's process happens to hold.
    if (std::find(torch_.begin(), torch_.end(), path) != torch_.end()) return false;
    return !provider_of(symbol, torch_).empty();
  }

  void report(const std::string& path, const std::vector<SymbolRef>& missing) {
    constexpr std::size_t kShown = 5;
    for (std::size_t at = 0; at < std::min(missing.size(), kShown); ++at) {
      const SymbolRef& symbol = missing[at];
      const std::string name =
          symbol.version.empty() ? symbol.name : symbol.name + "@" + symbol.version;
      const std::string rest = at + 1 == kShown && missing.size() > kShown
                                   ? " (and " + std::to_string(missing.size() - kShown) + " more)"
                                   : "";
      findings_.push_back(compared(
          fail_finding(
              context_,
              "'" + path + "' needs '" + name + "', which no library that it loads defines" + rest,
              path),
          name, "undefined", candidate_for(path, symbol)));
    }
  }

  /// The loaded library of the same interface: the one that ought to define it.
  std::string candidate_for(const std::string& path, const SymbolRef& symbol) const {
    const std::string interface = interface_of(symbol.name);
    for (const std::string& loaded : context_.processes.alone(path).loaded) {
      if (base_name(loaded).starts_with("lib" + interface + ".") ||
          (interface == "cuda" && base_name(loaded).starts_with("libcudart."))) {
        return loaded;
      }
    }
    return "loaded libraries";
  }

  const CheckContext& context_;
  std::unordered_map<std::string, Exports> exports_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> served_;
  std::vector<std::string> torch_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_symbols(const CheckContext& context) {
  std::vector<Finding> findings = Symbols(context).run();
  if (findings.empty()) {
    return skip("ELF-SYMS", "no file of the image takes a function from a CUDA library");
  }
  return finish("ELF-SYMS", std::move(findings));
}

}  // namespace img
