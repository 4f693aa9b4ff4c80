// SPDX-License-Identifier: Apache-2.0
// Wheels (PyPA binary distribution format): names, metadata, RECORD, verification.
#pragma once

#include "builder/base/hash.h"
#include "builder/base/json.h"
#include "builder/inputs/zip_reader.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// PEP 503 normal form: lower case, runs of "-_." become "-".
std::string normalize_distribution(std::string_view name);

/// PEP 440 form in which equal versions are equal texts ("1.0-1" and "1.0.0.post1"); lower case of
/// the text when it is no such version.
std::string normalize_version(std::string_view version);

/// "{distribution}-{version}[-{build}]-{python}-{abi}-{platform}.whl"
struct WheelFileName {
  std::string file;          ///< whole name
  std::string distribution;  ///< as written
  std::string version;
  std::string build;  ///< empty: none
  std::vector<std::string> python_tags, abi_tags, platform_tags;
  std::string normalized() const { return normalize_distribution(distribution); }
};
/// InputError for anything else.
WheelFileName parse_wheel_file_name(std::string_view file);

/// Supported tags of one CPython on one platform, most preferred first (PEP 425, PEP 600).
/// E.g. python "3.11", glibc 2.36, "x86_64".
class TagRanking {
 public:
  TagRanking(std::string_view python, int glibc_major, int glibc_minor, std::string_view machine);
  /// Rank of the wheel's best tag (lower is better); nullopt: not installable there.
  std::optional<int> rank(const WheelFileName& name) const;

 private:
  std::map<std::string, int> ranks_;
};

/// One row of RECORD.
struct RecordRow {
  std::string path;
  std::optional<Sha256Value> sha256;  ///< none: no hash (RECORD itself, .pyc), or a stronger one
  std::optional<std::uint64_t> size;
  std::string strong_hash = {};  ///< "sha384=…" or "sha512=…", as the row has it
};
/// CSV with quoting and either line ending. Kept as written but for a leading "./", which is taken
/// off. Blank lines and equal rows are passed over; md5, sha1, unknown algorithms, malformed rows
/// and two different rows for one path are InputErrors. `name` names the wheel.
std::vector<RecordRow> parse_record(std::string_view text, const std::string& name);
/// One "path,hash,size" line a row, quoted where CSV needs it, ending in '\n'.
std::string format_record(const std::vector<RecordRow>& rows);

/// What METADATA says (RFC 822 headers).
struct WheelMetadata {
  std::string name, version, requires_python, summary, license;
  std::vector<std::string> requires_dist;
};
/// `name` names the wheel. InputError without Name or Version, or when the text is not UTF-8.
WheelMetadata parse_wheel_metadata(std::string_view text, const std::string& name);

struct ConsoleScript {
  std::string name, module, attribute;  ///< name = module:attribute
  bool gui = false;
};

/// The console and gui scripts of an entry_points.txt, sorted by name; a later one replaces an
/// earlier one of that name. InputError for what cannot become a script: no ":attribute", a name
/// that is no plain file name, a name of the interpreter itself.
std::vector<ConsoleScript> parse_console_scripts(std::string_view text, const std::string& name);

/// Result of the one full verification of a wheel, kept by the store under the wheel's sha256.
struct WheelFacts {
  std::uint64_t unpacked_size = 0;
  std::uint64_t files = 0;
  /// Per member (central directory order): bit offset of the last deflate block; nullopt for stored
  /// members and directories.
  std::vector<std::optional<std::uint64_t>> last_block_bits;
};
Json to_json(const WheelFacts& facts);
WheelFacts parse_wheel_facts(const Json& value, const std::string& document);

/// An opened wheel. Structure is checked by open(): one top-level .dist-info that fits the file
/// name (distribution and version, normalised, and so does METADATA), WHEEL with Wheel-Version 1.x
/// (0.x is read too), METADATA, RECORD; safe member names (relative, no "..", backslash, drive;
/// regular files and directories only; no file that is also a folder; names that differ only in
/// case are legal on Linux); a .data folder that is the wheel's own, with known schemes; nothing
/// named ".wh.*".
class Wheel {
 public:
  static Wheel open(std::shared_ptr<const InputFile> file, const std::string& file_name);

  const WheelFileName& file_name() const { return file_name_; }
  const ZipFile& zip() const { return zip_; }
  const std::string& dist_info() const { return dist_info_; }  ///< "torch-2.8.0.dist-info"
  const std::string& data_folder() const {
    return data_folder_;
  }  ///< "sympy-1.14.0.data", empty: none
  const WheelMetadata& metadata() const { return metadata_; }
  const std::vector<RecordRow>& record() const { return record_; }
  bool root_is_purelib() const { return root_is_purelib_; }
  std::vector<ConsoleScript> scripts() const;  ///< of entry_points.txt
  /// Text of a member, nullopt when absent; e.g. read("torch/version.py").
  std::optional<std::string> read(std::string_view member, std::uint64_t limit = 16ull << 20) const;

  /// Inflates and hashes every member: sizes, CRCs, RECORD complete and true (a file without a row,
  /// a row without a file, a wrong hash or size: InputError naming wheel, member and rule; RECORD,
  /// RECORD.jws and RECORD.p7s need none). A row without a hash (pip and uv install such wheels)
  /// says only that the file belongs there. `on_progress` gets plain bytes.
  WheelFacts verify(const std::function<void(std::uint64_t)>& on_progress = nullptr) const;

 private:
  explicit Wheel(ZipFile zip) : zip_(std::move(zip)) {}
  void check_members();
  void check_metadata();
  ZipFile zip_;
  WheelFileName file_name_;
  std::string dist_info_;
  std::string data_folder_;
  WheelMetadata metadata_;
  std::vector<RecordRow> record_;
  bool root_is_purelib_ = true;
};

}  // namespace img
