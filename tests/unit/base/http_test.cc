// SPDX-License-Identifier: Apache-2.0
// The libcurl client against a scripted loopback server.
#include "builder/base/http.h"

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "tests/support/http_server.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace img {
namespace {

using test::HttpReply;
using test::HttpServer;
using test::ServedRequest;

struct HttpTest : testing::Test {
  HttpServer server;
  std::unique_ptr<HttpClient> client =
      make_curl_client_with({std::chrono::seconds(2), std::chrono::seconds(1)});
  StringSink body;

  HttpResponse get(const std::string& path) { return client->get({.url = server.url(path)}, body); }
  /// The message of the NetworkError that a request ends with, "!" in front when it is not
  /// retryable.
  std::string failure_of(const HttpRequest& request) {
    try {
      client->get(request, body);
    } catch (const NetworkError& error) {
      std::string text = error.what();
      const std::size_t host = text.find(server.host());
      if (host != std::string::npos) text.replace(host, server.host().size(), "HOST");
      return (error.retryable() ? "" : "!") + text;
    }
    return "no error";
  }
};

TEST_F(HttpTest, StreamsABodyWithItsHeadersAndFinalAddress) {
  server.on("/a", {{.headers = {{"ETag", "\"1\""}, {"X-Two", "a"}}, .body = "hello"}});
  const HttpResponse response = get("/a");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body.text(), "hello");
  EXPECT_EQ(response.body_bytes, 5u);
  EXPECT_EQ(response.headers.at("etag"), "\"1\"");
  EXPECT_EQ(response.headers.at("content-length"), "5");
  EXPECT_EQ(response.final_url, server.url("/a"));
}

TEST_F(HttpTest, StatusesAreDataAndTheirBodiesAreDropped) {
  server.on("/gone", {{.status = 410, .body = "a page"}});
  server.on("/busy", {{.status = 503, .headers = {{"Retry-After", "7"}}, .body = "a page"}});
  EXPECT_EQ(get("/gone").status, 410);
  EXPECT_EQ(get("/missing").status, 404);
  const HttpResponse busy = get("/busy");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("retry-after"), "7");
  EXPECT_EQ(body.text(), "");
}

TEST_F(HttpTest, CutsOffAnEndlessErrorPage) {
  server.on("/busy", {{.status = 500,
                       .body = std::string(1 << 20, 'x'),
                       .content_length = 1ull << 40,
                       .hang = true}});
  EXPECT_EQ(get("/busy").status, 500);
}

TEST_F(HttpTest, TellsHeadersOnceBeforeTheBody) {
  server.on("/a", {{.body = "hello"}});
  server.on("/empty", {{.body = ""}});
  int calls = 0;
  const auto on_headers = [&](const HttpResponse& response) {
    ++calls;
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(body.text(), "");
  };
  client->get({.url = server.url("/a")}, body, on_headers);
  EXPECT_EQ(calls, 1);
  body = {};
  client->get({.url = server.url("/empty")}, body, on_headers);
  EXPECT_EQ(calls, 2);
}

TEST_F(HttpTest, LetsExceptionsOfItsUserPass) {
  server.on("/a", {{.body = "hello"}});
  struct Own {};
  struct FullSink : Sink {
    void write(ByteView) override { throw Own{}; }
  } full;
  EXPECT_THROW(client->get({.url = server.url("/a")}, full), Own);
  EXPECT_THROW(
      client->get({.url = server.url("/a")}, body, [](const HttpResponse&) { throw Own{}; }), Own);
}

TEST_F(HttpTest, ShortBodiesAreRetryableWhateverTheirForm) {
  const std::string text(1000, 'x');
  server.on("/short", {{.body = text, .cut_after = 400}});
  server.on("/long", {{.body = text, .content_length = 2000}});
  server.on("/reset", {{.body = text, .cut_after = 400, .reset = true}});
  server.on("/chunks", {{.body = text, .chunked_endless = true}});
  server.on("/nothing", {{.no_answer = true}});
  EXPECT_EQ(failure_of({.url = server.url("/short")}),
            "cannot fetch 'http://HOST/short': the connection ended after 400 bytes");
  EXPECT_EQ(failure_of({.url = server.url("/long")}),
            "cannot fetch 'http://HOST/long': the connection ended after 1,000 bytes");
  EXPECT_EQ(failure_of({.url = server.url("/reset")}).substr(0, 61),
            "cannot fetch 'http://HOST/reset': the connection ended after ");
  EXPECT_EQ(failure_of({.url = server.url("/chunks")}),
            "cannot fetch 'http://HOST/chunks': the connection ended after 1,000 bytes");
  EXPECT_EQ(failure_of({.url = server.url("/nothing")}),
            "cannot fetch 'http://HOST/nothing': the connection ended after 0 bytes");
}

TEST_F(HttpTest, ReadsChunksAndBodiesWithoutLength) {
  server.on("/chunks", {{.body = "chunks", .chunked = true}});
  server.on("/close", {{.body = "close", .no_length = true}});
  get("/chunks");
  get("/close");
  EXPECT_EQ(body.text(), "chunksclose");
}

TEST_F(HttpTest, AStalledTransferEndsAsRetryable) {
  server.on("/slow", {{.body = std::string(100, 'x'), .content_length = 1000, .hang = true}});
  EXPECT_EQ(failure_of({.url = server.url("/slow")}),
            "cannot fetch 'http://HOST/slow': slower than 1 kB/s for 1 s, after 100 bytes");
}

TEST_F(HttpTest, RefusedConnectionsAndUnknownHostsAreRetryable) {
  int closed = 0;
  { closed = HttpServer().port(); }
  const std::string url = "http://127.0.0.1:" + std::to_string(closed) + "/x?token=1";
  EXPECT_EQ(failure_of({.url = url}), "cannot fetch 'http://127.0.0.1:" + std::to_string(closed) +
                                          "/x': no connection to '127.0.0.1': Connection refused");
  EXPECT_EQ(failure_of({.url = "http://no-such-host.invalid/x"}),
            "cannot fetch 'http://no-such-host.invalid/x': the host name 'no-such-host.invalid' "
            "does not resolve");
}

TEST_F(HttpTest, RefusesWhatIsNoAddress) {
  EXPECT_EQ(failure_of({.url = "ftp://user:secret@host/x"}),
            "!cannot fetch 'ftp://host/x': the scheme 'ftp' is not supported");
  EXPECT_EQ(failure_of({.url = "/etc/passwd"}), "!cannot fetch '/etc/passwd': this is no address");
}

TEST_F(HttpTest, MoreBytesThanAllowedEndATransferAtOnce) {
  server.on("/announced", {{.body = "12345678901", .content_length = 11}});
  server.on("/chunks", {{.body = "12345678901", .chunked = true}});
  for (const auto& [path, origin] :
       {std::pair("/announced", "Content-Length"), std::pair("/chunks", "received so far")}) {
    try {
      client->get({.url = server.url(path), .max_bytes = 10}, body);
      ADD_FAILURE() << path;
    } catch (const IntegrityError& error) {
      EXPECT_EQ(error.render(), "error: '" + server.url(path) +
                                    "' is longer than it should be\n"
                                    "  expected: at most 10 bytes\n"
                                    "  got:      11 bytes   (" +
                                    origin + ")");
    }
  }
  EXPECT_EQ(body.text(), "");
}

TEST_F(HttpTest, AsksForARangeWithItsValidator) {
  server.serve_file("/f", "0123456789", {.etag = "\"v1\""});
  const HttpResponse rest =
      client->get({.url = server.url("/f"), .range_from = 4, .if_range = "\"v1\""}, body);
  EXPECT_EQ(rest.status, 206);
  EXPECT_EQ(rest.headers.at("content-range"), "bytes 4-9/10");
  EXPECT_EQ(body.text(), "456789");
  body = {};
  const HttpResponse changed =
      client->get({.url = server.url("/f"), .range_from = 4, .if_range = "\"v0\""}, body);
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(body.text(), "0123456789");
  body = {};
  EXPECT_EQ(client->get({.url = server.url("/f"), .range_from = 10}, body).status, 416);
}

// ---- redirects

HttpReply redirect_to(const std::string& location, int status = 302) {
  return {.status = status, .headers = {{"Location", location}}, .body = "moved"};
}

TEST_F(HttpTest, FollowsEveryKindOfRedirect) {
  server.on("/end", {{.body = "x"}});
  for (const int status : {301, 302, 303, 307, 308}) {
    server.on("/start", {redirect_to("end", status)});
    const HttpResponse response = get("/start");
    EXPECT_EQ(response.status, 200) << status;
    EXPECT_EQ(response.final_url, server.url("/end"));
  }
  EXPECT_EQ(body.text(), "xxxxx");
}

TEST_F(HttpTest, GivesUpAfterFiveRedirects) {
  server.on("/loop", {redirect_to("/loop")});
  EXPECT_EQ(failure_of({.url = server.url("/loop")}),
            "!cannot fetch 'http://HOST/loop': more than 5 redirects");
  EXPECT_EQ(server.count("/loop"), 6u);
}

TEST_F(HttpTest, RefusesRedirectsToOtherSchemes) {
  server.on("/file", {redirect_to("file:///etc/passwd")});
  EXPECT_EQ(failure_of({.url = server.url("/file")}),
            "!cannot fetch 'http://HOST/file': the scheme 'file' is not supported");
  EXPECT_EQ(body.text(), "");
}

TEST_F(HttpTest, CredentialsStayAtTheirOrigin) {
  HttpServer other;
  other.on("/end", {{.body = "other"}});
  server.on("/end", {{.body = "own"}});
  server.on("/away", {redirect_to(other.url("/end"))});
  server.on("/near", {redirect_to("/end")});
  const std::string base = "http://user:secret@" + server.host();
  client->get({.url = base + "/near"}, body);
  client->get({.url = base + "/away"}, body);
  for (const ServedRequest& request : server.requests()) {
    EXPECT_EQ(request.header("authorization"), "Basic dXNlcjpzZWNyZXQ=") << request.path;
  }
  ASSERT_EQ(other.requests().size(), 1u);
  EXPECT_EQ(other.requests()[0].header("authorization"), "");
}

TEST(FollowRedirect, HoldsItsRules) {
  const std::string first = "https://u:p@a.test/x/y";
  EXPECT_EQ(follow_redirect(first, first, "z").url, "https://u:p@a.test/x/z");
  EXPECT_EQ(follow_redirect(first, first, "//b.test/z").url, "https://b.test/z");
  EXPECT_EQ(follow_redirect(first, first, "https://q:r@b.test/z").url, "https://b.test/z");
  EXPECT_EQ(follow_redirect(first, first, "https://a.test:444/z").url, "https://a.test:444/z");
  EXPECT_FALSE(follow_redirect(first, first, "https://a.test:444/z").use_netrc);
  EXPECT_TRUE(follow_redirect(first, first, "https://b.test/z").use_netrc);
  // Back at the first origin, its credentials are in order again.
  EXPECT_EQ(follow_redirect(first, "https://b.test/z", "https://a.test/z").url,
            "https://u:p@a.test/z");
  try {
    follow_redirect(first, first, "http://u:p@a.test/z?token=1");
    ADD_FAILURE();
  } catch (const NetworkError& error) {
    EXPECT_FALSE(error.retryable());
    EXPECT_EQ(error.render(),
              "error: cannot fetch 'https://a.test/x/y': the redirect from https to http is "
              "refused\n  redirect: http://a.test/z");
  }
}

// ---- file: addresses

TEST_F(HttpTest, ReadsFileAddressesWithStatusesAndRanges) {
  const TempDir folder(fs::temp_directory_path(), "http-test-");
  fs::create_directory(folder.path() / "a b");
  std::ofstream(folder.path() / "a b/f.html") << "0123456789";
  const std::string url = "file://" + folder.path().string() + "/a%20b/f.html";
  const HttpResponse whole = client->get({.url = url}, body);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.headers.at("content-type"), "text/html");
  const HttpResponse rest = client->get({.url = url, .range_from = 8}, body);
  EXPECT_EQ(rest.status, 206);
  EXPECT_EQ(rest.headers.at("content-range"), "bytes 8-9/10");
  EXPECT_EQ(body.text(), "012345678989");
  EXPECT_EQ(client->get({.url = url + "x"}, body).status, 404);
  EXPECT_THROW(client->get({.url = url, .max_bytes = 9}, body), IntegrityError);
}

// ---- addresses as text

TEST(DisplayableUrl, HidesUserinfoAndQuery) {
  const std::pair<const char*, const char*> cases[] = {
      {"https://host/a/b", "https://host/a/b"},
      {"https://user:secret@host:8080/a@b?token=1#f", "https://host:8080/a@b"},
      {"https://secret@host", "https://host"},
      {"https://u:se/cret@host/x", "https://…"},
      {"https://u:se#cret@host/x", "https://…"},
      {"http://[::1]:80/x", "http://[::1]:80/x"},
      {"u:p@host/x", "host/x"},
      {"https://host/\x1b[2J", "https://host/\\x1b[2J"},
      {"", ""},
  };
  for (const auto& [url, shown] : cases) EXPECT_EQ(displayable_url(url), shown) << url;
}

TEST(ResolveUrl, ResolvesAgainstThePage) {
  const std::string page = "https://u:p@host/simple/numpy/";
  EXPECT_EQ(resolve_url(page, "../../files/a.whl#sha256=1"),
            "https://u:p@host/files/a.whl#sha256=1");
  EXPECT_EQ(resolve_url(page, "https://files.test/a.whl"), "https://files.test/a.whl");
  EXPECT_EQ(resolve_url(page, "//files.test/a.whl"), "https://files.test/a.whl");
  EXPECT_EQ(resolve_url(page, "/a b.whl"), "https://u:p@host/a%20b.whl");
  EXPECT_EQ(resolve_url("file:///srv/simple/numpy/", "../../f/a.whl"), "file:///srv/f/a.whl");
  EXPECT_THROW(resolve_url(page, "https://"), NetworkError);
}

}  // namespace
}  // namespace img
