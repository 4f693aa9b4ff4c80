// SPDX-License-Identifier: Apache-2.0
// Symbol versions and the dynamic symbols that checks look at.
#include "validators/elf/elf_symbols.h"

#include "validators/elf/string_abi.h"

#include <algorithm>
#include <array>
#include <map>

#include <elf.h>

namespace img {
namespace {

constexpr std::size_t kOldStringExamples = 5;
constexpr std::uint16_t kVersionHidden = 0x8000;
constexpr std::size_t kMostVersions = 0x8000;  // indexes have 15 bits
constexpr std::size_t kLongestVersion = 4096;
constexpr std::size_t kMostKept = 200'000;
constexpr std::size_t kLongestKept = 1024;

/// Interfaces whose names are a prefix followed by a capital letter or an underscore.
constexpr std::array<std::string_view, 18> kInterfaces = {
    "nccl",     "cudnn",     "cuda",          "cu",       "nvml",     "cublas",
    "cublasLt", "cufft",     "curand",        "cusolver", "cusparse", "cusparseLt",
    "nvrtc",    "nvJitLink", "nvPTXCompiler", "cuFile",   "cupti",    "nvshmem"};

bool is_upper_or_underscore(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }

/// Version index → name. Needed and defined versions share one numbering.
using VersionNames = std::map<std::uint16_t, std::string>;

/// The two version tables are chains of records within one segment.
class VersionTables {
 public:
  VersionTables(const ElfView& view, const ElfLayout& layout, const ElfDynamic& dynamic,
                ElfFacts& facts)
      : view_(view), layout_(layout), dynamic_(dynamic), facts_(facts) {}

  VersionNames read() {
    read_needs();
    read_definitions();
    return std::move(names_);
  }

 private:
  /// The bytes from the table to the end of its segment; empty when there is none.
  ElfBytes table(std::uint64_t address_tag) const {
    const auto address = dynamic_.value(address_tag);
    if (!address) return {};
    const auto bytes = layout_.at_address(view_, *address);
    if (!bytes) view_.fail("a version table lies outside of the file");
    return *bytes;
  }

  template <typename Record>
  Record record(ElfBytes bytes, std::uint64_t at) const {
    Record value;
    if (at > bytes.size() || sizeof(value) > bytes.size() - at) {
      view_.fail("a version record lies outside of its segment");
    }
    std::copy_n(bytes.data() + at, sizeof(value), reinterpret_cast<std::uint8_t*>(&value));
    return value;
  }

  std::string text(std::uint64_t offset) const {
    const std::string_view name = view_.text(dynamic_.strings, offset, "the name of a version");
    if (name.size() > kLongestVersion) view_.fail("the name of a version is too long");
    return std::string(name);
  }

  /// Records may overlap in a hostile file, so their number is no bound for the work.
  void count_record() {
    if (++records_ > kMostVersions) view_.fail("it has more versions than indexes can tell");
  }

  /// Counts come from the file, so every step must go forward within it: no loop can be endless.
  void read_needs() {
    const ElfBytes bytes = table(DT_VERNEED);
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < dynamic_.value(DT_VERNEEDNUM).value_or(0); ++i) {
      count_record();
      const auto need = record<Elf64_Verneed>(bytes, at);
      const std::string library = text(need.vn_file);
      std::uint64_t aux_at = at + need.vn_aux;
      for (int j = 0; j < need.vn_cnt; ++j) {
        count_record();
        const auto aux = record<Elf64_Vernaux>(bytes, aux_at);
        const std::string version = text(aux.vna_name);
        facts_.version_needs.push_back(
            {.library = library, .version = version, .weak = (aux.vna_flags & VER_FLG_WEAK) != 0});
        names_.emplace(aux.vna_other & ~kVersionHidden, version);
        if (aux.vna_next == 0) break;
        aux_at += aux.vna_next;
      }
      if (need.vn_next == 0) return;
      at += need.vn_next;
    }
  }

  void read_definitions() {
    const ElfBytes bytes = table(DT_VERDEF);
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < dynamic_.value(DT_VERDEFNUM).value_or(0); ++i) {
      count_record();
      const auto definition = record<Elf64_Verdef>(bytes, at);
      const auto aux = record<Elf64_Verdaux>(bytes, at + definition.vd_aux);
      const std::string version = text(aux.vda_name);
      // The base definition names the file itself.
      if ((definition.vd_flags & VER_FLG_BASE) == 0) {
        facts_.version_definitions.push_back(version);
        names_.emplace(definition.vd_ndx & ~kVersionHidden, version);
      }
      if (definition.vd_next == 0) return;
      at += definition.vd_next;
    }
  }

  const ElfView& view_;
  const ElfLayout& layout_;
  const ElfDynamic& dynamic_;
  ElfFacts& facts_;
  VersionNames names_;
  std::size_t records_ = 0;
};

/// The dynamic section does not say how many symbols there are; the hash tables do.
class SymbolCount {
 public:
  SymbolCount(const ElfView& view, const ElfLayout& layout, const ElfDynamic& dynamic)
      : view_(view), layout_(layout), dynamic_(dynamic) {}

  std::uint64_t read() const {
    if (const auto address = dynamic_.value(DT_HASH)) return from_hash(*address);
    if (const auto address = dynamic_.value(DT_GNU_HASH)) return from_gnu_hash(*address);
    return 0;
  }

 private:
  ElfBytes at(std::uint64_t address) const {
    const auto bytes = layout_.at_address(view_, address);
    if (!bytes) view_.fail("a symbol hash table lies outside of the file");
    return *bytes;
  }

  std::uint32_t u32(ElfBytes bytes, std::uint64_t offset) const {
    std::uint32_t value;
    if (offset > bytes.size() || sizeof(value) > bytes.size() - offset) {
      view_.fail("a symbol hash table lies outside of its segment");
    }
    std::copy_n(bytes.data() + offset, sizeof(value), reinterpret_cast<std::uint8_t*>(&value));
    return value;
  }

  std::uint64_t from_hash(std::uint64_t address) const { return u32(at(address), 4); }

  /// Header (buckets, first symbol, words of the filter, shift), filter, buckets, chains. The chain
  /// of the highest symbol that is in a bucket ends at the last symbol.
  std::uint64_t from_gnu_hash(std::uint64_t address) const {
    const ElfBytes bytes = at(address);
    const std::uint64_t buckets = u32(bytes, 0);
    const std::uint64_t first = u32(bytes, 4);
    const std::uint64_t bucket_table = 16 + std::uint64_t{u32(bytes, 8)} * 8;
    const std::uint64_t chain_table = bucket_table + buckets * 4;
    std::uint64_t highest = 0;
    for (std::uint64_t i = 0; i < buckets; ++i) {
      highest = std::max<std::uint64_t>(highest, u32(bytes, bucket_table + i * 4));
    }
    if (highest < first) return first;
    while ((u32(bytes, chain_table + (highest - first) * 4) & 1) == 0) ++highest;
    return highest + 1;
  }

  const ElfView& view_;
  const ElfLayout& layout_;
  const ElfDynamic& dynamic_;
};

class SymbolReader {
 public:
  SymbolReader(const ElfView& view, const ElfLayout& layout, const ElfDynamic& dynamic,
               ElfFacts& facts)
      : view_(view), layout_(layout), dynamic_(dynamic), facts_(facts) {}

  void read() {
    versions_ = VersionTables(view_, layout_, dynamic_, facts_).read();
    const auto address = dynamic_.value(DT_SYMTAB);
    const std::uint64_t count = SymbolCount(view_, layout_, dynamic_).read();
    if (!address || count == 0) return;
    const auto symbols = layout_.at_address(view_, *address);
    if (!symbols || count > symbols->size() / sizeof(Elf64_Sym)) {
      view_.fail("the dynamic symbol table lies outside of the file");
    }
    find_version_indexes(count);
    for (std::uint64_t i = 1; i < count; ++i) {
      Elf64_Sym symbol;
      std::copy_n(symbols->data() + i * sizeof(symbol), sizeof(symbol),
                  reinterpret_cast<std::uint8_t*>(&symbol));
      take(symbol, i);
    }
    std::sort(facts_.imports.begin(), facts_.imports.end());
    std::sort(facts_.exports.begin(), facts_.exports.end());
  }

 private:
  void find_version_indexes(std::uint64_t count) {
    const auto address = dynamic_.value(DT_VERSYM);
    if (!address) return;
    const auto bytes = layout_.at_address(view_, *address);
    if (!bytes || count > bytes->size() / sizeof(std::uint16_t)) {
      view_.fail("the table of symbol versions lies outside of the file");
    }
    version_indexes_ = *bytes;
  }

  std::string version_of(std::uint64_t index) const {
    if (version_indexes_.empty()) return {};
    std::uint16_t version = 0;
    std::copy_n(version_indexes_.data() + index * sizeof(version), sizeof(version),
                reinterpret_cast<std::uint8_t*>(&version));
    const auto found = versions_.find(version & ~kVersionHidden);
    return found == versions_.end() ? std::string() : found->second;
  }

  void take(const Elf64_Sym& symbol, std::uint64_t index) {
    if (symbol.st_name == 0) return;
    const std::string_view name = view_.text(dynamic_.strings, symbol.st_name, "a symbol name");
    name_bytes_ += name.size();
    // Names may share their ends, but many symbols with one huge name are no real file.
    if (name_bytes_ > 16 * (dynamic_.strings.size() + 4096)) {
      view_.fail("its symbol names are longer than its string table could hold");
    }
    const bool defined = symbol.st_shndx != SHN_UNDEF;
    if (defined) count_strings(name);
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (binding == STB_LOCAL || !is_gpu_interface(name) || name.size() > kLongestKept) return;
    if (defined && (visibility == STV_HIDDEN || visibility == STV_INTERNAL)) return;
    auto& list = defined ? facts_.exports : facts_.imports;
    if (list.size() == kMostKept) view_.fail("it has too many symbols of GPU libraries");
    list.push_back(
        {.name = std::string(name), .version = version_of(index), .weak = binding == STB_WEAK});
  }

  void count_strings(std::string_view name) {
    const StringAbi abi = string_abi_of(name);
    if (abi.new_string) ++facts_.new_string_symbols;
    if (!abi.old_string) return;
    ++facts_.old_string_symbols;
    if (facts_.old_string_examples.size() < kOldStringExamples) {
      facts_.old_string_examples.emplace_back(name);
    }
  }

  const ElfView& view_;
  const ElfLayout& layout_;
  const ElfDynamic& dynamic_;
  ElfFacts& facts_;
  VersionNames versions_;
  ElfBytes version_indexes_;
  std::uint64_t name_bytes_ = 0;
};

}  // namespace

bool is_gpu_interface(std::string_view name) {
  if (name.starts_with("_Z")) return false;
  if (name.starts_with("aoti_torch_") || name.starts_with("torch_")) return true;
  if (name.starts_with("__cuda")) return true;  // registration of kernels with the runtime
  return std::any_of(kInterfaces.begin(), kInterfaces.end(), [&](std::string_view prefix) {
    return name.size() > prefix.size() && name.starts_with(prefix) &&
           is_upper_or_underscore(name[prefix.size()]);
  });
}

void read_symbols(const ElfView& view, const ElfLayout& layout, const ElfDynamic& dynamic,
                  ElfFacts& facts) {
  SymbolReader(view, layout, dynamic, facts).read();
}

}  // namespace img
