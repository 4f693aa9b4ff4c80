// SPDX-License-Identifier: Apache-2.0
// The lock: every remote input of a build by hash, and its JSON form.
#pragma once

#include "builder/base/file.h"
#include "builder/manifest/build_manifest.h"
#include "builder/oci/digest.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace img {

inline constexpr int kLockVersion = 1;

struct LockedWheel {
  std::string name;  ///< normalised distribution
  std::string version;
  std::string file;  ///< file name
  std::uint64_t size = 0;
  Digest sha256;
  std::uint64_t unpacked_size = 0;
  std::string index;     ///< name, never an address
  std::string uploaded;  ///< RFC 3339; empty when the index does not say
  std::string layer;     ///< recipe it lives in
};

struct LockedRelease {  ///< one signed InRelease that packages come from
  std::string suite;    ///< "bookworm-security"
  std::string codename, origin, label, date,
      valid_until;                     ///< valid_until empty: the suite has none
  Digest sha256;                       ///< of the InRelease bytes
  std::vector<std::string> signed_by;  ///< primary fingerprints, of the pinned ones, that signed it
};

struct LockedDeb {
  std::string package, version, architecture;
  std::string path;     ///< relative to the archive's root, "pool/main/…"
  std::string archive;  ///< "debian" or "debian-security": which archive root
  std::string suite;    ///< LockedRelease it came from
  std::uint64_t size = 0;
  Digest sha256;
  std::string layer;
};

struct LockedBase {  ///< kind oci
  std::string layer;
  Digest manifest;
};

struct LockFile {
  std::string manifest_name;      ///< "pytorch-cuda:2.8.0-cu128-py311", for people
  std::string manifest_checksum;  ///< BuildManifest::checksum() it was made for
  int output_version = 0;
  std::string output_format;           ///< output_format() it was made with
  std::string created;                 ///< the image's date
  std::string python, wheel_platform;  ///< "3.11", "manylinux_2_36_x86_64"; empty without wheels
  std::map<std::string, std::string>
      verified;  ///< promise → what the artifacts say, e.g. torch "2.8.0+cu128"
  std::vector<LockedWheel> wheels;      ///< sorted by name
  std::vector<LockedRelease> releases;  ///< sorted by suite
  std::vector<LockedDeb> debs;          ///< sorted by layer order, package
  std::vector<LockedBase> bases;
  std::optional<Digest> bundle;  ///< of the validator bundle; only with `selftest: true`
};

std::string format_lock(
    const LockFile& lock);  ///< pretty JSON, "lockVersion" first among equals (sorted keys)
/// InputError (exit 2) for anything malformed, unknown lockVersion ("made by a newer imgbuild"),
/// unsafe names or paths, duplicates.
LockFile parse_lock(std::string_view text, const std::string& name);

/// "manifests/x.yaml" → "manifests/x.lock.json"
fs::path lock_path_of(const fs::path& manifest_file);

/// Empty when the lock fits the manifest and this program; else the reasons, one sentence each
/// (checksum, output version, promised versions, recipes without entries).
std::vector<std::string> staleness(const LockFile& lock, const BuildManifest& manifest);
/// Throws ManifestError "lock '…' is stale" with the reasons and hint "run 'imgbuild lock …'".
void require_fresh(const LockFile& lock, const BuildManifest& manifest, const fs::path& lock_file);

}  // namespace img
