// SPDX-License-Identifier: Apache-2.0
// What an image is held against: promises of its manifest, its lock, and what the static tier read.
#pragma once

#include "builder/base/json.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace img {

struct ExpectedPackage {
  std::string name;  ///< normalised distribution
  std::string version;
};

/// A shared library that must be mapped from one file: found by the loader simulation.
struct ExpectedLibrary {
  std::string soname;  ///< "libcudnn.so.9"
  std::string path;    ///< absolute in the image, links followed
};

/// Plain values only, so that the portable `imgcheck-inside` reads them from a file. An absent
/// value means "nothing is promised": the checks that need it are skipped with that reason.
struct Expectations {
  std::string manifest_name;      ///< "pytorch-cuda:2.8.0-cu128-py311"; empty: no manifest
  std::string manifest_checksum;  ///< "sha256:…"; empty: no manifest
  std::map<std::string, std::string> versions;  ///< promised: python, torch, cuda, cudnn, nccl
  std::optional<std::uint64_t> size_compressed, size_unpacked;  ///< bytes, upper limits
  std::optional<double> import_torch_seconds;                   ///< upper limit, warm page cache
  std::vector<std::string> gpus;                                ///< models, "A10"
  std::string driver;                                           ///< lowest, "525.60.13"
  std::optional<std::uint64_t> gpu_memory;     ///< bytes that the workload needs on each GPU
  std::optional<double> cold_gpu_seconds;      ///< upper limit up to the first kernel
  std::optional<double> all_reduce_gigabytes;  ///< lowest bus bandwidth, GB/s; instead of the table
  std::vector<std::string> attention_backends;  ///< that must work; empty: what the GPU should have
  std::string attention_default;                ///< for half types; empty: what torch should choose
  std::vector<ExpectedPackage> packages;        ///< wheels of the lock
  std::string python;    ///< interpreter to run, "/opt/venv/bin/python3"; empty: none known
  bool compile = false;  ///< the image promises torch.compile (it has a C++ compiler)
  // Read by the static tier, never promised by anyone:
  std::string torch_folder;   ///< "/opt/venv/lib/python3.11/site-packages/torch"; empty: none
  std::string torch_version;  ///< of torch/version.py, "2.8.0+cu128"
  std::string torch_cuda;     ///< "12.8"; empty: a CPU build
  std::vector<ExpectedLibrary> libraries;  ///< of the loader simulation from torch and cuDNN
  std::map<std::string, std::string> library_versions;  ///< static facts: "cudart" → "12.8.90"
};

Json to_json(const Expectations& expectations);
/// InputError naming the member for anything that is not of that form.
Expectations parse_expectations(std::string_view text, const std::string& document);

}  // namespace img
