// SPDX-License-Identifier: Apache-2.0
// Reads single members of a wheel that is not here, and keeps nothing else of it.
#include "builder/facts/wheel_members.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/facts/elf_spool.h"
#include "builder/inputs/wheel.h"
#include "builder/inputs/zip_parts.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace img {
namespace {

constexpr std::uint64_t kMostText = 32ull << 20;
constexpr const char* kRecord = "*.dist-info/RECORD";

/// A text member.
class TextSink final : public Sink {
 public:
  TextSink(std::string what, std::function<void(std::string)> done)
      : what_(std::move(what)), done_(std::move(done)) {}
  void write(ByteView bytes) override {
    if (text_.size() + bytes.size() > kMostText) {
      throw InputError(what_ + " has more than " + human_size(kMostText));
    }
    text_ += as_text(bytes);
  }
  void finish() override { done_(std::move(text_)); }

 private:
  std::string what_, text_;
  std::function<void(std::string)> done_;
};

/// Tells the progress what passes.
class ShownSink final : public Sink {
 public:
  ShownSink(Sink& next, ProgressTask& task) : next_(next), task_(task) {}
  void write(ByteView bytes) override {
    next_.write(bytes);
    task_.advance(bytes.size());
  }
  void finish() override { next_.finish(); }

 private:
  Sink& next_;
  ProgressTask& task_;
};

/// What was found, whichever way it comes.
class Collector {
 public:
  Collector(const RemoteWheel& wheel, const WantedMembers& wanted, fs::path scratch)
      : wheel_(wheel), wanted_(wanted), scratch_(std::move(scratch)) {}

  bool wants(std::string_view name) const { return is_text(name) || is_library(name); }

  /// Who takes the member; nullptr: nobody.
  Sink* sink_for(const std::string& name) {
    const std::string what = "'" + printable(wheel_.file) + "': member '" + printable(name) + "'";
    if (is_library(name)) {
      auto spool = std::make_unique<ElfSpool>(scratch_, what);
      spool_ = spool.get();
      spooled_name_ = name;
      current_ = std::move(spool);
    } else if (is_text(name)) {
      take_library();
      current_ = std::make_unique<TextSink>(
          what, [this, name](std::string text) { found_.texts[name] = std::move(text); });
    } else {
      return nullptr;
    }
    return current_.get();
  }

  /// To be called after each member.
  void take_library() {
    if (spool_ == nullptr) return;
    found_.libraries[spooled_name_] = spool_->facts();
    digests_[spooled_name_] = {spool_->digest(), spool_->size()};
    spool_ = nullptr;
    current_.reset();
  }

  WheelMembers finish(Transport transport, std::uint64_t bytes_read) {
    take_library();
    check_record();
    found_.transport = transport;
    found_.bytes_read = bytes_read;
    return std::move(found_);
  }

 private:
  bool is_text(std::string_view name) const {
    if (!wanted_.libraries.empty() && glob_match(kRecord, name)) return true;
    return std::any_of(wanted_.texts.begin(), wanted_.texts.end(),
                       [&](const std::string& pattern) { return glob_match(pattern, name); });
  }
  bool is_library(std::string_view name) const {
    return std::find(wanted_.libraries.begin(), wanted_.libraries.end(), name) !=
           wanted_.libraries.end();
  }

  /// The libraries are what the wheel's makers recorded.
  void check_record() const {
    if (digests_.empty()) return;
    const auto record =
        std::find_if(found_.texts.begin(), found_.texts.end(),
                     [](const auto& text) { return glob_match(kRecord, text.first); });
    if (record == found_.texts.end()) {
      throw InputError("'" + printable(wheel_.file) + "' has no RECORD");
    }
    const std::vector<RecordRow> rows = parse_record(record->second, wheel_.file);
    for (const auto& [name, seen] : digests_) {
      const auto row =
          std::find_if(rows.begin(), rows.end(),
                       [&, &name = name](const RecordRow& r) { return r.path == name; });
      if (row == rows.end() || !row->sha256) continue;
      if (*row->sha256 == seen.first) continue;
      throw IntegrityError(ErrorText{
          .message = "'" + printable(wheel_.file) + "': member '" + printable(name) +
                     "' is not what RECORD says",
          .details = {
              {"expected", "sha256:" + to_hex(*row->sha256), "RECORD"},
              {"got", "sha256:" + to_hex(seen.first), with_commas(seen.second) + " bytes"}}});
    }
  }

  const RemoteWheel& wheel_;
  const WantedMembers& wanted_;
  fs::path scratch_;
  WheelMembers found_;
  std::unique_ptr<Sink> current_;
  ElfSpool* spool_ = nullptr;  ///< current_, when it is one
  std::string spooled_name_;
  std::map<std::string, std::pair<Sha256Value, std::uint64_t>> digests_;
};

std::optional<Digest> digest_of(const RemoteWheel& wheel) {
  if (wheel.sha256.empty()) return std::nullopt;
  return Digest::parse("sha256:" + wheel.sha256);
}

WheelMembers read_from_store(const RemoteWheel& wheel, Collector& collector, Store& store) {
  const Wheel opened = Wheel::open(store.open_file(*digest_of(wheel)), wheel.file);
  for (const ZipMember& member : opened.zip().members()) {
    if (!collector.wants(member.name)) continue;
    Sink* sink = collector.sink_for(member.name);
    opened.zip().read(member, [&](ByteView bytes) { sink->write(bytes); });
    sink->finish();
    collector.take_library();
  }
  return collector.finish(Transport::store, 0);
}

void require_same_headers(const RemoteWheel& wheel, const ZipPart& local, const ZipPart& central) {
  if (local.name == central.name && local.method == central.method &&
      local.packed_size == central.packed_size && local.size == central.size &&
      local.crc32 == central.crc32) {
    return;
  }
  throw InputError("'" + printable(wheel.file) + "': member '" + printable(central.name) +
                   "' is not the same in its local header");
}

WheelMembers read_by_ranges(const RemoteWheel& wheel, Collector& collector, const fs::path& scratch,
                            Progress& progress, const RemoteOptions& options) {
  RemoteFile remote(wheel.url, options);
  const std::uint64_t size = wheel.size != 0 ? wheel.size : remote.find_size();
  const auto read = [&](std::uint64_t offset, std::uint64_t count, Sink& to) {
    remote.read(offset, count, to);
  };
  std::vector<ZipPart> parts = read_zip_directory(size, read, scratch, wheel.file);
  std::erase_if(parts, [&](const ZipPart& part) { return !collector.wants(part.name); });
  std::uint64_t total = 0;
  for (const ZipPart& part : parts) total += part.span;
  ProgressTask task = progress.task("reading", wheel.file, total);
  for (const ZipPart& part : parts) {
    ZipStream stream(wheel.file, part.offset, [&](const ZipPart& local) {
      require_same_headers(wheel, local, part);
      return collector.sink_for(part.name);
    });
    ShownSink shown(stream, task);
    remote.read(part.offset, part.span, shown);
    if (stream.members() == 0) {
      throw InputError("'" + printable(wheel.file) + "': member '" + printable(part.name) +
                       "' overlaps what follows it");
    }
    collector.take_library();
  }
  task.finish();
  return collector.finish(Transport::ranges, remote.bytes_read());
}

void require_digest(const RemoteWheel& wheel, const Sha256Value& got, std::uint64_t bytes) {
  if (wheel.sha256.empty() || to_hex(got) == wheel.sha256) return;
  throw IntegrityError(
      ErrorText{.message = "'" + printable(wheel.file) + "' is not the file that the index lists",
                .details = {{"expected", "sha256:" + wheel.sha256, "index"},
                            {"got", "sha256:" + to_hex(got),
                             with_commas(bytes) + " bytes from " + displayable_url(wheel.url)}}});
}

WheelMembers read_as_stream(const RemoteWheel& wheel, const WantedMembers& wanted,
                            const fs::path& scratch, Progress& progress,
                            const RemoteOptions& options) {
  std::optional<WheelMembers> result;
  std::uint64_t bytes_read = 0;
  const auto attempt = [&] {
    Collector collector(wheel, wanted, scratch);
    RemoteFile remote(wheel.url, options);
    ProgressTask task = progress.task("reading", wheel.file, wheel.size);
    ZipStream stream(wheel.file, 0, [&](const ZipPart& member) {
      collector.take_library();
      return collector.sink_for(member.name);
    });
    ShownSink shown(stream, task);
    HashSink hashed(shown);
    remote.read_whole(hashed);
    bytes_read += remote.bytes_read();
    if (!stream.at_directory()) {
      throw InputError("'" + printable(wheel.file) + "' is not a zip file: it has no directory");
    }
    require_digest(wheel, hashed.digest(), hashed.count());
    task.finish();
    result = collector.finish(Transport::stream, bytes_read);
  };
  Tries(options).run(attempt, [] { return false; });
  return std::move(*result);
}

}  // namespace

std::string_view to_string(Transport transport) {
  switch (transport) {
    case Transport::store:
      return "store";
    case Transport::ranges:
      return "ranges";
    case Transport::stream:
      return "stream";
  }
  return "";
}

WheelMembers read_wheel_members(const RemoteWheel& wheel, const WantedMembers& wanted, Store& store,
                                Progress& progress, const RemoteOptions& options) {
  return with_context("reading '" + printable(wheel.file) + "'", [&] {
    const auto scratch = store.temp_dir("facts-");
    Collector collector(wheel, wanted, scratch->path());
    const std::optional<Digest> digest = digest_of(wheel);
    if (digest && store.contains(*digest)) return read_from_store(wheel, collector, store);
    try {
      return read_by_ranges(wheel, collector, scratch->path(), progress, options);
    } catch (const RangesRefused&) {
      return read_as_stream(wheel, wanted, scratch->path(), progress, options);
    }
  });
}

}  // namespace img
