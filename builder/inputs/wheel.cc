// SPDX-License-Identifier: Apache-2.0
// Opens a wheel: its structure is checked before any content is read.
#include "builder/inputs/wheel.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel_metadata.h"
#include "builder/inputs/zip_directory.h"

#include <set>

namespace img {
namespace {

using zip::archive_error;
using zip::member_error;

constexpr std::uint32_t kTypeMask = 0170000;
constexpr std::uint32_t kRegular = 0100000;
constexpr std::uint32_t kFolder = 0040000;
constexpr std::string_view kInfoSuffix = ".dist-info";
constexpr std::string_view kDataSuffix = ".data";

std::string_view top_segment(std::string_view name) { return name.substr(0, name.find('/')); }

/// The name without the '/' of a directory.
std::string_view path_of(const ZipMember& member) {
  std::string_view path = member.name;
  if (member.is_directory) path.remove_suffix(1);
  return path;
}

void check_path(const ZipMember& member, const std::string& wheel) {
  if (member.name.front() == '/') throw member_error(wheel, member.name, "has an absolute name");
  if (member.name.find('\\') != std::string::npos)
    throw member_error(wheel, member.name, "has a backslash in its name");
  if (member.name.size() > 1 && member.name[1] == ':')
    throw member_error(wheel, member.name, "has a drive letter in its name");
  if (member.name.size() > 4096) throw member_error(wheel, member.name, "has too long a name");
  for (const std::string& segment : split(path_of(member), '/')) {
    if (segment.empty() || segment == "." || segment == "..")
      throw member_error(
          wheel, member.name,
          "has the segment '" + segment + "' in its name: it could mean another place");
    if (segment.size() > 255) throw member_error(wheel, member.name, "has too long a name");
    if (is_whiteout_name(segment))
      throw member_error(wheel, member.name, "is named like a removal mark of image layers");
  }
}

void check_type(const ZipMember& member, const std::string& wheel) {
  const std::uint32_t type = member.unix_mode & kTypeMask;
  if (type == 0) return;  // several writers leave it out
  if (type == 0120000) throw member_error(wheel, member.name, "is a symbolic link");
  if (type != (member.is_directory ? kFolder : kRegular))
    throw member_error(wheel, member.name, "is neither a regular file nor a folder");
}

/// A file whose name is also the folder of another member.
void check_no_file_is_folder(const ZipFile& zip) {
  std::set<std::string_view> folders;
  for (const ZipMember& member : zip.members()) {
    std::string_view path = member.name;
    for (std::size_t slash = path.rfind('/'); slash != path.npos; slash = path.rfind('/')) {
      path = path.substr(0, slash);
      if (!folders.insert(path).second) break;
    }
  }
  for (const ZipMember& member : zip.members()) {
    if (!member.is_directory && folders.count(member.name))
      throw member_error(zip.name(), member.name, "is a file and the folder of another member");
  }
}

/// "torch-2.8.0.dist-info" → whether both parts are those of the file name.
bool fits(std::string_view folder, std::string_view suffix, const WheelFileName& name) {
  folder.remove_suffix(suffix.size());
  const std::size_t hyphen = folder.find('-');
  return hyphen != folder.npos &&
         normalize_distribution(folder.substr(0, hyphen)) == name.normalized() &&
         normalize_version(folder.substr(hyphen + 1)) == normalize_version(name.version);
}

void check_data_member(const ZipMember& member, const std::string& wheel) {
  static const std::set<std::string, std::less<>> kSchemes{"purelib", "platlib", "headers",
                                                           "scripts", "data"};
  const auto parts = split(path_of(member), '/');
  if (parts.size() < 2) return;  // the folder itself
  if (!kSchemes.count(parts[1]))
    throw member_error(wheel, member.name,
                       "is in the unknown .data scheme '" + printable(parts[1]) +
                           "'; known are data, headers, platlib, purelib and scripts");
  if (parts.size() == 2 && !member.is_directory)
    throw member_error(wheel, member.name, "is a file where a .data scheme is expected");
}

bool is_true(std::string_view value) { return to_lower_ascii(value) == "true"; }

}  // namespace

Wheel Wheel::open(std::shared_ptr<const InputFile> file, const std::string& file_name) {
  const WheelFileName parsed = parse_wheel_file_name(file_name);
  Wheel wheel(ZipFile::open(std::move(file), file_name));
  wheel.file_name_ = parsed;
  wheel.check_members();
  wheel.check_metadata();
  return wheel;
}

void Wheel::check_members() {
  std::set<std::string, std::less<>> info_folders, data_folders;
  for (const ZipMember& member : zip_.members()) {
    check_path(member, zip_.name());
    check_type(member, zip_.name());
    const std::string_view top = top_segment(member.name);
    if (top.ends_with(kInfoSuffix)) info_folders.emplace(top);
    if (top.ends_with(kDataSuffix) && top.size() < member.name.size()) data_folders.emplace(top);
  }
  check_no_file_is_folder(zip_);
  if (info_folders.empty()) throw archive_error(zip_.name(), "has no .dist-info folder");
  // Folders of that name deeper down belong to vendored packages.
  if (info_folders.size() > 1)
    throw archive_error(
        zip_.name(), "has more than one .dist-info folder",
        {{"got", *info_folders.begin()}, {"and", *std::next(info_folders.begin())}});
  dist_info_ = *info_folders.begin();
  if (!fits(dist_info_, kInfoSuffix, file_name_))
    throw archive_error(zip_.name(), "has a .dist-info folder of another distribution or version",
                        {{"expected", file_name_.distribution + "-" + file_name_.version +
                                          std::string(kInfoSuffix)},
                         {"got", dist_info_}});
  // Installers differ on other .data folders: some install their contents elsewhere, some do not.
  for (const std::string& folder : data_folders) {
    if (!fits(folder, kDataSuffix, file_name_) || data_folders.size() > 1)
      throw archive_error(zip_.name(), "has a .data folder that is not its own", {{"got", folder}});
    data_folder_ = folder;
  }
  for (const ZipMember& member : zip_.members()) {
    if (!data_folder_.empty() && top_segment(member.name) == data_folder_)
      check_data_member(member, zip_.name());
  }
}

void Wheel::check_metadata() {
  const auto require = [&](const char* file) {
    auto text = read(dist_info_ + "/" + file);
    if (!text) throw archive_error(zip_.name(), "has no '" + dist_info_ + "/" + file + "'");
    return *text;
  };
  std::string wheel_version, root_is_purelib;
  for (const HeaderField& field : parse_header_fields(require("WHEEL"))) {
    if (field.name == "wheel-version" && wheel_version.empty()) wheel_version = field.value;
    if (field.name == "root-is-purelib" && root_is_purelib.empty()) root_is_purelib = field.value;
  }
  root_is_purelib_ = is_true(root_is_purelib);
  const auto major = parse_decimal(wheel_version.substr(0, wheel_version.find('.')));
  if (!major || *major > 1)
    throw archive_error(zip_.name(), "has a WHEEL file of an unknown version",
                        {{"expected", "Wheel-Version: 1.0"},
                         {"got", wheel_version.empty() ? "none" : wheel_version}});
  metadata_ = parse_wheel_metadata(require("METADATA"), zip_.name());
  if (normalize_distribution(metadata_.name) != file_name_.normalized() ||
      normalize_version(metadata_.version) != normalize_version(file_name_.version))
    throw archive_error(zip_.name(), "has the METADATA of another distribution or version",
                        {{"expected", file_name_.distribution + " " + file_name_.version},
                         {"got", metadata_.name + " " + metadata_.version}});
  record_ = parse_record(require("RECORD"), zip_.name());
}

std::vector<ConsoleScript> Wheel::scripts() const {
  const auto text = read(dist_info_ + "/entry_points.txt");
  return text ? parse_console_scripts(*text, zip_.name()) : std::vector<ConsoleScript>{};
}

std::optional<std::string> Wheel::read(std::string_view member, std::uint64_t limit) const {
  const ZipMember* found = zip_.find(member);
  if (!found || found->is_directory) return std::nullopt;
  return zip_.read(*found, limit);
}

}  // namespace img
