// SPDX-License-Identifier: Apache-2.0
// Index pages in JSON and HTML, right and wrong; statuses and Retry-After.
#include "builder/fetch/fetch.h"
#include "builder/fetch/http_status.h"
#include "tests/support/fake_http_client.h"
#include "tests/unit/fetch/fetch_world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;
using test::FakeHttpClient;
using test::FakeWeb;

const std::string kHash(64, 'a');

struct IndexPageTest : testing::Test {
  FakeWeb web;
  FakeHttpClient client{web};

  std::vector<IndexFile> read(const std::string& type, const std::string& body) {
    web.on("https://u:p@index.test/simple/foo-bar/",
           {{.headers = {{"content-type", type}}, .body = body}});
    return read_index_page(client, "https://u:p@index.test/simple", "Foo_.Bar").value();
  }
  std::string problem(const std::string& type, const std::string& body) {
    const std::string text = error_of<NetworkError>([&] { read(type, body); });
    const std::string start =
        "error: the index page 'https://index.test/simple/foo-bar/' is no use: ";
    return text.starts_with(start) ? text.substr(start.size()) : "?? " + text;
  }
};

TEST_F(IndexPageTest, ReadsJson) {
  const auto files = read("application/vnd.pypi.simple.v1+json", R"({
    "meta": {"api-version": "1.4"}, "name": "foo-bar", "unknown": 1,
    "files": [
      {"filename": "foo_bar-1.whl", "url": "/f/foo_bar-1.whl", "hashes": {"sha256": ")" +
                                                                     kHash + R"("},
       "size": 7, "upload-time": "2026-01-01T00:00:00Z", "requires-python": ">=3.9", "yanked": "broken"},
      {"filename": "foo_bar-2.whl", "url": "https://files.test/foo_bar-2.whl", "hashes": {},
       "yanked": false, "requires-python": null}]})");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].file, "foo_bar-1.whl");
  EXPECT_EQ(files[0].url, "https://u:p@index.test/f/foo_bar-1.whl");
  EXPECT_EQ(files[0].sha256, kHash);
  EXPECT_EQ(files[0].size, 7u);
  EXPECT_EQ(files[0].uploaded, "2026-01-01T00:00:00Z");
  EXPECT_EQ(files[0].requires_python, ">=3.9");
  EXPECT_TRUE(files[0].yanked);
  EXPECT_EQ(files[1].url, "https://files.test/foo_bar-2.whl");
  EXPECT_EQ(files[1].sha256, "");
  EXPECT_EQ(files[1].size, 0u);
  EXPECT_FALSE(files[1].yanked);
}

TEST_F(IndexPageTest, KnowsWhereMetadataLiesBesideTheFile) {
  const std::string hashes = R"({"sha256": ")" + kHash + R"("})";
  const auto files = read("application/vnd.pypi.simple.v1+json", R"({"files": [
      {"filename": "a-1.whl", "url": "/a", "core-metadata": )" + hashes +
                                                                     R"(},
      {"filename": "a-2.whl", "url": "/a", "dist-info-metadata": true},
      {"filename": "a-3.whl", "url": "/a", "core-metadata": false, "dist-info-metadata": true},
      {"filename": "a-4.whl", "url": "/a", "core-metadata": null}]})");
  ASSERT_EQ(files.size(), 4u);
  EXPECT_EQ(files[0].has_metadata, true);
  EXPECT_EQ(files[0].metadata_sha256, kHash);
  EXPECT_EQ(files[1].has_metadata, true);
  EXPECT_EQ(files[1].metadata_sha256, "");
  EXPECT_EQ(files[2].has_metadata, false);
  EXPECT_EQ(files[3].has_metadata, std::nullopt);
  const auto html =
      read("text/html", "<a href=a data-core-metadata=\"sha256=" + kHash +
                            "\">a</a><a href=b data-dist-info-metadata=true>b</a>"
                            "<a href=c data-core-metadata=false>c</a><a href=d>d</a>");
  ASSERT_EQ(html.size(), 4u);
  EXPECT_EQ(html[0].metadata_sha256, kHash);
  EXPECT_EQ(html[1].has_metadata, true);
  EXPECT_EQ(html[2].has_metadata, false);
  EXPECT_EQ(html[3].has_metadata, std::nullopt);
}

TEST_F(IndexPageTest, ReadsHtml) {
  const auto files = read("text/html; charset=utf-8",
                          R"(<!DOCTYPE html><html><head>
    <base href="https://files.test/p/"><title>x</title></head><body><h1>Links</h1>
    <a href="foo_bar-1%2Bcu.whl#sha256=)" +
                              kHash + R"(" data-requires-python="&gt;=3.9" data-yanked>one</a><br/>
    <a href='../'>up</a><a name=x>no link</a>
    <A HREF=../q/foo_bar-2.whl#md5=00>two</A>)");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].file, "foo_bar-1+cu.whl");
  EXPECT_EQ(files[0].url, "https://files.test/p/foo_bar-1%2Bcu.whl");
  EXPECT_EQ(files[0].sha256, kHash);
  EXPECT_EQ(files[0].requires_python, ">=3.9");
  EXPECT_TRUE(files[0].yanked);
  EXPECT_EQ(files[1].file, "foo_bar-2.whl");
  EXPECT_EQ(files[1].url, "https://files.test/q/foo_bar-2.whl");
  EXPECT_EQ(files[1].sha256, "");
}

TEST_F(IndexPageTest, DeeplyNestedHtmlIsRead) {
  std::string page;
  for (int i = 0; i < 200; ++i) page += "<div>";
  EXPECT_EQ(read("text/html", page + "<a href='x.whl'>x</a>").size(), 1u);
}

TEST_F(IndexPageTest, SaysWhyAPageIsNoUse) {
  EXPECT_EQ(problem("application/json", "[]"), "it has no list of files");
  EXPECT_EQ(problem("application/json", R"({"files": 1})"), "it has no list of files");
  EXPECT_EQ(problem("application/json", R"({"files": [1]})"),
            "an entry of its list of files is no object");
  EXPECT_EQ(problem("application/json", R"({"meta":{"api-version":"2.0"},"files":[]})"),
            "its API version is '2.0', known is 1.x");
  EXPECT_TRUE(problem("application/json", "{").starts_with("not JSON: "));
  EXPECT_EQ(problem("text/html", ""), "it is no HTML");
}

TEST_F(IndexPageTest, AsksForJsonFirstAndTellsAbsenceFromFailure) {
  EXPECT_FALSE(read_index_page(client, "https://index.test/simple/", "x").has_value());
  ASSERT_EQ(web.requests().size(), 1u);
  EXPECT_EQ(web.requests()[0].url, "https://index.test/simple/x/");
  EXPECT_TRUE(
      web.requests()[0].headers.at("Accept").starts_with("application/vnd.pypi.simple.v1+json, "));
  for (const int status : {401, 403, 500}) {
    web.on("https://index.test/simple/x/", {{.status = status}});
    EXPECT_EQ(
        error_of<NetworkError>([&] { read_index_page(client, "https://index.test/simple", "x"); }),
        "error: cannot fetch 'https://index.test/simple/x/': the server answers " +
            std::to_string(status));
  }
}

TEST(RetryAfter, IsANumberOrADate) {
  const std::int64_t now = 784111777 - 60;  // a minute before the date below
  EXPECT_EQ(parse_retry_after("120", now), 120);
  EXPECT_EQ(parse_retry_after(" 0 ", now), 0);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 60);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now + 3600), std::nullopt);
  for (const char* text : {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:49:37",
                           "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT",
                           "Sun, 06 ovD 1994 08:49:37 GMT", "99999999999999999999999"}) {
    EXPECT_EQ(parse_retry_after(text, now), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace img
