// SPDX-License-Identifier: Apache-2.0
// Section headers of one ELF file, each bound checked against the file's size.
#include "validators/probes/compat_note.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr std::size_t kLongest = 64 << 10;

class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (descriptor_ >= 0 && ::fstat(descriptor_, &status) == 0) {
      size_ = static_cast<std::uint64_t>(status.st_size);
    }
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool read(std::uint64_t offset, void* to, std::uint64_t bytes) const {
    if (offset > size_ || bytes > size_ - offset) return false;
    return ::pread(descriptor_, to, bytes, static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(bytes);
  }

 private:
  int descriptor_;
  std::uint64_t size_ = 0;
};

std::vector<Elf64_Shdr> sections_of(const File& file, const Elf64_Ehdr& header) {
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  const bool right = header.e_shentsize == sizeof(Elf64_Shdr) && header.e_shnum > 0;
  if (!right || !file.read(header.e_shoff, sections.data(), sections.size() * sizeof(Elf64_Shdr))) {
    return {};
  }
  return sections;
}

/// A note is three lengths and a type, a name padded to four bytes, and its content.
std::string content_of(const std::string& note) {
  Elf64_Nhdr header{};
  if (note.size() < sizeof(header)) return {};
  std::memcpy(&header, note.data(), sizeof(header));
  const std::size_t start = sizeof(header) + ((std::size_t{header.n_namesz} + 3) & ~std::size_t{3});
  if (start > note.size() || header.n_descsz > note.size() - start) return {};
  std::string text = note.substr(start, header.n_descsz);
  return text.substr(0, text.find('\0'));
}

}  // namespace

std::string compat_note_of(const std::string& path) {
  const File file(path);
  Elf64_Ehdr header{};
  if (!file.read(0, &header, sizeof(header)) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64) {
    return {};
  }
  const std::vector<Elf64_Shdr> sections = sections_of(file, header);
  if (header.e_shstrndx >= sections.size()) return {};
  const Elf64_Shdr& names = sections[header.e_shstrndx];
  constexpr std::string_view kName = ".note.cuda.fwd_compatibility";
  for (const Elf64_Shdr& section : sections) {
    std::string name(kName.size() + 1, 'x');
    if (!file.read(names.sh_offset + section.sh_name, name.data(), name.size())) continue;
    if (name != std::string(kName) + '\0' || section.sh_size > kLongest) continue;
    std::string note(section.sh_size, '\0');
    if (file.read(section.sh_offset, note.data(), note.size())) return content_of(note);
  }
  return {};
}

}  // namespace probe
