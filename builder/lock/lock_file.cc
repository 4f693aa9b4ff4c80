// SPDX-License-Identifier: Apache-2.0
// The lock's JSON form: written in one way, read back with every name checked.
#include "builder/lock/lock_file.h"

#include "builder/base/error.h"
#include "builder/base/json.h"
#include "builder/base/text.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace img {
namespace {

std::string hex_of(const Digest& digest) { return std::string(digest.hex()); }

Json to_json(const LockedWheel& wheel) {
  Json value = {{"name", wheel.name},
                {"version", wheel.version},
                {"file", wheel.file},
                {"size", wheel.size},
                {"sha256", hex_of(wheel.sha256)},
                {"unpackedSize", wheel.unpacked_size},
                {"index", wheel.index},
                {"layer", wheel.layer}};
  if (!wheel.uploaded.empty()) value["uploaded"] = wheel.uploaded;
  return value;
}

Json to_json(const LockedRelease& release) {
  Json value = {{"suite", release.suite},       {"codename", release.codename},
                {"origin", release.origin},     {"label", release.label},
                {"date", release.date},         {"sha256", hex_of(release.sha256)},
                {"signedBy", release.signed_by}};
  if (!release.valid_until.empty()) value["validUntil"] = release.valid_until;
  return value;
}

Json to_json(const LockedDeb& deb) {
  return {
      {"package", deb.package}, {"version", deb.version},       {"architecture", deb.architecture},
      {"path", deb.path},       {"archive", deb.archive},       {"suite", deb.suite},
      {"size", deb.size},       {"sha256", hex_of(deb.sha256)}, {"layer", deb.layer}};
}

Json to_json(const LockedBase& base) {
  return {{"layer", base.layer}, {"manifest", base.manifest.str()}};
}

template <typename Entry>
Json list_to_json(const std::vector<Entry>& entries) {
  Json list = Json::array();
  for (const Entry& entry : entries) list.push_back(to_json(entry));
  return list;
}

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Only letters, digits and `others`, not empty, and the first character is a letter or a digit: no
/// such name is hidden, an option, a path or a part of one ('..').
bool is_plain_name(std::string_view text, std::string_view others) {
  if (text.empty() || text.size() > 255 || !is_alnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_alnum(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_distribution(std::string_view text) {
  return is_plain_name(text, "-") && to_lower_ascii(text) == text && text.back() != '-' &&
         text.find("--") == std::string_view::npos;
}

bool is_wheel_file(std::string_view text) {
  return is_plain_name(text, "._+!-") && text.ends_with(".whl");
}

bool is_pool_path(std::string_view text) {
  if (text.size() > 1024 || !text.ends_with(".deb")) return false;
  const std::vector<std::string> parts = split(text, '/');
  return parts.size() > 1 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           return is_plain_name(part, "._+~:%-");
         });
}

bool is_layer(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  return std::all_of(parts.begin(), parts.end(),
                     [](const std::string& part) { return is_plain_name(part, "._+-"); });
}

bool is_fingerprint(std::string_view text) {
  return text.size() >= 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
         });
}

/// One object of the lock: typed fields whose values are checked on the way in.
class LockReader : public JsonReader {
 public:
  using JsonReader::JsonReader;

  template <typename Check>
  std::string checked(const char* key, Check check, const char* what) {
    std::string text = string(key);
    if (!check(text)) fail(key, "'" + printable(text) + "' is not " + what);
    return text;
  }

  std::string version(const char* key) {
    return checked(
        key, [](std::string_view text) { return is_plain_name(text, "._+!~:-"); }, "a version");
  }

  std::string label(const char* key) {
    return checked(
        key, [](std::string_view text) { return is_plain_name(text, "._+-"); }, "a plain name");
  }

  std::string layer(const char* key) { return checked(key, is_layer, "the name of a recipe"); }

  /// Free text of somebody else's (Origin, Label): printable, short.
  std::string free_text(const char* key) {
    return checked(
        key, [](std::string_view text) { return text.size() <= 255 && printable(text) == text; },
        "a short printable text");
  }

  std::string time(const char* key) {
    return checked(
        key, [](std::string_view text) { return parse_rfc3339(text).has_value(); },
        "a time (RFC 3339)");
  }

  std::string time_or_empty(const char* key) { return find(key) == nullptr ? "" : time(key); }

  Digest sha256(const char* key) {
    const std::string text = string(key);
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != 32) {
      fail(key, "'" + printable(text) + "' is not 64 lower-case hex digits");
    }
    return Digest::parse("sha256:" + text);
  }

  Digest digest(const char* key) {
    try {
      return Digest::parse(string(key));
    } catch (const InputError& error) {
      fail(key, error.text().message);
    }
  }

  std::uint64_t size(const char* key) {
    const std::uint64_t value = unsigned_integer(key);
    if (value == 0) fail(key, "a size of 0 is no file");
    return value;
  }
};

LockedWheel read_wheel(LockReader& reader) {
  LockedWheel wheel{.sha256 = reader.sha256("sha256")};
  wheel.name = reader.checked("name", is_distribution, "a normalised distribution name");
  wheel.version = reader.version("version");
  wheel.file = reader.checked("file", is_wheel_file, "the file name of a wheel");
  wheel.size = reader.size("size");
  wheel.unpacked_size = reader.unsigned_integer("unpackedSize");
  wheel.index = reader.label("index");
  wheel.uploaded = reader.time_or_empty("uploaded");
  wheel.layer = reader.layer("layer");
  return wheel;
}

LockedRelease read_release(LockReader& reader) {
  LockedRelease release{.sha256 = reader.sha256("sha256")};
  release.suite = reader.label("suite");
  release.codename = reader.label("codename");
  release.origin = reader.free_text("origin");
  release.label = reader.free_text("label");
  release.date = reader.time("date");
  release.valid_until = reader.time_or_empty("validUntil");
  release.signed_by = reader.string_list("signedBy");
  if (release.signed_by.empty()) reader.fail("signedBy", "nobody signed this release");
  for (const std::string& fingerprint : release.signed_by) {
    if (!is_fingerprint(fingerprint)) {
      reader.fail("signedBy", "'" + printable(fingerprint) + "' is not a key fingerprint");
    }
  }
  return release;
}

LockedDeb read_deb(LockReader& reader) {
  LockedDeb deb{.sha256 = reader.sha256("sha256")};
  deb.package = reader.checked(
      "package", [](std::string_view text) { return is_plain_name(text, ".+-"); },
      "the name of a Debian package");
  deb.version = reader.version("version");
  deb.architecture = reader.label("architecture");
  deb.path = reader.checked("path", is_pool_path, "the path of a .deb below an archive's root");
  deb.archive = reader.label("archive");
  deb.suite = reader.label("suite");
  deb.size = reader.size("size");
  deb.layer = reader.layer("layer");
  return deb;
}

LockedBase read_base(LockReader& reader) {
  LockedBase base{.manifest = reader.digest("manifest")};
  base.layer = reader.layer("layer");
  return base;
}

/// Reads a list of objects; two entries with the same `identity` are an error.
template <typename Entry, typename Read, typename Identity>
std::vector<Entry> read_list(JsonReader& root, const std::string& document, const char* key,
                             Read read, Identity identity) {
  std::vector<Entry> entries;
  std::set<std::string> seen;
  for (const Json& value : root.array(key)) {
    const std::string path = std::string(key) + "[" + std::to_string(entries.size()) + "]";
    LockReader reader(value, document, path);
    entries.push_back(read(reader));
    reader.finish();
    const std::string id = identity(entries.back());
    if (!seen.insert(id).second) {
      throw InputError(document + ": " + path + ": '" + id + "' is there twice");
    }
  }
  return entries;
}

/// What comes from where is configuration; a lock with an address in it was not written by us.
void refuse_addresses(const Json& value, const std::string& document, const std::string& path) {
  if (value.is_string()) {
    if (value.get_ref<const std::string&>().find("://") == std::string::npos) return;
    throw InputError(document + ": " + path + ": a lock holds no addresses, found '" +
                     printable(value.get_ref<const std::string&>()) + "'");
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      refuse_addresses(member, document, path.empty() ? key : path + "." + key);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      refuse_addresses(value[i], document, path + "[" + std::to_string(i) + "]");
    }
  }
}

void require_lock_version(JsonReader& root, const std::string& name) {
  const std::uint64_t version = root.unsigned_integer("lockVersion");
  if (version == kLockVersion) return;
  const bool newer = version > kLockVersion;
  throw InputError(ErrorText{
      .message = "lock '" + name + "' has version " + std::to_string(version) +
                 (newer ? ", made by a newer imgbuild" : ", which no imgbuild ever wrote"),
      .details = {{"expected", std::to_string(kLockVersion), "this program"}},
      .hint = newer ? "update imgbuild, or lock again with this one" : "lock again"});
}

std::map<std::string, std::string> read_verified(const Json& value, const std::string& document) {
  LockReader reader(value, document, "verified");
  std::map<std::string, std::string> verified;
  for (const auto& item : value.items()) {
    verified[item.key()] = reader.version(item.key().c_str());
  }
  return verified;
}

}  // namespace

std::string format_lock(const LockFile& lock) {
  LockFile sorted = lock;
  std::stable_sort(sorted.wheels.begin(), sorted.wheels.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  std::stable_sort(sorted.releases.begin(), sorted.releases.end(),
                   [](const auto& a, const auto& b) { return a.suite < b.suite; });
  Json value = {
      {"lockVersion", kLockVersion},
      {"manifest", {{"name", lock.manifest_name}, {"checksum", lock.manifest_checksum}}},
      {"output", {{"version", lock.output_version}, {"format", lock.output_format}}},
      {"created", lock.created},
      {"python", lock.python},
      {"wheelPlatform", lock.wheel_platform},
      {"verified", lock.verified},
      {"wheels", list_to_json(sorted.wheels)},
      {"releases", list_to_json(sorted.releases)},
      {"debs", list_to_json(sorted.debs)},
      {"bases", list_to_json(sorted.bases)},
  };
  if (lock.bundle) value["bundle"] = lock.bundle->str();
  return pretty_json(value);
}

LockFile parse_lock(std::string_view text, const std::string& name) {
  const Json value = parse_json(text, name);
  LockReader root(value, name, "");
  require_lock_version(root, name);
  refuse_addresses(value, name, "");

  LockFile lock;
  LockReader manifest(root.object("manifest"), name, "manifest");
  lock.manifest_name = manifest.free_text("name");
  lock.manifest_checksum = manifest.digest("checksum").str();
  manifest.finish();

  LockReader output(root.object("output"), name, "output");
  const std::uint64_t version = output.unsigned_integer("version");
  if (version > 1'000'000) output.fail("version", "no output format has that number");
  lock.output_version = static_cast<int>(version);
  lock.output_format = output.free_text("format");
  output.finish();

  lock.created = root.time("created");
  if (!root.string("python").empty()) lock.python = root.version("python");
  if (!root.string("wheelPlatform").empty()) lock.wheel_platform = root.label("wheelPlatform");
  lock.verified = read_verified(root.object("verified"), name);

  lock.wheels = read_list<LockedWheel>(root, name, "wheels", read_wheel,
                                       [](const LockedWheel& wheel) { return wheel.name; });
  lock.releases =
      read_list<LockedRelease>(root, name, "releases", read_release,
                               [](const LockedRelease& release) { return release.suite; });
  lock.debs = read_list<LockedDeb>(root, name, "debs", read_deb, [](const LockedDeb& deb) {
    return deb.package + ":" + deb.architecture;
  });
  lock.bases = read_list<LockedBase>(root, name, "bases", read_base,
                                     [](const LockedBase& base) { return base.layer; });
  if (root.find("bundle") != nullptr) lock.bundle = root.digest("bundle");
  root.finish();

  for (std::size_t i = 1; i < lock.wheels.size(); ++i) {
    if (lock.wheels[i].name < lock.wheels[i - 1].name) {
      throw InputError(name + ": wheels[" + std::to_string(i) + "]: '" + lock.wheels[i].name +
                       "' is out of order, wheels are sorted by name");
    }
  }
  for (std::size_t i = 0; i < lock.debs.size(); ++i) {
    const std::string& suite = lock.debs[i].suite;
    if (std::none_of(lock.releases.begin(), lock.releases.end(),
                     [&](const LockedRelease& release) { return release.suite == suite; })) {
      throw InputError(name + ": debs[" + std::to_string(i) + "].suite: no release '" + suite +
                       "' is in the lock");
    }
  }
  return lock;
}

fs::path lock_path_of(const fs::path& manifest_file) {
  fs::path path = manifest_file;
  const std::string extension = path.extension().string();
  if (extension == ".yaml" || extension == ".yml") {
    path.replace_extension(".lock.json");
  } else {
    path += ".lock.json";
  }
  return path;
}

}  // namespace img
