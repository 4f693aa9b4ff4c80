// SPDX-License-Identifier: Apache-2.0
// Takes one shared library as a stream and reads its ELF facts.
#pragma once

#include "builder/base/file.h"
#include "builder/base/hash.h"
#include "builder/facts/gpu_payload_filter.h"
#include "validators/elf/elf_facts.h"

#include <string>

namespace img {

/// Its section table is at the end of the file, so it is kept in a file without a name until then,
/// with holes where GPU code was: of the 1 GB of libtorch_cuda.so less than a quarter.
class ElfSpool final : public Sink {
 public:
  /// `name` is what messages call the file.
  ElfSpool(const fs::path& folder, std::string name);

  void write(ByteView bytes) override;
  /// Reads the facts. InputError for what is no ELF file.
  void finish() override;

  const ElfFacts& facts() const { return facts_; }
  const Sha256Value& digest() const { return digest_; }
  std::uint64_t size() const { return filter_.size(); }

 private:
  void place(std::uint64_t offset, ByteView bytes);

  std::string name_;
  Fd fd_;
  Sha256 hash_;
  GpuPayloadFilter filter_;
  ElfFacts facts_;
  Sha256Value digest_{};
};

}  // namespace img
