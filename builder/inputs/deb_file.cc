// SPDX-License-Identifier: Apache-2.0
// The strict ar reader of .deb files (deb(5)).
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/archive_walk.h"
#include "builder/inputs/debian.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::string_view kMagic = "!<arch>\n";
constexpr std::size_t kHeaderSize = 60;
constexpr std::uint64_t kMaxControl = 16ull << 20;

InputError deb_error(const std::string& name, const std::string& rule) {
  return InputError("'" + printable(name) + "' " + rule);
}

std::string read_text(const InputFile& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  file.read_exactly_at(offset, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return text;
}

std::string_view without_spaces(std::string_view field) {
  while (field.ends_with(' ')) field.remove_suffix(1);
  return field;
}

/// Headers of all members, in order, up to exactly the end of the file.
class ArReader {
 public:
  ArReader(const InputFile& file, const std::string& name) : file_(file), name_(name) {}

  std::vector<DebMember> run() {
    if (file_.size() < kMagic.size() || read_text(file_, 0, kMagic.size()) != kMagic)
      throw deb_error(name_, "is no .deb: it does not start as an ar archive");
    std::vector<DebMember> members;
    std::uint64_t offset = kMagic.size();
    while (offset < file_.size()) {
      members.push_back(read_header(offset));
      offset = end_of(members.back());
    }
    return members;
  }

 private:
  DebMember read_header(std::uint64_t offset) const {
    if (file_.size() - offset < kHeaderSize)
      throw deb_error(name_, "has bytes after its last member, or ends within a header");
    const std::string header = read_text(file_, offset, kHeaderSize);
    const std::string_view view = header;
    if (view.substr(58) != "`\n") throw deb_error(name_, "has a malformed member header");
    DebMember member;
    member.name = without_spaces(view.substr(0, 16));
    // "name/" is how GNU ar ends a name; "/" and "//" and "#1/20" start its long names and BSD's.
    if (member.name.ends_with('/') && member.name.size() > 1) member.name.pop_back();
    const bool plain = !member.name.empty() && member.name.find('/') == std::string::npos;
    if (!plain) throw deb_error(name_, "has a member with a long or empty name");
    const auto size = parse_decimal(without_spaces(view.substr(48, 10)));
    if (!size)
      throw deb_error(name_,
                      "has a member '" + printable(member.name) + "' without a decimal size");
    member.offset = offset + kHeaderSize;
    member.size = *size;
    return member;
  }

  std::uint64_t end_of(const DebMember& member) const {
    if (member.size > file_.size() - member.offset)
      throw deb_error(name_, "ends within its member '" + printable(member.name) + "'");
    const std::uint64_t end = member.offset + member.size;
    if (member.size % 2 == 0) return end;
    if (end >= file_.size() || read_text(file_, end, 1) != "\n")
      throw deb_error(name_, "has no padding after its member '" + printable(member.name) + "'");
    return end + 1;
  }

  const InputFile& file_;
  const std::string& name_;
};

struct Suffix {
  std::string_view text;
  ForeignCodec codec;
};
constexpr std::array<Suffix, 6> kSuffixes{{{"", ForeignCodec::none},
                                           {".gz", ForeignCodec::gzip},
                                           {".xz", ForeignCodec::xz},
                                           {".zst", ForeignCodec::zstd},
                                           {".bz2", ForeignCodec::bzip2},
                                           {".lzma", ForeignCodec::lzma}}};

/// How "data.tar.xz" is packed; nullopt when it is no `stem` with a known suffix.
std::optional<ForeignCodec> codec_of(std::string_view name, std::string_view stem) {
  if (!name.starts_with(stem)) return std::nullopt;
  name.remove_prefix(stem.size());
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == name) return suffix.codec;
  }
  return std::nullopt;
}

bool is_control(std::string_view name) {
  const auto codec = codec_of(name, "control.tar");
  return codec && *codec != ForeignCodec::bzip2 && *codec != ForeignCodec::lzma;
}
bool is_data(std::string_view name) { return codec_of(name, "data.tar").has_value(); }

void check_version(const InputFile& file, const DebMember& member, const std::string& name) {
  const std::string text = read_text(file, member.offset, std::min<std::uint64_t>(member.size, 32));
  const bool known = text.starts_with("2.") && text.ends_with('\n') && member.size == text.size() &&
                     parse_decimal(std::string_view(text).substr(2, text.size() - 3)).has_value();
  if (!known)
    throw InputError(ErrorText{"'" + printable(name) + "' is a .deb of an unknown format version",
                               {{"expected", "2.0"}, {"got", std::string(trim(text))}}});
}

void walk_member(const std::shared_ptr<const InputFile>& file, const DebMember& member,
                 std::string_view stem, const std::string& deb, const ArchiveLimits& limits,
                 const std::function<void(const EntryPath&, Entry, Source&)>& visit) {
  const std::string name = deb + ": " + member.name;
  FileSource packed(file, member.offset, member.size);
  const auto plain = open_foreign(packed, name, codec_of(member.name, stem));
  walk_archive(*plain, name, limits, visit);
}

}  // namespace

DebFile DebFile::open(std::shared_ptr<const InputFile> file, std::string name) {
  DebFile deb;
  const auto all = ArReader(*file, name).run();
  if (all.empty() || all.front().name != "debian-binary")
    throw deb_error(name, "is no .deb: its first member is not 'debian-binary'");
  check_version(*file, all.front(), name);
  std::vector<DebMember> members(all.begin() + 1, all.end());
  // Signatures and notes, which dpkg passes over too.
  std::erase_if(members, [](const DebMember& member) { return member.name.starts_with('_'); });
  if (members.size() != 2 || !is_control(members[0].name) || !is_data(members[1].name)) {
    std::vector<std::string> names;
    for (const DebMember& member : all) names.push_back(member.name);
    throw InputError(ErrorText{
        "'" + printable(name) + "' does not have the members of a .deb",
        {{"expected", "debian-binary, control.tar.*, data.tar.*"}, {"got", join(names, ", ")}}});
  }
  deb.control_ = members[0];
  deb.data_ = members[1];
  deb.file_ = std::move(file);
  deb.name_ = std::move(name);
  return deb;
}

DebianStanza DebFile::control() const {
  std::optional<std::string> text;
  const ArchiveLimits limits{.entries = 10'000, .bytes = 256ull << 20};
  walk_member(file_, control_, "control.tar", name_, limits,
              [&](const EntryPath& path, Entry entry, Source& body) {
                if (path.str() == "control" && entry.type == EntryType::file)
                  text = read_all(body, kMaxControl, "'" + name_ + "': control");
              });
  if (!text) throw deb_error(name_, "has no control file");
  const auto stanzas = parse_deb822(*text, name_ + ": control");
  if (stanzas.size() != 1) throw deb_error(name_, "does not have exactly one control stanza");
  for (const char* field : {"Package", "Version", "Architecture"}) {
    if (stanzas[0].find(field).value_or("").empty())
      throw deb_error(name_, "has no " + std::string(field) + " in its control file");
  }
  return stanzas[0];
}

void DebFile::read_data(
    const std::function<void(const EntryPath&, Entry, Source& body)>& visit) const {
  walk_member(file_, data_, "data.tar", name_, {}, visit);
}

}  // namespace img
