// SPDX-License-Identifier: Apache-2.0
// HTTP transfers with one libcurl easy handle, redirects followed by our own rules.
#include "builder/base/http.h"

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

namespace img {
namespace {

constexpr int kMaxRedirects = 5;
constexpr std::uint64_t kMaxHeaderBytes = 256 << 10;
// The body of an answer that is no success is read up to here, so that the connection can be used
// again; a longer one is cut off.
constexpr std::uint64_t kMaxDroppedBytes = 64 << 10;

[[noreturn]] void fail(std::string_view url, const std::string& problem, bool retryable,
                       std::vector<ErrorDetail> details = {}, std::string hint = {}) {
  throw NetworkError(ErrorText{.message = "cannot fetch '" + displayable_url(url) + "': " + problem,
                               .details = std::move(details),
                               .hint = std::move(hint)},
                     retryable);
}

[[noreturn]] void fail_too_long(std::string_view url, std::uint64_t limit, std::uint64_t got,
                                std::string_view origin) {
  throw IntegrityError(
      ErrorText{.message = "'" + displayable_url(url) + "' is longer than it should be",
                .details = {{"expected", "at most " + with_commas(limit) + " bytes"},
                            {"got", with_commas(got) + " bytes", std::string(origin)}}});
}

/// A URL taken apart by libcurl's own parser, so that what is judged is what is fetched.
class Url {
 public:
  explicit Url(const std::string& text) : handle_(curl_url()) {
    if (handle_ == nullptr) throw std::bad_alloc();
    valid_ = set(text);
  }
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  /// A second set() resolves `text` against what is there.
  bool set(const std::string& text) {
    return curl_url_set(handle_, CURLUPART_URL, text.c_str(),
                        CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE | CURLU_ALLOW_SPACE) ==
           CURLUE_OK;
  }
  bool valid() const { return valid_; }
  std::string part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, which, &text, flags) != CURLUE_OK) return {};
    std::string result = text;
    curl_free(text);
    return result;
  }
  std::string scheme() const { return to_lower_ascii(part(CURLUPART_SCHEME)); }
  std::string host() const { return to_lower_ascii(part(CURLUPART_HOST)); }
  std::string origin() const {
    return scheme() + "://" + host() + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  }
  /// Takes user and password of `other`, or none.
  void take_userinfo(const Url* other) {
    for (const CURLUPart which : {CURLUPART_USER, CURLUPART_PASSWORD}) {
      const std::string text = other == nullptr ? std::string() : other->part(which);
      curl_url_set(handle_, which, text.empty() ? nullptr : text.c_str(), 0);
    }
  }

 private:
  CURLU* handle_;
  bool valid_ = false;
};

/// State of one request on the wire, shared with libcurl's callbacks. Exceptions do not cross
/// libcurl: they wait in `thrown`.
struct Transfer {
  const HttpRequest* request = nullptr;
  Sink* body = nullptr;
  const std::function<void(const HttpResponse&)>* on_headers = nullptr;
  HttpResponse response;
  std::uint64_t header_bytes = 0;
  std::uint64_t dropped = 0;
  bool headers_told = false;
  bool cut_off = false;  ///< we ended it on purpose: the rest of an error page
  std::exception_ptr thrown;

  bool is_redirect() const {
    const int status = response.status;
    const bool code =
        status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return code && response.headers.contains("location");
  }
  bool is_success() const { return response.status >= 200 && response.status < 300; }

  void tell_headers() {
    if (headers_told || is_redirect()) return;
    headers_told = true;
    if (is_success() && request->max_bytes) check_announced_length();
    if (*on_headers) (*on_headers)(response);
  }
  void check_announced_length() const {
    const auto found = response.headers.find("content-length");
    if (found == response.headers.end()) return;
    const auto length = parse_decimal(found->second);
    if (length && *length > *request->max_bytes) {
      fail_too_long(request->url, *request->max_bytes, *length, "Content-Length");
    }
  }
  void take_body(ByteView bytes) {
    tell_headers();
    if (!is_success()) {
      dropped += bytes.size();
      cut_off = dropped > kMaxDroppedBytes;
      return;
    }
    response.body_bytes += bytes.size();
    if (request->max_bytes && response.body_bytes > *request->max_bytes) {
      fail_too_long(request->url, *request->max_bytes, response.body_bytes, "received so far");
    }
    body->write(bytes);
  }
  void take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // of a new response: "100 Continue" may come first
      response.headers.clear();
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string name = to_lower_ascii(trim(line.substr(0, colon)));
    const std::string value(trim(line.substr(colon + 1)));
    const auto [place, is_new] = response.headers.emplace(name, value);
    if (!is_new) place->second += ", " + value;
  }
};

std::size_t on_header_line(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.header_bytes += size * count;
  try {
    if (transfer.header_bytes > kMaxHeaderBytes) {
      fail(transfer.request->url, "the answer's headers are longer than 256 kB", false);
    }
    transfer.take_header(trim(std::string_view(data, size * count)));
    return size * count;
  } catch (...) {
    transfer.thrown = std::current_exception();
    return 0;
  }
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  try {
    check_interrupt();
    return 0;
  } catch (...) {
    transfer.thrown = std::current_exception();
    return 1;
  }
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

/// Where this machine keeps the certificates that it trusts, as the usual tools are told.
struct TrustStore {
  std::optional<std::string> file;
  std::optional<std::string> folder;

  static TrustStore of_environment() {
    TrustStore trust;
    trust.file = environment("CURL_CA_BUNDLE");
    if (!trust.file) trust.file = environment("SSL_CERT_FILE");
    trust.folder = environment("SSL_CERT_DIR");
    return trust;
  }
};

/// "host", "host:8080", "[::1]:80"; not "user:secret".
bool is_host_and_port(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return true;
  return parse_decimal(authority.substr(colon + 1)).has_value();
}

std::string percent_decoded(const std::string& text) {
  int length = 0;
  char* decoded = curl_easy_unescape(nullptr, text.c_str(), static_cast<int>(text.size()), &length);
  if (decoded == nullptr) return text;
  std::string result(decoded, static_cast<std::size_t>(length));
  curl_free(decoded);
  return result;
}

/// file: addresses are read here, so that they have statuses and ranges like all others.
HttpResponse get_file(const HttpRequest& request, const Url& url, Sink& body,
                      const std::function<void(const HttpResponse&)>& on_headers) {
  HttpResponse response;
  response.final_url = request.url;
  fs::path path = percent_decoded(url.part(CURLUPART_PATH));
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) path /= "index.html";
  if (!fs::is_regular_file(path, ignored)) {
    response.status = 404;
    if (on_headers) on_headers(response);
    return response;
  }
  const auto file = InputFile::open(path);
  const std::uint64_t size = file->size();
  const std::uint64_t from = request.range_from <= size ? request.range_from : 0;
  const std::uint64_t length = std::min(size - from, request.range_size.value_or(size));
  const bool is_part = from > 0 || request.range_size.has_value();
  response.status = is_part ? 206 : 200;
  response.headers["content-length"] = std::to_string(length);
  if (path.extension() == ".html") response.headers["content-type"] = "text/html";
  if (path.extension() == ".json") response.headers["content-type"] = "application/json";
  if (is_part && length > 0) {
    response.headers["content-range"] = "bytes " + std::to_string(from) + "-" +
                                        std::to_string(from + length - 1) + "/" +
                                        std::to_string(size);
  }
  if (request.max_bytes && length > *request.max_bytes) {
    fail_too_long(request.url, *request.max_bytes, length, "size of the file");
  }
  if (on_headers) on_headers(response);
  FileSource source(file, from, length);
  std::vector<std::uint8_t> buffer(256 << 10);
  while (const std::size_t count = source.read(buffer)) {
    check_interrupt();
    body.write(ByteView(buffer).first(count));
    response.body_bytes += count;
  }
  return response;
}

void require_http(std::string_view shown, const Url& url) {
  if (!url.valid()) fail(shown, "this is no address", false);
  if (url.scheme() != "http" && url.scheme() != "https") {
    fail(shown, "the scheme '" + printable(url.scheme()) + "' is not supported", false);
  }
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(const HttpTimeouts& timeouts)
      : timeouts_(timeouts), trust_(TrustStore::of_environment()), easy_(curl_easy_init()) {
    if (easy_ == nullptr) throw std::bad_alloc();
  }
  ~CurlClient() override { curl_easy_cleanup(easy_); }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  HttpResponse get(const HttpRequest& request, Sink& body,
                   const std::function<void(const HttpResponse&)>& on_headers) override {
    check_interrupt();
    const Url start(request.url);
    if (start.valid() && start.scheme() == "file") {
      return get_file(request, start, body, on_headers);
    }
    require_http(request.url, start);
    std::string url = request.url;
    bool own_netrc = true;  // whether ~/.netrc may be asked about this hop
    for (int hop = 0;; ++hop) {
      Transfer transfer{.request = &request, .body = &body, .on_headers = &on_headers};
      transfer.response.final_url = url;
      perform(url, own_netrc, transfer);
      if (!transfer.is_redirect()) return std::move(transfer.response);
      if (hop == kMaxRedirects) fail(request.url, "more than 5 redirects", false);
      Redirect next = follow_redirect(request.url, url, transfer.response.headers.at("location"));
      url = std::move(next.url);
      own_netrc = next.use_netrc;
    }
  }

 private:
  void perform(const std::string& url, bool own_netrc, Transfer& transfer) {
    curl_easy_reset(easy_);
    char error_text[CURL_ERROR_SIZE] = "";
    set_connection(url, own_netrc, error_text);
    set_callbacks(transfer);
    curl_slist* headers = header_list(*transfer.request);
    option(CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(easy_);
    curl_slist_free_all(headers);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    if (transfer.thrown) std::rethrow_exception(transfer.thrown);
    if (transfer.cut_off) return;
    if (code != CURLE_OK) fail_transfer(code, url, error_text, transfer);
    transfer.tell_headers();
  }

  template <typename Value>
  void option(CURLoption which, Value value) {
    const CURLcode code = curl_easy_setopt(easy_, which, value);
    if (code != CURLE_OK) {
      throw InternalError("curl option " + std::to_string(which) + ": " + curl_easy_strerror(code));
    }
  }

  void set_connection(const std::string& url, bool own_netrc, char* error_text) {
    option(CURLOPT_URL, url.c_str());
    option(CURLOPT_PROTOCOLS_STR, "http,https");
    option(CURLOPT_FOLLOWLOCATION, 0L);
    // Each client is one connection at a time, where HTTP/2 has only its flow control to add.
    option(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    option(CURLOPT_NOSIGNAL, 1L);
    option(CURLOPT_TCP_KEEPALIVE, 1L);
    option(CURLOPT_BUFFERSIZE, 256L << 10);
    option(CURLOPT_USERAGENT, "imgbuild");
    option(CURLOPT_ERRORBUFFER, error_text);
    option(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    option(CURLOPT_CONNECTTIMEOUT, static_cast<long>(timeouts_.connect.count()));
    option(CURLOPT_LOW_SPEED_LIMIT, 1000L);
    option(CURLOPT_LOW_SPEED_TIME, static_cast<long>(timeouts_.stall.count()));
    option(CURLOPT_NETRC, static_cast<long>(own_netrc ? CURL_NETRC_OPTIONAL : CURL_NETRC_IGNORED));
    if (trust_.file) option(CURLOPT_CAINFO, trust_.file->c_str());
    if (trust_.folder) option(CURLOPT_CAPATH, trust_.folder->c_str());
  }

  void set_callbacks(Transfer& transfer) {
    option(CURLOPT_HEADERFUNCTION, on_header_line);
    option(CURLOPT_HEADERDATA, &transfer);
    option(CURLOPT_WRITEFUNCTION, &CurlClient::on_body);
    context_ = {easy_, &transfer};
    option(CURLOPT_WRITEDATA, &context_);
    option(CURLOPT_XFERINFOFUNCTION, on_progress);
    option(CURLOPT_XFERINFODATA, &transfer);
    option(CURLOPT_NOPROGRESS, 0L);
    const HttpRequest& request = *transfer.request;
    if (request.range_from > 0 || request.range_size) {
      range_ = std::to_string(request.range_from) + "-";
      if (request.range_size)
        range_ += std::to_string(request.range_from + *request.range_size - 1);
      option(CURLOPT_RANGE, range_.c_str());
    }
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
    const auto& context = *static_cast<Context*>(user);
    Transfer& transfer = *context.transfer;
    try {
      if (transfer.response.status == 0) {
        long status = 0;
        curl_easy_getinfo(context.easy, CURLINFO_RESPONSE_CODE, &status);
        transfer.response.status = static_cast<int>(status);
      }
      transfer.take_body(as_bytes(std::string_view(data, size * count)));
      return transfer.cut_off ? 0 : size * count;
    } catch (...) {
      transfer.thrown = std::current_exception();
      return 0;
    }
  }

  static curl_slist* header_list(const HttpRequest& request) {
    curl_slist* list = nullptr;
    const auto add = [&](const std::string& line) {
      curl_slist* longer = curl_slist_append(list, line.c_str());
      if (longer == nullptr) {
        curl_slist_free_all(list);
        throw std::bad_alloc();
      }
      list = longer;
    };
    for (const auto& [name, value] : request.headers) add(name + ": " + value);
    if (request.range_from > 0 && !request.if_range.empty()) add("If-Range: " + request.if_range);
    return list;
  }

  [[noreturn]] void fail_transfer(CURLcode code, const std::string& url, const char* error_text,
                                  const Transfer& transfer) const {
    std::vector<ErrorDetail> details;
    const std::string cause = *error_text != '\0' ? error_text : curl_easy_strerror(code);
    const auto fail_here = [&](const std::string& problem, bool retryable, std::string hint = {}) {
      fail(url, problem, retryable, {{"cause", printable(cause), "libcurl"}}, std::move(hint));
    };
    const std::string host = Url(url).host();
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
        fail_here("the host name '" + host + "' does not resolve", true);
        break;
      case CURLE_COULDNT_RESOLVE_PROXY:
        fail_here("the host name of the proxy does not resolve", true);
        break;
      case CURLE_COULDNT_CONNECT:
        fail_here("no connection to '" + host + "'" + connect_reason(), true);
        break;
      case CURLE_OPERATION_TIMEDOUT:
        fail_here(timeout_reason(transfer), true);
        break;
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
      case CURLE_GOT_NOTHING:
        fail_here(
            "the connection ended after " + with_commas(transfer.response.body_bytes) + " bytes",
            true);
        break;
      case CURLE_PEER_FAILED_VERIFICATION:
        fail_here("the certificate of '" + host + "' is not trusted", false,
                  "name the file of your certificate authority in SSL_CERT_FILE");
        break;
      case CURLE_SSL_CACERT_BADFILE:
        fail_here("the file of trusted certificates '" + trust_.file.value_or("") + "' is no use",
                  false, "set SSL_CERT_FILE or CURL_CA_BUNDLE");
        break;
      default:
        fail_here("the transfer ended with an error", true);
    }
    std::abort();  // not reached: every branch throws
  }

  std::string connect_reason() const {
    long error = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error);
    if (error == 0) return {};
    return ": " + std::error_code(static_cast<int>(error), std::generic_category()).message();
  }

  std::string timeout_reason(const Transfer& transfer) const {
    double connected = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME, &connected);
    if (connected == 0) {
      return "no connection within " + std::to_string(timeouts_.connect.count()) + " s";
    }
    return "slower than 1 kB/s for " + std::to_string(timeouts_.stall.count()) + " s, after " +
           with_commas(transfer.response.body_bytes) + " bytes";
  }

  struct Context {
    CURL* easy = nullptr;
    Transfer* transfer = nullptr;
  };

  HttpTimeouts timeouts_;
  TrustStore trust_;
  CURL* easy_;
  Context context_;
  std::string range_;
};

}  // namespace

std::unique_ptr<HttpClient> make_curl_client_with(const HttpTimeouts& timeouts) {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw InternalError("curl_global_init");
  });
  return std::make_unique<CurlClient>(timeouts);
}

std::unique_ptr<HttpClient> make_curl_client() { return make_curl_client_with(HttpTimeouts{}); }

Redirect follow_redirect(const std::string& first, const std::string& from,
                         const std::string& location) {
  const Url start(first);
  Url target(from);
  const bool was_secure = target.scheme() == "https";
  if (!target.set(location)) {
    fail(from, "the redirect to '" + displayable_url(location) + "' is no address", false);
  }
  require_http(from, target);
  if (was_secure && target.scheme() != "https") {
    fail(from, "the redirect from https to http is refused", false,
         {{"redirect", displayable_url(target.part(CURLUPART_URL))}});
  }
  const bool same_origin = target.origin() == start.origin();
  target.take_userinfo(same_origin ? &start : nullptr);
  // netrc knows hosts, not origins: another port or scheme of the same host gets nothing.
  return {target.part(CURLUPART_URL), same_origin || target.host() != start.host()};
}

std::string displayable_url(std::string_view url) {
  std::string text(url.substr(0, url.find_first_of("?#")));
  const std::size_t scheme = text.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(text.find('/', host), text.size());
  const std::string authority = text.substr(host, path - host);
  const std::size_t at = authority.rfind('@');
  if (at != std::string::npos) {
    text.erase(host, at + 1);
  } else if (url.find('@') != std::string_view::npos && !is_host_and_port(authority)) {
    // A password with an unescaped '/', '?' or '#': what looks like the host is a part of it.
    text = text.substr(0, host) + "…";
  }
  return printable(text);
}

std::string resolve_url(std::string_view base, std::string_view reference) {
  const Url from{std::string(base)};
  Url url{std::string(base)};
  if (!url.valid() || !url.set(std::string(reference))) {
    throw NetworkError(ErrorText{.message = "'" + printable(reference) + "' is no address",
                                 .details = {{"page", displayable_url(base)}}},
                       false);
  }
  if (url.origin() == from.origin() && url.part(CURLUPART_USER).empty()) url.take_userinfo(&from);
  return url.part(CURLUPART_URL);
}

}  // namespace img
