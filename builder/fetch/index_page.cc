// SPDX-License-Identifier: Apache-2.0
// Pages of a simple index: PEP 691 JSON, else PEP 503 HTML through libxml2.
#include "builder/base/error.h"
#include "builder/base/json.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"
#include "builder/fetch/http_status.h"
#include "builder/inputs/wheel.h"

#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <mutex>

namespace img {
namespace {

constexpr std::uint64_t kMaxPageBytes = 64ull << 20;

[[noreturn]] void fail_page(const std::string& url, const std::string& problem) {
  throw NetworkError(
      ErrorText{.message = "the index page '" + displayable_url(url) + "' is no use: " + problem},
      false);
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && from_hex(text).has_value();
}

// ---- PEP 691

std::string text_or_empty(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The value of `core-metadata` (PEP 714) or `dist-info-metadata` (PEP 658): false, true, or
/// hashes.
void take_metadata(const Json& item, IndexFile& file) {
  for (const char* key : {"core-metadata", "dist-info-metadata"}) {
    const auto found = item.find(key);
    if (found == item.end() || found->is_null()) continue;
    if (found->is_boolean()) file.has_metadata = found->get<bool>();
    if (found->is_object()) {
      file.has_metadata = true;
      const std::string sha256 = to_lower_ascii(text_or_empty(*found, "sha256"));
      if (is_sha256_hex(sha256)) file.metadata_sha256 = sha256;
    }
    return;
  }
}

IndexFile file_of_json(const Json& item, const std::string& page_url) {
  IndexFile file;
  file.file = text_or_empty(item, "filename");
  file.url = resolve_url(page_url, text_or_empty(item, "url"));
  const auto hashes = item.find("hashes");
  if (hashes != item.end() && hashes->is_object()) {
    const std::string sha256 = to_lower_ascii(text_or_empty(*hashes, "sha256"));
    if (is_sha256_hex(sha256)) file.sha256 = sha256;
  }
  const auto size = item.find("size");
  if (size != item.end() && size->is_number_unsigned()) file.size = size->get<std::uint64_t>();
  file.uploaded = text_or_empty(item, "upload-time");
  file.requires_python = text_or_empty(item, "requires-python");
  const auto yanked = item.find("yanked");  // true, or the reason as text
  file.yanked = yanked != item.end() && (yanked->is_string() || *yanked == true);
  take_metadata(item, file);
  return file;
}

std::vector<IndexFile> parse_json_page(const std::string& text, const std::string& page_url) {
  Json page;
  try {
    page = parse_json(text, displayable_url(page_url));
  } catch (const Error& error) {
    fail_page(page_url, error.what());
  }
  const auto files = page.find("files");
  if (!page.is_object() || files == page.end() || !files->is_array()) {
    fail_page(page_url, "it has no list of files");
  }
  const auto meta = page.find("meta");
  const std::string version = meta != page.end() ? text_or_empty(*meta, "api-version") : "";
  if (!version.empty() && !version.starts_with("1.")) {
    fail_page(page_url, "its API version is '" + printable(version) + "', known is 1.x");
  }
  std::vector<IndexFile> result;
  for (const Json& item : *files) {
    if (!item.is_object()) fail_page(page_url, "an entry of its list of files is no object");
    result.push_back(file_of_json(item, page_url));
  }
  return result;
}

// ---- PEP 503

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

std::optional<std::string> attribute(xmlNode* node, const char* name) {
  xmlChar* value = xmlGetProp(node, reinterpret_cast<const xmlChar*>(name));
  if (value == nullptr) return std::nullopt;
  std::string text = reinterpret_cast<const char*>(value);
  xmlFree(value);
  return text;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string file_name_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return percent_decoded(url.substr(url.rfind('/') + 1));
}

std::optional<IndexFile> file_of_anchor(xmlNode* node, const std::string& base) {
  const auto href = attribute(node, "href");
  if (!href) return std::nullopt;
  std::string url = resolve_url(base, *href);
  IndexFile file;
  const std::size_t hash = url.find('#');
  if (hash != std::string::npos) {
    const std::string fragment = to_lower_ascii(url.substr(hash + 1));
    const std::size_t start = fragment.find("sha256=");
    const std::string sha256 =
        start == std::string::npos ? std::string() : fragment.substr(start + 7, 64);
    if (is_sha256_hex(sha256)) file.sha256 = sha256;
    url.resize(hash);
  }
  file.file = file_name_of(url);
  if (file.file.empty()) return std::nullopt;  // "../" of a generated listing
  file.url = std::move(url);
  file.requires_python = attribute(node, "data-requires-python").value_or("");
  file.yanked = attribute(node, "data-yanked").has_value();
  for (const char* name : {"data-core-metadata", "data-dist-info-metadata"}) {
    const auto metadata = attribute(node, name);
    if (!metadata) continue;
    const std::string value = to_lower_ascii(*metadata);
    file.has_metadata = value != "false";
    if (value.starts_with("sha256=") && is_sha256_hex(value.substr(7))) {
      file.metadata_sha256 = value.substr(7);
    }
    break;
  }
  return file;
}

/// Depth first without recursion: the depth of a foreign page is its own choice.
xmlNode* next_node(xmlNode* node) {
  if (node->children != nullptr && node->type == XML_ELEMENT_NODE) return node->children;
  while (node != nullptr && node->next == nullptr) node = node->parent;
  return node == nullptr ? nullptr : node->next;
}

std::vector<IndexFile> parse_html_page(const std::string& text, const std::string& page_url) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  const std::unique_ptr<xmlDoc, FreeDocument> document(htmlReadMemory(
      text.data(), static_cast<int>(text.size()), nullptr, "utf-8",
      HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET));
  xmlNode* node = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (node == nullptr) fail_page(page_url, "it is no HTML");
  std::string base = page_url;
  std::vector<IndexFile> files;
  for (; node != nullptr; node = next_node(node)) {
    if (node->type != XML_ELEMENT_NODE) continue;
    const std::string_view name = reinterpret_cast<const char*>(node->name);
    if (name == "base") {
      if (const auto href = attribute(node, "href")) base = resolve_url(page_url, *href);
    } else if (name == "a") {
      if (auto file = file_of_anchor(node, base)) files.push_back(std::move(*file));
    }
  }
  return files;
}

}  // namespace

std::optional<std::vector<IndexFile>> read_index_page(HttpClient& client,
                                                      const std::string& index_root,
                                                      const std::string& project) {
  const bool has_slash = index_root.ends_with('/');
  const std::string url =
      index_root + (has_slash ? "" : "/") + normalize_distribution(project) + "/";
  HttpRequest request;
  request.url = url;
  request.headers["Accept"] =
      "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
      "text/html;q=0.1";
  request.max_bytes = kMaxPageBytes;
  StringSink body;
  const HttpResponse response = client.get(request, body);
  if (response.status == 404 || response.status == 410) return std::nullopt;
  require_success(response, url);
  const auto type = response.headers.find("content-type");
  const std::string media = type == response.headers.end() ? "" : to_lower_ascii(type->second);
  const std::string& page_url = response.final_url.empty() ? url : response.final_url;
  return media.find("json") != std::string::npos ? parse_json_page(body.text(), page_url)
                                                 : parse_html_page(body.text(), page_url);
}

}  // namespace img
