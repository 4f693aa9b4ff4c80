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
  return value == "1" ? "the new std::string only" : "the old std::string";
}

std::string counts_of(const ElfFacts& elf) {
  return with_commas(elf.new_string_symbols) + " symbols with the new, " +
         with_commas(elf.old_string_symbols) + " with the old";
}

/// The ABI that the symbols show: one old std::string decides. The new one alone does not: wheels
/// of the old ABI carry parts of libstdc++ itself, whose exceptions take both. Empty: none of
/// either.
std::string abi_of(const ElfFacts& elf) {
  if (elf.old_string_symbols != 0) return "0";
  return elf.new_string_symbols != 0 ? "1" : "";
}

void judge_library(const CheckContext& context, const std::string& path, const Abi& expected,
                   std::vector<Finding>& findings) {
  const ElfFacts& elf = context.image().elf.at(path);
  const std::string actual = abi_of(elf);
  if (actual.empty()) return;
  const std::string name = "'" + base_name(path) + "'";
  const bool right = actual == expected.value;
  Finding finding =
      right ? pass_finding(context, name + " uses " + name_of(actual), path)
            : fail_finding(context, name + " does not use " + name_of(expected.value), path);
  std::string seen = counts_of(elf);
  if (!right && !elf.old_string_examples.empty()) seen += ", as " + elf.old_string_examples.front();
  findings.push_back(
      compared(std::move(finding), name_of(expected.value), std::move(seen), expected.source));
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
  Abi expected = expected_abi(context, torch);
  std::vector<Finding> findings;
  std::uint64_t seen = 0;
  constexpr std::array libraries{"libtorch_cpu.so", "libtorch_cuda.so", "libtorch_python.so",
                                 "libc10.so"};
  for (const char* name : libraries) {
    const std::string path = torch.folder + "/lib/" + name;
    const auto elf = context.image().elf.find(path);
    if (elf == context.image().elf.end()) continue;
    seen += elf->second.new_string_symbols + elf->second.old_string_symbols;
    // A release that the table does not have must at least agree with itself.
    if (expected.value.empty()) expected = {abi_of(elf->second), "'" + path + "'"};
    judge_library(context, path, expected, findings);
  }
  if (seen < kEnough) {
    return blocked("ELF-CXXABI", Tier::image,
                   "torch's libraries show " + count_of(seen, "symbol") +
                       " with a std::string, too few to tell");
  }
  judge_extensions(context, torch.folder, expected.value, findings);
  return finish("ELF-CXXABI", std::move(findings));
}

}  // namespace img
