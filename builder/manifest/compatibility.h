// SPDX-License-Identifier: Apache-2.0
// The compatibility table: torch releases and their variants, drivers, GPUs, claims and truth.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace img {

/// "8.6" → {8, 6}. Compared as numbers: 10.0 is newer than 9.0.
using ComputeCapability = std::pair<int, int>;
std::optional<ComputeCapability> parse_compute_capability(std::string_view text);
std::string to_string(ComputeCapability capability);

/// Compares dotted numbers part by part ("525.60.13" < "580.65.06"); a missing part is 0.
/// <0, 0, >0. Parts that are no numbers compare as text.
int compare_dotted(std::string_view left, std::string_view right);

/// That a variant's values were read from a published wheel, and which.
struct Verified {
  std::string torch;                ///< "2.8.0"
  std::string python;               ///< "cp311": tag of the wheel
  std::string sha256;               ///< of the wheel, lower-case hex
  std::string read;                 ///< day, "2026-11-25"
  std::vector<std::string> values;  ///< keys of the variant that the wheel confirms, sorted
};

/// One build of a torch release. Fields that were not read are empty. What `verified` names comes
/// from wheels; everything else from `source`, believed as far as `evidence` says.
struct TorchVariant {
  std::string name;         ///< "cu128"
  std::string cuda;         ///< "12.8"
  std::string toolkit;      ///< "12.8.1"
  bool is_default = false;  ///< the one that the PyPI index serves under the bare version
  std::string status;       ///< "stable", "experimental", "unconfirmed"
  std::vector<ComputeCapability> compute;  ///< machine code
  std::vector<ComputeCapability> ptx;
  std::string cudnn, nccl, cusparselt, nvshmem;
  std::map<std::string, std::string> components;  ///< "cublas" → "12.8.4.1"
  std::string glibc, glibcxx, cxxabi;             ///< highest that a library of the wheel needs
  std::string cxx11_abi;
  std::string evidence;  ///< "A", "B", "C"
  std::string source, note;
  std::vector<Verified> verified;  ///< oldest release first

  std::string cuda_major() const { return cuda.substr(0, cuda.find('.')); }
  bool is_verified(std::string_view key) const;
};

struct TorchRelease {
  std::string release;  ///< "2.8"
  std::vector<std::string> patches, python, python_experimental, notes;
  std::string stable_since, triton, source;
  std::map<std::string, std::string> triton_by_patch;  ///< "2.3.1" → "2.3.1", where it differs
  std::vector<TorchVariant> variants;

  const TorchVariant* find_cuda(std::string_view cuda) const;  ///< by "12.8" or "cu128"
  const TorchVariant* default_variant() const;
  /// What torch "2.3.1" or "2.3.1+cu121" requires of triton; a plain version is an exact one.
  std::string triton_of(std::string_view version) const;
};

struct GpuModel {
  std::string name;  ///< "A10"
  ComputeCapability compute;
  std::string architecture;  ///< "Ampere"
  std::string toolkit;       ///< first with native code
  std::string removed_in;    ///< empty: still there
};

/// What people say, with what is so. `torch` and `cuda` when the claim is a pairing.
struct Claim {
  std::string claim, truth, torch;
  std::vector<std::string> cuda;
};

/// Which backend scaled_dot_product_attention takes by default for half precision, no mask and a
/// head size of 64 to 128, where GPU and wheel are as the rule says; the first rule that fits
/// counts.
struct SdpaRule {
  std::string torch_from, torch_to;  ///< first and last version, "2.5.1"; to empty: no end
  std::string cuda_from, cuda_to;    ///< of the variant; empty: any
  ComputeCapability compute_from, compute_to;
  std::string backend;  ///< "flash", "mem-efficient", "cudnn"
  std::string evidence, source;

  bool fits(std::string_view torch, std::string_view cuda, ComputeCapability device) const;
};

struct Compatibility {
  std::vector<TorchRelease> torch;                    ///< oldest first
  std::map<std::string, std::string> driver_floor;    ///< CUDA major → lowest driver
  std::map<std::string, std::string> toolkit_driver;  ///< toolkit → the driver published with it
  std::vector<GpuModel> gpus;
  std::vector<std::pair<ComputeCapability, ComputeCapability>> does_not_run;  ///< (code, device)
  std::vector<SdpaRule> sdpa;
  std::vector<Claim> claims;

  /// Release of "2.8.0", "2.8.0+cu128" or "2.8"; nullptr: not in the table.
  const TorchRelease* find_torch(std::string_view version) const;
  const GpuModel* find_gpu(std::string_view name) const;  ///< exact name
  std::vector<std::string> gpu_names() const;
  /// Lowest driver for a CUDA version ("12.8" or "12"); empty: not in the table.
  std::string driver_floor_of(std::string_view cuda) const;
  /// Whether machine code for `code` runs on `device`.
  bool code_runs_on(ComputeCapability code, ComputeCapability device) const;
  /// Whether the variant's code covers the device; nullopt: its code was not read.
  std::optional<bool> covers(const TorchVariant& variant, ComputeCapability device) const;
  /// nullptr: not known.
  const SdpaRule* expected_sdpa(std::string_view torch, const TorchVariant& variant,
                                ComputeCapability device) const;
  /// The driver that was published with the variant's toolkit; empty: not known.
  std::string packaged_driver_of(const TorchVariant& variant) const;
};

/// ManifestError with position for anything that is not of the form of
/// manifests/compatibility.yaml.
Compatibility parse_compatibility(std::string text, const std::string& name);

/// The one text form of a table, comments included: manifests/compatibility.yaml is always written
/// by it, so that what `imgbuild facts --write` changes is all that a diff shows.
std::string format_compatibility(const Compatibility& table);

/// manifests/compatibility.yaml as it was when this program was built.
const Compatibility& builtin_compatibility();

}  // namespace img
