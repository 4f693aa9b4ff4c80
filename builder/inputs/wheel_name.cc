// SPDX-License-Identifier: Apache-2.0
// Wheel file names, distribution names and the tags of one CPython on one platform.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace img {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }

InputError bad_name(std::string_view file, const std::string& rule) {
  return InputError("'" + printable(file) + "' is no wheel file name: " + rule);
}

bool only(std::string_view text, std::string_view punctuation) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || punctuation.find(c) != std::string_view::npos;
  });
}

/// "cp311.cp312" names two tags.
std::vector<std::string> parse_tags(std::string_view file, std::string_view text) {
  if (!only(text, "_.")) throw bad_name(file, "'" + printable(text) + "' is no compatibility tag");
  auto tags = split(text, '.');
  for (std::string& tag : tags) {
    if (tag.empty()) throw bad_name(file, "'" + printable(text) + "' is no compatibility tag");
    tag = to_lower_ascii(tag);
  }
  return tags;
}

/// A cursor over a lower-case version text.
class VersionReader {
 public:
  explicit VersionReader(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool take_separator() {
    if (rest_.empty() || !is_separator(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Digits without leading zeros, nullopt when there are none.
  std::optional<std::string> number() {
    std::size_t size = 0;
    while (size < rest_.size() && is_digit(rest_[size])) ++size;
    if (size == 0) return std::nullopt;
    std::string_view digits = rest_.substr(0, size);
    rest_.remove_prefix(size);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    return std::string(digits);
  }

 private:
  std::string_view rest_;
};

struct Spelling {
  std::string_view written;
  std::string_view normal;
};
// Longer spellings first.
constexpr std::array<Spelling, 8> kPreReleases{{{"alpha", "a"},
                                                {"beta", "b"},
                                                {"preview", "rc"},
                                                {"pre", "rc"},
                                                {"rc", "rc"},
                                                {"a", "a"},
                                                {"b", "b"},
                                                {"c", "rc"}}};
constexpr std::array<Spelling, 3> kPostReleases{{{"post", "post"}, {"rev", "post"}, {"r", "post"}}};
constexpr std::array<Spelling, 1> kDevReleases{{{"dev", "dev"}}};

/// "[-_.]word[-_.]N", appended in normal form; leaves the reader alone when it is not there.
template <std::size_t N>
bool take_phase(VersionReader& reader, const std::array<Spelling, N>& spellings, std::string& out) {
  VersionReader attempt = reader;
  attempt.take_separator();
  for (const Spelling& spelling : spellings) {
    if (!attempt.take(spelling.written)) continue;
    VersionReader with_number = attempt;
    with_number.take_separator();
    std::string number = "0";
    if (auto digits = with_number.number()) {
      number = *digits;
      attempt = with_number;
    }
    out += "." + std::string(spelling.normal) + number;
    reader = attempt;
    return true;
  }
  return false;
}

/// "1!2.0.0": epoch and release, trailing zeros taken off.
bool take_release(VersionReader& reader, std::string& out) {
  auto number = reader.number();
  if (!number) return false;
  std::string epoch = "0";
  if (reader.take("!")) {
    epoch = *number;
    number = reader.number();
    if (!number) return false;
  }
  std::vector<std::string> parts{*number};
  while (true) {
    VersionReader attempt = reader;
    if (!attempt.take(".")) break;
    const auto next = attempt.number();
    if (!next) break;
    parts.push_back(*next);
    reader = attempt;
  }
  while (parts.size() > 1 && parts.back() == "0") parts.pop_back();
  out += (epoch == "0" ? "" : epoch + "!") + join(parts, ".");
  return true;
}

bool take_post(VersionReader& reader, std::string& out) {
  if (take_phase(reader, kPostReleases, out)) return true;
  VersionReader attempt = reader;
  // "1.0-1" is "1.0.post1"; in a file name the hyphen is an underscore.
  if (!attempt.take("-") && !attempt.take("_")) return false;
  const auto number = attempt.number();
  if (!number) return false;
  out += ".post" + *number;
  reader = attempt;
  return true;
}

bool take_local(VersionReader& reader, std::string& out) {
  if (!reader.take("+")) return true;
  std::string_view rest = reader.rest();
  if (!only(rest, "-_.")) return false;
  out += '+';
  std::size_t start = 0;
  while (start <= rest.size()) {
    std::size_t end = start;
    while (end < rest.size() && !is_separator(rest[end])) ++end;
    VersionReader part(rest.substr(start, end - start));
    if (part.done()) return false;
    VersionReader whole = part;
    const auto number = part.number();
    out += (start > 0 ? "." : "");
    out += number && part.done() ? *number : std::string(whole.rest());
    start = end + 1;
  }
  reader.take(rest);
  return true;
}

}  // namespace

std::string normalize_distribution(std::string_view name) {
  std::string normal;
  for (const char c : name) {
    if (!is_separator(c)) {
      normal += c;
    } else if (normal.empty() || normal.back() != '-') {
      normal += '-';
    }
  }
  return to_lower_ascii(normal);
}

std::string normalize_version(std::string_view version) {
  const std::string lower = to_lower_ascii(trim(version));
  VersionReader reader(lower);
  std::string normal;
  reader.take("v");
  if (!take_release(reader, normal)) return lower;
  take_phase(reader, kPreReleases, normal);
  take_post(reader, normal);
  take_phase(reader, kDevReleases, normal);
  if (!take_local(reader, normal) || !reader.done()) return lower;
  return normal;
}

WheelFileName parse_wheel_file_name(std::string_view file) {
  if (!file.ends_with(".whl")) throw bad_name(file, "it does not end with '.whl'");
  const auto parts = split(file.substr(0, file.size() - 4), '-');
  if (parts.size() != 5 && parts.size() != 6)
    throw bad_name(file,
                   "expected 5 or 6 parts between hyphens, got " + std::to_string(parts.size()));
  WheelFileName name;
  name.file = file;
  name.distribution = parts[0];
  name.version = parts[1];
  if (!only(name.distribution, "_.") || normalize_distribution(name.distribution) == "-")
    throw bad_name(file, "'" + printable(parts[0]) + "' is no distribution name");
  if (!only(name.version, "_.+!") || !is_alnum(name.version.front()))
    throw bad_name(file, "'" + printable(parts[1]) + "' is no version");
  if (parts.size() == 6) {
    name.build = parts[2];
    if (!only(name.build, "_.") || !is_digit(name.build.front()))
      throw bad_name(file, "'" + printable(parts[2]) + "' is no build tag: it starts with a digit");
  }
  name.python_tags = parse_tags(file, parts[parts.size() - 3]);
  name.abi_tags = parse_tags(file, parts[parts.size() - 2]);
  name.platform_tags = parse_tags(file, parts[parts.size() - 1]);
  return name;
}

namespace {

/// Platform tags of a glibc Linux, most preferred first (PEP 600 and the older names for three of
/// them).
std::vector<std::string> linux_platforms(int glibc_major, int glibc_minor,
                                         const std::string& machine) {
  std::vector<std::string> tags;
  const bool old_machine = machine == "x86_64" || machine == "i686";
  const int oldest = old_machine ? 5 : 17;
  // Every glibc so far is a 2.x.
  for (int minor = glibc_major == 2 ? glibc_minor : -1; minor >= oldest; --minor) {
    tags.push_back("manylinux_2_" + std::to_string(minor) + "_" + machine);
    if (minor == 17) tags.push_back("manylinux2014_" + machine);
    if (minor == 12 && old_machine) tags.push_back("manylinux2010_" + machine);
    if (minor == 5 && old_machine) tags.push_back("manylinux1_" + machine);
  }
  tags.push_back("linux_" + machine);
  return tags;
}

struct PythonVersion {
  int major = 0;
  int minor = 0;
};

PythonVersion parse_python(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() == 2) {
    const auto major = parse_decimal(parts[0]), minor = parse_decimal(parts[1]);
    if (major && minor && *major == 3 && *minor >= 8 && *minor < 1000)
      return {static_cast<int>(*major), static_cast<int>(*minor)};
  }
  throw InputError(
      ErrorText{"'" + printable(text) + "' is no Python version that wheels can be chosen for",
                {{"expected", "3.8 or newer, e.g. 3.11"}}});
}

}  // namespace

TagRanking::TagRanking(std::string_view python, int glibc_major, int glibc_minor,
                       std::string_view machine) {
  const PythonVersion version = parse_python(python);
  const auto platforms = linux_platforms(glibc_major, glibc_minor, std::string(machine));
  const auto add = [&](const std::string& tag) {
    ranks_.emplace(tag, static_cast<int>(ranks_.size()));
  };
  const auto add_all = [&](const std::string& python_and_abi) {
    for (const std::string& platform : platforms) add(python_and_abi + "-" + platform);
  };
  const auto nodot = [&](int minor) {
    return std::to_string(version.major) + std::to_string(minor);
  };
  // The order of PEP 425 as every installer has it: exact, stable ABI, no ABI, older stable ABIs,
  // pure.
  const std::string cp = "cp" + nodot(version.minor);
  for (const std::string& abi : {cp, std::string("abi3"), std::string("none")})
    add_all(cp + "-" + abi);
  for (int minor = version.minor - 1; minor > 1; --minor) add_all("cp" + nodot(minor) + "-abi3");
  std::vector<std::string> pure{"py" + nodot(version.minor), "py" + std::to_string(version.major)};
  for (int minor = version.minor - 1; minor >= 0; --minor) pure.push_back("py" + nodot(minor));
  for (const std::string& tag : pure) add_all(tag + "-none");
  add(cp + "-none-any");
  for (const std::string& tag : pure) add(tag + "-none-any");
}

std::optional<int> TagRanking::rank(const WheelFileName& name) const {
  std::optional<int> best;
  for (const std::string& python : name.python_tags) {
    for (const std::string& abi : name.abi_tags) {
      for (const std::string& platform : name.platform_tags) {
        const auto found = ranks_.find(python + "-" + abi + "-" + platform);
        if (found != ranks_.end() && (!best || found->second < *best)) best = found->second;
      }
    }
  }
  return best;
}

}  // namespace img
