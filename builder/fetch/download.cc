// SPDX-License-Identifier: Apache-2.0
// One file: folders, then addresses; each tried, resumed, verified, or told about.
#include "builder/fetch/download.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

namespace img {
namespace {

constexpr double kLongestBackoff = 30;
constexpr double kLongestRetryAfter = 60;
constexpr int kMismatchesPerSource = 2;

/// Path of a URL from a path under an archive's root.
std::string url_path(std::string_view path) {
  static constexpr std::string_view kPlain = "-._~/+:@!$&'()*,;=";
  std::string result;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      const std::string hex = to_hex({&byte, 1});
      result += '%';
      for (const char digit : hex) result += static_cast<char>(std::toupper(digit));
    }
  }
  return result;
}

std::string header(const HttpResponse& response, const char* name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

/// The server does not continue where we asked it to. Internal: the file is then fetched from its
/// start.
NetworkError range_refused(const std::string& url) {
  return NetworkError(ErrorText{.message = "cannot fetch '" + displayable_url(url) +
                                           "': the server does not continue a transfer"},
                      true);
}

}  // namespace

std::optional<double> RetryAllowance::pause_after(const NetworkError& error) {
  if (!error.retryable() || ++failures_ >= attempts_) return std::nullopt;
  const double backoff =
      std::min(kLongestBackoff, backoff_ * std::pow(2.0, std::max(failures_ - 1, 0)));
  const double jitter = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  const auto* status = dynamic_cast<const HttpStatusError*>(&error);
  const double asked =
      status != nullptr ? std::min(kLongestRetryAfter, status->retry_after().value_or(0)) : 0;
  return std::max(backoff * jitter, asked);
}

/// One file on its way.
struct Downloader::Job {
  const WantedFile& file;
  std::vector<std::string>& absences;
  ProgressTask task;
  PartFile part;
  bool ask_range = true;                ///< false after a server answered a range wrongly
  std::uint64_t farthest = 0;           ///< most bytes that any try reached
  std::optional<Mismatch> mismatch;     ///< the last one
  std::optional<NetworkError> failure;  ///< the last one

  Job(const FetchContext& context, const WantedFile& wanted, std::vector<std::string>& missing)
      : file(wanted),
        absences(missing),
        task(context.progress.task("fetching", wanted.name, wanted.size)),
        part(context.store, wanted.digest, wanted.size,
             [this](std::uint64_t size) { task.reset_to(size); }) {}

  [[noreturn]] void fail_mismatch() const {
    throw IntegrityError(ErrorText{
        .message = "'" + printable(file.name) + "' is not the file that is locked",
        .details = {{"expected", mismatch->expected},
                    {"got", mismatch->got},
                    {"bytes", with_commas(mismatch->bytes) + " of " + with_commas(file.size)},
                    {"source", mismatch->source}},
        .hint = "name another source: --source " + file.source + "=URL"});
  }
};

Downloader::Downloader(const FetchContext& context, std::unique_ptr<HttpClient> client)
    : context_(context), client_(std::move(client)), random_(std::random_device{}()) {}

void Downloader::check_cancelled() const {
  check_interrupt();
  if (context_.cancelled) throw Cancelled{};
}

RetryAllowance Downloader::new_allowance() {
  return RetryAllowance(context_.options.attempts, context_.options.backoff_seconds,
                        static_cast<std::uint32_t>(random_()));
}

bool Downloader::download(const WantedFile& file, std::vector<std::string>& absences) {
  Job job(context_, file, absences);
  job.part.hash_existing();
  job.farthest = job.part.size();
  if (try_folders(job)) return true;
  if (context_.sources.offline) {
    absences.push_back("offline");
    return false;
  }
  for (const std::string& root : context_.sources.of(file.source)) {
    if (try_address(job, root)) return true;
  }
  if (job.mismatch) job.fail_mismatch();
  if (job.failure) throw NetworkError(*job.failure);
  return false;
}

// ---- folders

bool Downloader::try_folders(Job& job) {
  const std::string hex(job.file.digest.hex());
  const std::string base =
      fs::path(job.file.path.empty() ? job.file.name : job.file.path).filename();
  for (const std::string& folder : context_.sources.folders()) {
    // By digest (an export, a store, an image layout), by name (an export, a plain folder), by pool
    // path.
    for (const std::string& name : {hex, "blobs/sha256/" + hex, job.file.name, base,
                                    "wheels/" + base, "debs/" + base, job.file.path}) {
      std::error_code ignored;
      const fs::path path = fs::path(folder) / name;
      if (name.empty() || !fs::is_regular_file(path, ignored)) continue;
      if (fs::file_size(path, ignored) != job.file.size) continue;
      try {
        copy_from(job, path);
        return true;
      } catch (const Mismatch& mismatch) {
        job.mismatch = mismatch;
      }
    }
    job.absences.push_back("not in folder '" + printable(folder) + "'");
  }
  return false;
}

void Downloader::copy_from(Job& job, const fs::path& path) {
  job.part.set_source(printable(path.string()));
  job.part.restart();
  const auto file = InputFile::open(path);
  FileSource source(file);
  std::vector<std::uint8_t> buffer(1 << 20);
  while (const std::size_t count = source.read(buffer)) {
    check_cancelled();
    job.part.write(ByteView(buffer).first(count));
  }
  job.part.take();
  job.task.finish("from " + printable(path.parent_path().string()));
}

// ---- addresses

bool Downloader::try_address(Job& job, const std::string& root) {
  try {
    const std::optional<std::string> url = find_url(job, root);
    return url && try_url(job, *url);
  } catch (const HttpStatusError& error) {
    if (error.is_absence()) {
      job.absences.push_back(std::string(error.what()));
    } else {
      job.failure.emplace(error);
    }
  } catch (const NetworkError& error) {
    job.failure.emplace(error);
  }
  return false;
}

/// Where the file is under this root; nullopt (and a note) when the index does not list it.
std::optional<std::string> Downloader::find_url(Job& job, const std::string& root) {
  if (!job.file.path.empty()) return root + "/" + url_path(job.file.path);
  RetryAllowance allowance = new_allowance();
  while (true) {
    check_cancelled();
    try {
      const auto page = read_index_page(*client_, root, job.file.project);
      const auto note = [&](const std::string& what) {
        job.absences.push_back(what + " by the index at '" + displayable_url(root) + "'");
      };
      if (!page) {
        note("project '" + printable(job.file.project) + "' is not known");
        return std::nullopt;
      }
      const auto found = std::find_if(page->begin(), page->end(), [&](const IndexFile& entry) {
        return entry.file == job.file.name;
      });
      if (found == page->end()) {
        note("not listed");
        return std::nullopt;
      }
      if (!found->sha256.empty() && found->sha256 != job.file.digest.hex()) {
        note("listed with sha256 " + found->sha256);
        return std::nullopt;
      }
      return found->url;
    } catch (const NetworkError& error) {
      pause_or_rethrow(job, error, allowance);
    }
  }
}

/// True: taken into the store. False: the bytes differ. Throws the NetworkError that ends the
/// tries.
bool Downloader::try_url(Job& job, const std::string& url) {
  RetryAllowance allowance = new_allowance();
  job.part.set_source(displayable_url(url));
  job.ask_range = true;
  // A transfer that goes on in small steps is alive, one that repeats its first kilobytes is not.
  const std::uint64_t step = std::min<std::uint64_t>(64 << 10, job.file.size / 20 + 1);
  for (int mismatches = 0; mismatches < kMismatchesPerSource;) {
    check_cancelled();
    try {
      try_once(job, url);
      job.task.finish();
      return true;
    } catch (const Mismatch& mismatch) {
      job.mismatch = mismatch;
      job.part.restart();
      ++mismatches;
    } catch (const NetworkError& error) {
      if (job.part.size() >= job.farthest + step) allowance.note_progress();
      job.farthest = std::max(job.farthest, job.part.size());
      pause_or_rethrow(job, error, allowance);
    }
  }
  return false;
}

void Downloader::try_once(Job& job, const std::string& url) {
  PartFile& part = job.part;
  if (part.is_complete()) return part.take();  // all was there, only the end was not seen
  if (!job.ask_range) part.restart();
  const std::string address = displayable_url(url);
  HttpRequest request;
  request.url = url;
  request.range_from = part.size();
  request.if_range = request.range_from > 0 ? part.validator_of(address) : "";

  const auto on_headers = [&](const HttpResponse& response) {
    if (response.status == 206) {
      const auto range = parse_content_range(header(response, "content-range"));
      if (!range || range->first != part.size()) {
        job.ask_range = false;
        throw range_refused(url);
      }
      if (range->whole && *range->whole != job.file.size) {
        throw Mismatch{with_commas(job.file.size) + " bytes", with_commas(*range->whole) + " bytes",
                       0, address};
      }
    } else if (response.status == 200) {
      if (part.size() > 0) part.restart();  // no ranges here, or the file has changed
      const auto length = parse_decimal(header(response, "content-length"));
      if (length && *length != job.file.size) {
        throw Mismatch{with_commas(job.file.size) + " bytes", with_commas(*length) + " bytes", 0,
                       address};
      }
      const std::string etag = header(response, "etag");
      part.set_origin(address, etag.starts_with('"') ? etag : "");
    }
  };
  /// Looks whether to stop before it passes bytes on.
  class StoppableSink final : public Sink {
   public:
    StoppableSink(const Downloader& downloader, PartFile& part)
        : downloader_(downloader), part_(part) {}
    void write(ByteView bytes) override {
      downloader_.check_cancelled();
      part_.write(bytes);
    }

   private:
    const Downloader& downloader_;
    PartFile& part_;
  };
  StoppableSink sink(*this, part);
  const HttpResponse response = client_->get(request, sink, on_headers);
  if (response.status == 416) {
    job.ask_range = false;
    throw range_refused(url);
  }
  require_success(response, url);
  if (!part.is_complete()) {
    throw NetworkError(
        ErrorText{.message = "cannot fetch '" + address + "': the answer ended after " +
                             with_commas(part.size()) + " of " + with_commas(job.file.size) +
                             " bytes"},
        true);
  }
  part.take();
}

/// Called in a catch block, for `error`.
void Downloader::pause_or_rethrow(Job& job, const NetworkError& error, RetryAllowance& allowance) {
  const std::optional<double> seconds = allowance.pause_after(error);
  if (!seconds) throw;
  const std::string shown = with_commas(static_cast<std::uint64_t>(std::ceil(*seconds)));
  context_.progress.log(printable(job.file.name) + ": " + error.what() + "; trying again within " +
                        shown + " s");
  if (context_.options.pause) return context_.options.pause(*seconds);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(*seconds);
  while (std::chrono::steady_clock::now() < end) {
    check_cancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace img
