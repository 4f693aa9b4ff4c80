// SPDX-License-Identifier: Apache-2.0
// Rates of the kernels that a layer is made of, on generated data: inflate, hash, search, splice,
// zstd, headers.
#include "builder/base/hash.h"
#include "builder/layer/deflate_tail.h"
#include "builder/layer/fixed_huffman.h"
#include "builder/layer/inflate.h"
#include "builder/layer/layer_reader.h"
#include "builder/layer/layer_writer.h"
#include "builder/layer/tar_writer.h"
#include "tests/support/random_tree.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

namespace img {
namespace {

constexpr std::size_t kPlainSize = 32 << 20;

/// One deflated file, about as compressible as a CUDA library.
struct Sample {
  TempDir folder{fs::temp_directory_path(), "layer-benchmark-"};
  std::string plain;
  DeflatedContent content;
  std::string packed;
  Tree tree;
  Sample() {
    testing::Random random(1);
    plain = testing::random_bytes(random, kPlainSize, 60);
    content = testing::deflated(folder.path() / "x.whl", plain);
    packed.resize(content.packed_size);
    content.file->read_exactly_at(content.offset,
                                  {reinterpret_cast<std::uint8_t*>(packed.data()), packed.size()});
    content.last_block_bit = last_block_by_walking(content);
    tree.add(EntryPath::parse("lib/libx.so"), Entry::file(content, 0755, ""));
    tree.seal("");
  }
};

const Sample& sample() {
  static const Sample made;
  return made;
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void BM_Sha256(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(sha256(sample().plain));
  count_bytes(state, kPlainSize);
}
BENCHMARK(BM_Sha256)->Unit(benchmark::kMillisecond);

void BM_Crc32(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(crc32_of(0, as_bytes(sample().plain)));
  count_bytes(state, kPlainSize);
}
BENCHMARK(BM_Crc32)->Unit(benchmark::kMillisecond);

void BM_Inflate(benchmark::State& state) {
  DeflatePass pass;
  for (auto _ : state) pass.run(sample().content, [](ByteView) {});
  count_bytes(state, kPlainSize);
}
BENCHMARK(BM_Inflate)->Unit(benchmark::kMillisecond);

void BM_SearchLastBlock(benchmark::State& state) {
  const ByteView tail = as_bytes(sample().packed).last(kTailMost);
  for (auto _ : state) {
    if (find_last_block(tail, sample().packed.size()) != sample().content.last_block_bit) {
      state.SkipWithError("not found");
    }
  }
}
BENCHMARK(BM_SearchLastBlock)->Unit(benchmark::kMillisecond);

void BM_WalkToLastBlock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(last_block_by_walking(sample().content));
  count_bytes(state, kPlainSize);
}
BENCHMARK(BM_WalkToLastBlock)->Unit(benchmark::kMillisecond);

void BM_WriteLayer(benchmark::State& state) {
  const LayerWriteOptions options{.compression = static_cast<Compression>(state.range(0)),
                                  .workers = static_cast<int>(state.range(1))};
  for (auto _ : state) {
    NullSink out;
    benchmark::DoNotOptimize(write_layer(sample().tree, out, options));
  }
  count_bytes(state, kPlainSize);
}
BENCHMARK(BM_WriteLayer)
    ->ArgNames({"codec", "workers"})
    ->Args({static_cast<int>(Compression::gzip), 1})
    ->Args({static_cast<int>(Compression::gzip), 2})
    ->Args({static_cast<int>(Compression::zstd), 1})
    ->Args({static_cast<int>(Compression::zstd), 2})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

void BM_ReadLayer(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(0));
  StringSink packed;
  write_layer(sample().tree, packed, {.compression = compression});
  for (auto _ : state) {
    ViewSource source(as_bytes(packed.text()));
    const auto plain = open_decompressed(source, compression);
    read_tar(*plain, "sample", [](const TarEntry&, Source&) {});
  }
  count_bytes(state, kPlainSize);
}
BENCHMARK(BM_ReadLayer)
    ->ArgNames({"codec"})
    ->Arg(static_cast<int>(Compression::gzip))
    ->Arg(static_cast<int>(Compression::zstd))
    ->Unit(benchmark::kMillisecond);

EntryPath module_path(std::int64_t i) {
  return EntryPath::parse("opt/venv/lib/python3.11/site-packages/torch/nn/modules/module_" +
                          std::to_string(i) + ".py");
}

void BM_TarHeader(benchmark::State& state) {
  const EntryPath path = module_path(1);
  const Entry entry = Entry::file(literal("x"), 0644, "");
  for (auto _ : state) benchmark::DoNotOptimize(tar_header(path, entry));
}
BENCHMARK(BM_TarHeader);

void BM_GlueHeaders(benchmark::State& state) {
  std::vector<std::string> headers;
  for (int i = 0; i < 1000; ++i) {
    headers.push_back(tar_header(module_path(i), Entry::file(literal("x"), 0644, "")));
  }
  std::size_t packed = 0;
  for (auto _ : state) {
    BitWriter bits;
    FixedHuffmanEncoder encoder(bits);
    std::uint64_t position = 0;
    for (const std::string& header : headers) {
      encoder.encode(as_bytes(header), position);
      position += header.size();
    }
    encoder.close();
    packed = bits.size();
  }
  state.counters["bytes_a_header"] = static_cast<double>(packed) / 1000;
  count_bytes(state, 512 * headers.size());
}
BENCHMARK(BM_GlueHeaders)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace img

int main(int argc, char** argv) {
  img::sample();  // before anything is measured
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
