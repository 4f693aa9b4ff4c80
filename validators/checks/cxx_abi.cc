// SPDX-License-Identifier: Apache-2.0
// ELF-CXXABI: torch and what is built against it use one form of std::string.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

// libtorch_cpu has tens of thousands of them; fewer mean that the symbols were not readable.
constexpr std::uint64_t kEnough = 100;

struct Abi {
  std::string value;  ///< "1" new, "0" old, empty: not known
  std::string source;
};

/// What the table says about this release and CUDA variant.
Abi expected_abi(const CheckContext& context, const TorchFacts& torch) {
  const TorchRelease* release = context.input.table.find_torch(torch.version);
  const TorchVariant* variant =
      release == nullptr || torch.cuda.empty() ? nullptr : release->find_cuda(torch.cuda);
  if (variant == nullptr || variant->cxx11_abi.empty()) return {};
  return {variant->cxx11_abi,
          "compatibility table, torch " + release->release + " " + variant->name};
}

std::string name_of(std::string_view value) {
  return value == "1" ? "the new std::string only" : "the old std::string only";
}

std::string counts_of(const ElfFacts& elf) {
  return with_commas(elf.new_string_symbols) + " symbols with the new, " +
         with_commas(elf.old_string_symbols) + " with the old";
}

/// "1", "0", or empty for a mixture or none at all.
std::string abi_of(const ElfFacts& elf) {
  if (elf.new_string_symbols != 0 && elf.old_string_symbols == 0) return "1";
  if (elf.old_string_symbols != 0 && elf.new_string_symbols == 0) return "0";
  return {};
}

void judge_library(const CheckContext& context, const std::string& path, const Abi& expected,
                   std::vector<Finding>& findings) {
  const ElfFacts& elf = context.image().elf.at(path);
  if (elf.new_string_symbols + elf.old_string_symbols == 0) return;
  const std::string actual = abi_of(elf);
  const bool right = expected.value.empty() ? !actual.empty() : actual == expected.value;
  Finding finding =
      right ? pass_finding(context, "'" + base_name(path) + "' uses " + name_of(actual), path)
            : fail_finding(
                  context,
                  "'" + base_name(path) + "' does not use " +
                      (expected.value.empty() ? "one std::string only" : name_of(expected.value)),
                  path);
  std::string seen = counts_of(elf);
  if (!right && !elf.old_string_examples.empty()) seen += ", as " + elf.old_string_examples.front();
  findings.push_back(compared(std::move(finding),
                              expected.value.empty() ? "one of the two" : name_of(expected.value),
                              std::move(seen), expected.source));
}

/// Extensions that link torch's libraries must speak its ABI.
void judge_extensions(const CheckContext& context, const std::string& torch_folder,
                      const std::string& abi, std::vector<Finding>& findings) {
  for (const auto& [path, elf] : context.image().elf) {
    if (path.starts_with(torch_folder + "/")) continue;
    const bool links =
        std::any_of(elf.needed.begin(), elf.needed.end(), [](const std::string& name) {
          return name.starts_with("libc10") || name.starts_with("libtorch");
        });
    const std::string own = abi_of(elf);
    if (!links || own.empty()) continue;
    Finding finding = own == abi
                          ? pass_finding(context, "'" + path + "' uses torch's std::string", path)
                          : fail_finding(context,
                                         "'" + path +
                                             "' is built for another std::string "
                                             "than torch",
                                         path);
    findings.push_back(compared(std::move(finding), name_of(abi), counts_of(elf), "torch"));
  }
}

}  // namespace

CheckResult check_cxx_abi(const CheckContext& context) {
  const TorchFacts& torch = *context.view.torch();
  const Abi expected = expected_abi(context, torch);
  std::vector<Finding> findings;
  std::uint64_t seen = 0;
  std::string abi = expected.value;
  constexpr std::array libraries{"libc10.so", "libtorch_cpu.so", "libtorch_cuda.so",
                                 "libtorch_python.so"};
  for (const char* name : libraries) {
    const std::string path = torch.folder + "/lib/" + name;
    const auto elf = context.image().elf.find(path);
    if (elf == context.image().elf.end()) continue;
    seen += elf->second.new_string_symbols + elf->second.old_string_symbols;
    if (abi.empty()) abi = abi_of(elf->second);
    judge_library(context, path, expected, findings);
  }
  if (seen < kEnough) {
    return blocked("ELF-CXXABI", Tier::image,
                   "torch's libraries show " + count_of(seen, "symbol") +
                       " with a std::string, too few to tell");
  }
  judge_extensions(context, torch.folder, abi, findings);
  return finish("ELF-CXXABI", std::move(findings));
}

}  // namespace img
