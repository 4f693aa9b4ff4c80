// SPDX-License-Identifier: Apache-2.0
// What is read of one ELF file: what its loader would do with it, and which GPU code it holds.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// "sm_90a" is {90, 'a'}; without a suffix 0. major*10 + minor, as in the names of architectures.
struct GpuArch {
  int number = 0;
  char suffix = 0;
  friend auto operator<=>(const GpuArch&, const GpuArch&) = default;
};
std::string to_string(GpuArch arch);  ///< "90a"

/// The GPU code of one file. A fat binary is one container of `.nv_fatbin` or `__nv_relfatbin`
/// (what the CUDA runtime registers); each holds machine code (cubin) and PTX for several
/// architectures. Some libraries keep further containers in other sections (cuFFT nearly all of
/// them, in `.ldata`) and load them by hand; those usually hold one architecture each, so they are
/// counted apart.
struct FatBinaries {
  std::uint64_t count = 0;                   ///< registered fat binaries that were read
  std::map<GpuArch, std::uint64_t> machine;  ///< architecture → fat binaries that hold it
  std::map<GpuArch, std::uint64_t> ptx;
  std::uint64_t other_count = 0;                   ///< fat binaries found in other sections
  std::map<GpuArch, std::uint64_t> other_machine;  ///< the same of those
  std::map<GpuArch, std::uint64_t> other_ptx;
  std::vector<std::string> other_sections;  ///< that hold them, in order of the file
  std::vector<std::string> limits;          ///< what could not be read, and why; never guessed
  /// Architectures that at least nine in ten registered fat binaries hold: what the library as a
  /// whole is built for, apart from single kernels.
  std::vector<GpuArch> common_machine() const;
};

struct VersionNeed {
  std::string library;  ///< "libc.so.6"
  std::string version;  ///< "GLIBC_2.28"
  bool weak = false;
};
struct SymbolRef {
  std::string name;
  std::string version;  ///< empty: none
  bool weak = false;
  friend auto operator<=>(const SymbolRef&, const SymbolRef&) = default;
};

struct ElfFacts {
  std::uint16_t machine = 0;  ///< EM_X86_64 = 62
  std::uint16_t type = 0;     ///< ET_EXEC 2, ET_DYN 3
  bool is_64 = false;
  bool has_dynamic = false;
  std::string soname, interpreter;
  std::string rpath,
      runpath;  ///< as written; DT_RPATH is ignored by loaders when DT_RUNPATH exists
  std::vector<std::string> needed;
  bool no_default_lib = false;  ///< DF_1_NODEFLIB
  std::vector<VersionNeed> version_needs;
  std::vector<std::string> version_definitions;
  /// Undefined and defined dynamic symbols of the GPU libraries' C interfaces (nccl*, cudnn*,
  /// cuda*, cu*, nvml*, cublas*, …, aoti_torch_*), sorted; C++ symbols are counted, not kept.
  std::vector<SymbolRef> imports, exports;
  std::uint64_t old_string_symbols = 0;  ///< defined with std::string of the pre-C++11 ABI
  std::uint64_t new_string_symbols = 0;
  std::vector<std::string> old_string_examples;  ///< at most 5, mangled
  /// Strings of read-only data that are whole library names ("libcudnn_ops.so.9"): what it may
  /// dlopen.
  std::vector<std::string> library_names;
  FatBinaries gpu_code;
  std::optional<std::string> cuda_compat_note;  ///< JSON of .note.cuda.fwd_compatibility
  std::string build_id;                         ///< hex
};

}  // namespace img
