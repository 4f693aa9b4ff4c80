// SPDX-License-Identifier: Apache-2.0
// A small lock with one entry of each kind, and the manifest it was made for.
#pragma once

#include "builder/layer/layer_format.h"
#include "builder/lock/lock_file.h"

namespace img::test {

inline Digest digest_of(char digit) { return Digest::parse("sha256:" + std::string(64, digit)); }

inline BuildManifest sample_manifest() {
  BuildManifest manifest;
  manifest.file = "images/small.yaml";
  manifest.name = "small";
  manifest.tag = "1";
  manifest.platform = {"linux", "amd64", ""};
  manifest.versions = {{"python", "3.11"}};
  manifest.recipes.push_back({.name = "base/bookworm", .spec = DebianSpec{.essential = true}});
  manifest.recipes.push_back({.name = "numbers", .spec = WheelsSpec{.owns = {"numpy"}}});
  return manifest;
}

inline LockFile sample_lock() {
  LockFile lock;
  lock.manifest_name = "small:1";
  lock.manifest_checksum = sample_manifest().checksum();
  lock.output_version = kOutputVersion;
  lock.output_format = output_format();
  lock.created = "2026-07-11T10:26:28Z";
  lock.python = "3.11";
  lock.wheel_platform = "manylinux_2_36_x86_64";
  lock.verified = {{"python", "3.11.2"}};
  lock.wheels.push_back({.name = "numpy",
                         .version = "2.4.6",
                         .file = "numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl",
                         .size = 16918164,
                         .sha256 = digest_of('a'),
                         .unpacked_size = 60000000,
                         .index = "pypi",
                         .uploaded = "2026-05-18T23:33:29Z",
                         .layer = "numbers"});
  lock.releases.push_back({.suite = "bookworm-security",
                           .codename = "bookworm-security",
                           .origin = "Debian",
                           .label = "Debian-Security",
                           .date = "2026-07-11T10:26:28Z",
                           .valid_until = "2026-07-18T10:26:28Z",
                           .sha256 = digest_of('b'),
                           .signed_by = {std::string(40, 'A')}});
  lock.debs.push_back({.package = "libc6",
                       .version = "1:2.36-9+deb12u14~x",
                       .architecture = "amd64",
                       .path = "pool/main/g/glibc/libc6_2.36-9+deb12u14~x_amd64.deb",
                       .archive = "debian-security",
                       .suite = "bookworm-security",
                       .size = 2757152,
                       .sha256 = digest_of('c'),
                       .layer = "base/bookworm"});
  return lock;
}

}  // namespace img::test
