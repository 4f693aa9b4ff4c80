// SPDX-License-Identifier: Apache-2.0
// A family of images: one short file from which the manifests of its members are written.
#pragma once

#include "builder/base/error.h"
#include "builder/manifest/compatibility.h"

#include <map>
#include <string>
#include <vector>

namespace img {

struct FamilyBase {
  std::string recipe;  ///< "base/debian-bookworm"
  std::string python;  ///< "3.11"
};

struct FamilyMember {
  std::string torch;  ///< "2.8.0"
  std::string base;   ///< key of Family::bases
  Position position;
};

struct Family {
  std::string file;                         ///< as the user named it
  std::string name;                         ///< of all images: "pytorch-cuda"
  std::string folder;                       ///< of the manifests, beside the file
  std::map<std::string, FamilyBase> bases;  ///< "bookworm" → …
  std::map<std::string, std::string> cuda;  ///< "12.8" → recipe of the CUDA libraries
  std::vector<std::string> gpus;            ///< promised where the wheel has code for them
  std::vector<FamilyMember> members;
};

/// ManifestError with position for anything that is not of the form.
Family parse_family(std::string text, const std::string& name);

struct FamilyManifest {
  std::string tag;   ///< "2.8.0-cu128-py311"
  std::string path;  ///< "pytorch/2.8.0-cu128-py311.yaml", from the family file's folder
  std::string text;
};

/// The manifest of one member, from the table's default variant of its torch: a pure function.
/// ManifestError at the member when it is impossible: the table does not have its torch, there is
/// no wheel for its Python, no recipe for its CUDA, or too little is known.
FamilyManifest family_manifest(const Family& family, const FamilyMember& member,
                               const Compatibility& table);

}  // namespace img
