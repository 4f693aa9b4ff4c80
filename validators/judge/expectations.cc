// SPDX-License-Identifier: Apache-2.0
// The JSON form of expectations, written for a probe's container and read back strictly.
#include "validators/judge/expectations.h"

#include "builder/base/error.h"

#include <cmath>

namespace img {
namespace {

constexpr std::uint64_t kExpectationsVersion = 1;

Json packages_json(const std::vector<ExpectedPackage>& packages) {
  Json list = Json::array();
  for (const ExpectedPackage& package : packages) {
    list.push_back({{"name", package.name}, {"version", package.version}});
  }
  return list;
}

Json libraries_json(const std::vector<ExpectedLibrary>& libraries) {
  Json list = Json::array();
  for (const ExpectedLibrary& library : libraries) {
    list.push_back({{"soname", library.soname}, {"path", library.path}});
  }
  return list;
}

/// Reads the members of a document that the plain reader has no accessor for.
class Members {
 public:
  Members(JsonReader& reader, std::string document)
      : reader_(reader), document_(std::move(document)) {}

  std::map<std::string, std::string> string_map(const char* key) {
    std::map<std::string, std::string> values;
    const Json* const member = reader_.find(key);
    if (member == nullptr || member->is_null()) return values;
    JsonReader object(*member, document_, reader_.path_of(key));
    for (const auto& [name, unused] : member->items()) values[name] = object.string(name.c_str());
    return values;
  }

  std::optional<std::uint64_t> bytes(const char* key) {
    if (is_absent(key)) return std::nullopt;
    return reader_.unsigned_integer(key);
  }

  std::optional<double> number(const char* key, const std::string& unit) {
    if (is_absent(key)) return std::nullopt;
    const Json& member = *reader_.find(key);
    if (!member.is_number() || !std::isfinite(member.get<double>()) || member.get<double>() < 0) {
      reader_.fail(key, "expected a number of " + unit + " >= 0, found " + canonical_json(member));
    }
    return member.get<double>();
  }

  bool boolean(const char* key) { return !is_absent(key) && reader_.boolean(key); }

  /// Calls `read(JsonReader&)` for each object of a list; no list at all is an empty one.
  template <typename Read>
  void each(const char* key, Read&& read) {
    if (is_absent(key)) return;
    std::size_t index = 0;
    for (const Json& item : reader_.array(key)) {
      JsonReader object(item, document_,
                        reader_.path_of(key) + "[" + std::to_string(index++) + "]");
      read(object);
      object.finish();
    }
  }

 private:
  bool is_absent(const char* key) {
    const Json* const member = reader_.find(key);
    return member == nullptr || member->is_null();
  }

  JsonReader& reader_;
  std::string document_;
};

/// An absolute path or nothing: these become arguments of programs and names of files to open.
std::string path_or_empty(JsonReader& reader, const char* key) {
  std::string path = reader.string_or(key, "");
  if (path.empty()) return path;
  if (path.front() != '/') {
    reader.fail(key, "expected an absolute path, found '" + path + "'");
  }
  if (path.find('\0') != std::string::npos) reader.fail(key, "holds a NUL byte");
  return path;
}

void require_backend(JsonReader& reader, const char* key, const std::string& backend) {
  for (const char* const known : {"math", "flash", "efficient", "cudnn"}) {
    if (backend == known) return;
  }
  reader.fail(key, "expected math, flash, efficient or cudnn, found '" + backend + "'");
}

void require_version(JsonReader& reader) {
  const std::uint64_t version = reader.unsigned_integer("expectationsVersion");
  if (version != kExpectationsVersion) {
    reader.fail("expectationsVersion", "expected " + std::to_string(kExpectationsVersion) +
                                           ", found " + std::to_string(version));
  }
}

}  // namespace

Json to_json(const Expectations& expectations) {
  Json json = {{"expectationsVersion", kExpectationsVersion},
               {"manifestName", expectations.manifest_name},
               {"manifestChecksum", expectations.manifest_checksum},
               {"versions", expectations.versions},
               {"gpus", expectations.gpus},
               {"driver", expectations.driver},
               {"attentionBackends", expectations.attention_backends},
               {"attentionDefault", expectations.attention_default},
               {"packages", packages_json(expectations.packages)},
               {"python", expectations.python},
               {"compile", expectations.compile},
               {"torchFolder", expectations.torch_folder},
               {"torchVersion", expectations.torch_version},
               {"torchCuda", expectations.torch_cuda},
               {"libraries", libraries_json(expectations.libraries)},
               {"libraryVersions", expectations.library_versions}};
  if (expectations.size_compressed) json["sizeCompressed"] = *expectations.size_compressed;
  if (expectations.size_unpacked) json["sizeUnpacked"] = *expectations.size_unpacked;
  if (expectations.import_torch_seconds) {
    json["importTorchSeconds"] = *expectations.import_torch_seconds;
  }
  if (expectations.gpu_memory) json["gpuMemory"] = *expectations.gpu_memory;
  if (expectations.cold_gpu_seconds) json["coldGpuSeconds"] = *expectations.cold_gpu_seconds;
  if (expectations.all_reduce_gigabytes) {
    json["allReduceGigabytes"] = *expectations.all_reduce_gigabytes;
  }
  return json;
}

Expectations parse_expectations(std::string_view text, const std::string& document) {
  const Json json = parse_json(text, document, {.bytes = 8ull << 20, .depth = 8});
  JsonReader reader(json, document, "");
  Members members(reader, document);
  require_version(reader);

  Expectations expectations;
  expectations.manifest_name = reader.string_or("manifestName", "");
  expectations.manifest_checksum = reader.string_or("manifestChecksum", "");
  expectations.versions = members.string_map("versions");
  expectations.size_compressed = members.bytes("sizeCompressed");
  expectations.size_unpacked = members.bytes("sizeUnpacked");
  expectations.import_torch_seconds = members.number("importTorchSeconds", "seconds");
  expectations.gpus = reader.string_list("gpus");
  expectations.driver = reader.string_or("driver", "");
  expectations.gpu_memory = members.bytes("gpuMemory");
  expectations.cold_gpu_seconds = members.number("coldGpuSeconds", "seconds");
  expectations.all_reduce_gigabytes = members.number("allReduceGigabytes", "GB/s");
  expectations.attention_backends = reader.string_list("attentionBackends");
  for (const std::string& backend : expectations.attention_backends) {
    require_backend(reader, "attentionBackends", backend);
  }
  expectations.attention_default = reader.string_or("attentionDefault", "");
  if (!expectations.attention_default.empty()) {
    require_backend(reader, "attentionDefault", expectations.attention_default);
  }
  members.each("packages", [&](JsonReader& package) {
    std::string name = package.string("name");
    expectations.packages.push_back({std::move(name), package.string("version")});
  });
  expectations.python = path_or_empty(reader, "python");
  expectations.compile = members.boolean("compile");
  expectations.torch_folder = path_or_empty(reader, "torchFolder");
  expectations.torch_version = reader.string_or("torchVersion", "");
  expectations.torch_cuda = reader.string_or("torchCuda", "");
  members.each("libraries", [&](JsonReader& library) {
    std::string soname = library.string("soname");
    expectations.libraries.push_back({std::move(soname), path_or_empty(library, "path")});
  });
  expectations.library_versions = members.string_map("libraryVersions");
  reader.finish();
  return expectations;
}

}  // namespace img
