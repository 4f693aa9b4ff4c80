// SPDX-License-Identifier: Apache-2.0
// Lock → verified blobs in the store: parallel, resumable, with bounded retries.
#pragma once

#include "builder/base/http.h"
#include "builder/base/progress.h"
#include "builder/fetch/sources.h"
#include "builder/fetch/store.h"
#include "builder/lock/lock_file.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// One file wanted, whatever it is.
struct WantedFile {
  std::string name;    ///< file name, for people and for indexes
  std::string source;  ///< "pypi", "debian", …
  std::string path;  ///< debs: path under the archive root; wheels: empty (found through the index)
  std::string project;  ///< wheels: normalised distribution
  std::uint64_t size = 0;
  Digest digest;
  bool is_wheel = false;  ///< then it is verified as a wheel (RECORD) once, facts kept in the store
};
std::vector<WantedFile> wanted_files(const LockFile& lock);

struct FetchOptions {
  int jobs = 8;
  int attempts = 5;              ///< per file and source
  double backoff_seconds = 0.5;  ///< first pause; doubles, jittered, capped at 30 s
  /// How a worker waits before it tries again; empty: it sleeps (Ctrl-C ends that). For tests.
  std::function<void(double seconds)> pause = {};
  std::function<std::unique_ptr<HttpClient>()> make_client = make_curl_client;
};

struct FetchResult {
  std::uint64_t files = 0, fetched_files = 0, fetched_bytes = 0;
};

/// After it every wanted file is in the store and every wheel is verified (in the worker that
/// fetched it, while others go on). A file wanted twice is fetched once; with several builders on
/// one store, too: the others fetch something else or wait, and say for which process.
/// Per file, its sources in order: the folders, then the addresses of its source. Every try resumes
/// what is there. 408, 425, 429, 5xx, broken connections and stalls are tried again, `attempts`
/// times in all for each source (a try that brought the file on by a twentieth or 64 kB does not
/// count); Retry-After is honoured up to 60 s. Errors:
///
/// - Files that no source has (404, not listed, offline): all of them in one UnavailableError, when
///   everything else was fetched, hint "imgbuild lock --update …".
/// - Bytes that differ from what is locked, twice from each source: IntegrityError with expected,
///   got, bytes, source. More bytes than the file has end a transfer at once.
/// - No source that answers as it should: the last NetworkError. Downloads under way stop; they are
///   resumed next time.
/// - A wheel that breaks its format: InputError naming wheel, member and rule. The blob stays,
///   since it is what is locked.
/// - Not enough free space for what is missing: SystemError before the first byte.
/// - A read-only store that lacks something: SystemError.
FetchResult fetch_all(const std::vector<WantedFile>& files, const Sources& sources, Store& store,
                      Progress& progress, const FetchOptions& options = {});

/// Verified facts of a wheel in the store (computes and keeps them when missing).
class Wheel;
struct WheelFacts;
WheelFacts wheel_facts(Store& store, const Digest& wheel, const std::string& file_name,
                       const std::function<void(std::uint64_t)>& on_progress = nullptr);

/// Writes every wanted file into `folder` (wheels/<file name>, debs/<path's file name>) plus
/// SHA256SUMS; that folder serves as `--source folder=DIR`. Complete files that are there already
/// are kept. The files are hard links or reflinks of the store's where that is possible.
void export_files(const std::vector<WantedFile>& files, Store& store, const fs::path& folder,
                  Progress& progress);

/// What an index says about one project's files.
struct IndexFile {
  std::string file, url;
  std::string sha256;      ///< empty: the index does not say
  std::uint64_t size = 0;  ///< 0: unknown
  std::string uploaded;    ///< RFC 3339 or empty
  std::string requires_python;
  bool yanked = false;
  /// Whether METADATA lies beside the file as `<url>.metadata` (PEP 658, PEP 714); nullopt: the
  /// index does not say. Mirrors that say nothing often have it all the same.
  std::optional<bool> has_metadata = {};
  std::string metadata_sha256 = {};  ///< of that METADATA; empty: the index does not say
};
/// One try. PEP 691 JSON, else PEP 503 HTML. NetworkError for failures; nullopt for 404.
std::optional<std::vector<IndexFile>> read_index_page(HttpClient& client,
                                                      const std::string& index_root,
                                                      const std::string& project);

}  // namespace img
