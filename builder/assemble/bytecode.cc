// SPDX-License-Identifier: Apache-2.0
// Compiles the sources of a wheel and packs the result for layers.
#include "builder/assemble/bytecode.h"

#include "builder/assemble/compile_worker.h"
#include "builder/assemble/spool_file.h"
#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/thread_pool.h"
#include "builder/layer/deflate_pack.h"
#include "builder/layer/layer_format.h"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>

namespace img {
namespace {

constexpr const char* kFactKind = "bytecode";
/// Sources given to one process: small enough to share the work evenly, big enough to hide its
/// start.
constexpr std::uint64_t kChunkBytes = 2 << 20;
constexpr std::uint64_t kMostBytecode = 256 << 20;  // of one source; compiled constants can be big

// ---- frames of compile_worker.py ----

void write_number(Sink& to, std::uint64_t number) {
  if (number > std::numeric_limits<std::uint32_t>::max()) throw InternalError("frame too big");
  std::array<std::uint8_t, 4> bytes;
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  to.write(bytes);
}

void write_field(Sink& to, std::string_view bytes) {
  write_number(to, bytes.size());
  to.write(as_bytes(bytes));
}

[[noreturn]] void fail_frame() {
  throw UnavailableError("the image's Python gave an incomplete answer");
}

std::uint8_t read_byte(Source& from) {
  std::array<std::uint8_t, 1> byte;
  if (read_full(from, byte) != 1) fail_frame();
  return byte[0];
}

std::string read_field(Source& from) {
  std::uint64_t size = 0;
  for (int i = 0; i < 4; ++i) size |= std::uint64_t{read_byte(from)} << (8 * i);
  if (size > kMostBytecode) fail_frame();
  std::string bytes(size, '\0');
  if (read_full(from, {reinterpret_cast<std::uint8_t*>(bytes.data()), size}) != size) fail_frame();
  return bytes;
}

// ---- compiling ----

using Packs = std::vector<std::optional<DeflatePack>>;

/// Consecutive sources [begin, end).
struct Chunk {
  std::size_t begin = 0, end = 0;
  std::uint64_t bytes = 0;
};

std::vector<Chunk> split_by_size(const std::vector<PythonSource>& sources) {
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (chunks.empty() || chunks.back().bytes >= kChunkBytes) chunks.push_back({i, i, 0});
    chunks.back().end = i + 1;
    chunks.back().bytes += content_size(sources[i].content);
  }
  return chunks;
}

void write_sources(const std::vector<PythonSource>& sources, const Chunk& chunk,
                   const fs::path& file) {
  SpoolFile out(file);
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    write_field(out, sources[i].path);
    write_field(out, read_content(sources[i].content));
  }
  out.finish();
}

void read_bytecode(const fs::path& file, const Chunk& chunk, Packs& packs) {
  FileSource from(InputFile::open(file));
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    check_interrupt();
    const bool is_compiled = read_byte(from) == 1;
    const std::string bytes = read_field(from);
    if (is_compiled) packs[i] = deflate_pack(as_bytes(bytes));
  }
  std::array<std::uint8_t, 1> more;
  if (from.read(more) != 0) fail_frame();
}

/// One result a source, in the order of the sources whatever `jobs` is.
Packs compile_all(const std::vector<PythonSource>& sources, const ImagePython& python,
                  const fs::path& folder, int jobs,
                  const std::function<void(std::uint64_t)>& on_progress) {
  const fs::path script = folder / "compile.py";
  SpoolFile out(script);
  out.write(as_bytes(kCompileWorker));
  out.finish();
  Packs packs(sources.size());
  std::mutex progress_mutex;
  std::vector<std::function<void()>> work;
  for (const Chunk& chunk : split_by_size(sources)) {
    work.push_back([&, chunk] {
      const std::string name = std::to_string(chunk.begin);
      const fs::path source_file = folder / ("sources-" + name);
      const fs::path bytecode_file = folder / ("bytecode-" + name);
      write_sources(sources, chunk, source_file);
      python.run(script, source_file, bytecode_file);
      read_bytecode(bytecode_file, chunk, packs);
      fs::remove(source_file);
      fs::remove(bytecode_file);
      const std::lock_guard<std::mutex> lock(progress_mutex);
      if (on_progress) on_progress(chunk.bytes);
    });
  }
  run_parallel(std::move(work), static_cast<std::size_t>(std::max(jobs, 1)));
  return packs;
}

// ---- keeping ----

std::string key_of(const Digest& wheel, const InstallTarget& target, const ImagePython& python) {
  const Json json = {{"format", output_format()},
                     {"python", python.key()},
                     {"python_version", target.python_version},
                     {"venv", target.venv.str()},
                     {"wheel", wheel.str()},
                     {"worker", Digest::of(kCompileWorker).str()}};
  return std::string(Digest::of(canonical_json(json)).hex());
}

/// Stores the streams back to back; the fact says where each is.
Json store_packs(const std::vector<PythonSource>& sources, const Packs& packs, Store& store) {
  Json index = Json::object();
  const std::unique_ptr<BlobWriter> blob = store.writer();
  HashSink out(*blob);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!packs[i]) continue;
    const DeflatePack& pack = *packs[i];
    index[sources[i].path] = {{"offset", out.count()},
                              {"packed", pack.packed.size()},
                              {"size", pack.size},
                              {"crc32", pack.crc32},
                              {"last_block_bit", pack.last_block_bit}};
    out.write(as_bytes(pack.packed));
  }
  if (index.empty()) return {{"sources", index}};
  out.finish();
  const Digest digest = Digest::sha256(out.digest());
  blob->commit(digest);
  return {{"blob", digest.str()}, {"sources", index}};
}

DeflatedContent read_entry(const Json& value, const std::string& path,
                           const std::shared_ptr<const InputFile>& file) {
  JsonReader reader(value, "bytecode fact", path);
  DeflatedContent content{.file = file,
                          .offset = reader.unsigned_integer("offset"),
                          .packed_size = reader.unsigned_integer("packed"),
                          .size = reader.unsigned_integer("size")};
  const std::uint64_t crc = reader.unsigned_integer("crc32");
  if (crc > std::numeric_limits<std::uint32_t>::max()) reader.fail("crc32", "is not 32 bits");
  content.crc32 = static_cast<std::uint32_t>(crc);
  content.last_block_bit = reader.unsigned_integer("last_block_bit");
  reader.finish();
  if (content.offset > file->size() || content.packed_size > file->size() - content.offset) {
    reader.fail("offset", "is outside of its file");
  }
  return content;
}

/// nullopt when the blob is gone.
std::optional<BytecodePack> load_packs(const Json& fact, const Store& store) {
  JsonReader reader(fact, "bytecode fact", "");
  BytecodePack result;
  const Json& index = reader.object("sources");
  if (index.empty()) return result;
  const Digest blob = Digest::parse(reader.string("blob"));
  if (!store.contains(blob)) return std::nullopt;
  result.file = store.open_file(blob);
  for (const auto& [path, value] : index.items()) {
    result.by_source.emplace(path, read_entry(value, path, result.file));
  }
  return result;
}

std::optional<BytecodePack> find_packs(const Store& store, const std::string& key) {
  const std::optional<Json> fact = store.find_fact(kFactKind, key);
  return fact ? load_packs(*fact, store) : std::nullopt;
}

}  // namespace

std::optional<Content> BytecodePack::find(const std::string& source_path) const {
  const auto found = by_source.find(source_path);
  if (found == by_source.end()) return std::nullopt;
  return Content(found->second);
}

BytecodePack bytecode_of(const Wheel& wheel, const Digest& wheel_digest,
                         const InstallTarget& target, const ImagePython& python, Store& store,
                         int jobs, const std::function<void(std::uint64_t)>& on_progress) {
  const std::string key = key_of(wheel_digest, target, python);
  if (auto found = find_packs(store, key)) return std::move(*found);
  // Another builder may be at it: then its result is ours.
  const FileLock lock = store.lock(key);
  if (auto found = find_packs(store, key)) return std::move(*found);
  return with_context("compiling the sources of '" + wheel.file_name().file + "'", [&] {
    const std::vector<PythonSource> sources = python_sources(wheel, target, {});
    Packs packs;
    if (!sources.empty()) {
      const std::unique_ptr<TempDir> folder = store.temp_dir("bytecode-");
      packs = compile_all(sources, python, folder->path(), jobs, on_progress);
    }
    const Json fact = store_packs(sources, packs, store);
    store.put_fact(kFactKind, key, fact);
    std::optional<BytecodePack> result = load_packs(fact, store);
    if (!result) throw InternalError("a blob vanished from the store while it was in use");
    return std::move(*result);
  });
}

}  // namespace img
