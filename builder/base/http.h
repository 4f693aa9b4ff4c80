// SPDX-License-Identifier: Apache-2.0
// HTTP transfers behind an interface: libcurl in the program, a script in tests.
#pragma once

#include "builder/base/stream.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace img {

struct HttpRequest {
  std::string url;                               ///< http, https or file
  std::map<std::string, std::string> headers;    ///< never credentials; those come from netrc/url
  std::uint64_t range_from = 0;                  ///< > 0: ask for the rest from this byte
  std::optional<std::uint64_t> range_size = {};  ///< > 0: ask for so many bytes only, also from 0
  std::string if_range = {};                     ///< validator (ETag) for the range request
  std::optional<std::uint64_t> max_bytes = {};   ///< more body than this aborts: IntegrityError
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< lower-case names, of the final response
  std::string final_url;
  std::uint64_t body_bytes = 0;
};

/// One transfer at a time per object; use one per thread.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Streams the body of a 2xx answer into `body` (bodies of other answers are dropped; `body` is
  /// not finished). The handler `on_headers` runs once, for the answer that is no redirect, before
  /// its first body byte, and may throw; so may `body`: the exception passes through unchanged.
  /// Connection problems, short bodies and stalls (below 1 kB/s for 30 s) are
  /// NetworkError(retryable); an HTTP status is data. Redirects: at most 5, never from https to
  /// http, no credentials to another origin (scheme, host and port). A missing file: address has
  /// status 404.
  virtual HttpResponse get(const HttpRequest& request, Sink& body,
                           const std::function<void(const HttpResponse&)>& on_headers = {}) = 0;
};

struct HttpTimeouts {
  std::chrono::seconds connect{30};
  std::chrono::seconds stall{30};  ///< this long below 1 kB/s ends a transfer
};

/// The real client. Proxies as libcurl knows them (https_proxy, no_proxy, …); trusted certificates
/// from $CURL_CA_BUNDLE or $SSL_CERT_FILE and $SSL_CERT_DIR, else the system's; ~/.netrc.
std::unique_ptr<HttpClient> make_curl_client();
std::unique_ptr<HttpClient> make_curl_client_with(const HttpTimeouts& timeouts);

/// Where a redirect leads, by the rules of HttpClient::get. `first` is the address that the user of
/// the client gave, `from` the one that answered. NetworkError (not retryable) when it is refused.
struct Redirect {
  std::string url;
  bool use_netrc = true;  ///< false: same host as `first`, other port or scheme
};
Redirect follow_redirect(const std::string& first, const std::string& from,
                         const std::string& location);

/// URL without userinfo and query: what logs and errors may show.
std::string displayable_url(std::string_view url);
/// Resolves a possibly relative reference against a base URL. What stays at the base's origin keeps
/// its credentials. NetworkError "'<reference>' is no address" for what cannot be resolved.
std::string resolve_url(std::string_view base, std::string_view reference);

}  // namespace img
