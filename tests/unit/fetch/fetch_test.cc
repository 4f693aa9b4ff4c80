// SPDX-License-Identifier: Apache-2.0
// fetch_all against every kind of source: tries, resumption, verification, and what it says in the
// end.
#include "builder/fetch/fetch.h"

#include "builder/inputs/wheel.h"
#include "tests/support/fake_http_client.h"
#include "tests/support/http_server.h"
#include "tests/unit/fetch/fetch_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <mutex>
#include <thread>

namespace img {
namespace {

using test::error_of;
using test::FakeAnswer;
using test::FakeWeb;
using test::FileBehaviour;
using test::HttpReply;
using test::HttpServer;
using test::noise;
using test::put_file;
using test::Scratch;
using test::tiny_wheel;
using test::wanted_deb;
using test::wanted_wheel;
using test::with;
using testing::ElementsAre;
using testing::HasSubstr;

using Ranges = FileBehaviour::Ranges;

struct FetchTest : testing::Test {
  Scratch scratch;
  fs::path root = scratch / "cache";
  Store store{root};
  HttpServer server;
  Progress progress{ProgressMode::quiet};
  Sources sources{
      .by_name = {{"debian", {server.url("/debian")}}, {"pypi", {server.url("/simple")}}}};
  std::mutex mutex;
  std::vector<double> pauses;
  FetchOptions options{
      .jobs = 2, .attempts = 3, .backoff_seconds = 1, .pause = [this](double seconds) {
        const std::lock_guard guard(mutex);
        pauses.push_back(seconds);
      }};
  std::string bytes = noise(100'000);
  WantedFile file = wanted_deb("pool/main/x/x_1+b~2_amd64.deb", bytes);
  const std::string path = "/debian/pool/main/x/x_1+b~2_amd64.deb";

  FetchResult fetch(const std::vector<WantedFile>& files) {
    return fetch_all(files, sources, store, progress, options);
  }
  template <typename Expected>
  std::string fetch_error(const std::vector<WantedFile>& files) {
    return with(with(error_of<Expected>([&] { fetch(files); }), server.host(), "HOST"),
                scratch.path.string(), "DIR");
  }
  std::vector<std::string> ranges_asked() {
    std::vector<std::string> result;
    for (const auto& request : server.requests()) {
      result.push_back(request.header("range") + " " + request.header("if-range"));
    }
    return result;
  }
  /// Leaves what a killed download leaves.
  void leave_part(const std::string& part, const std::string& from = "") {
    put_file(store.partial_path(file.digest), part);
    if (!from.empty()) {
      put_file(store.partial_path(file.digest).replace_extension(".from"), from);
    }
  }
};

TEST_F(FetchTest, FetchesWheelsThroughTheIndexAndDebsByPath) {
  const std::string wheel = tiny_wheel("left_pad");
  const WantedFile wanted = wanted_wheel("left_pad", wheel);
  server.on("/simple/left-pad/",
            {{.headers = {{"Content-Type", "text/html"}},
              .body = "<a href='../../files/left_pad-1.0-py3-none-any.whl#sha256=" +
                      std::string(wanted.digest.hex()) + "'>left_pad</a>"}});
  server.serve_file("/files/left_pad-1.0-py3-none-any.whl", wheel);
  server.serve_file(path, bytes);
  const FetchResult result = fetch({wanted, file, file});
  EXPECT_EQ(result.files, 2u);
  EXPECT_EQ(result.fetched_files, 2u);
  EXPECT_EQ(result.fetched_bytes, wheel.size() + bytes.size());
  EXPECT_TRUE(store.contains(file.digest));
  EXPECT_EQ(wheel_facts(store, wanted.digest, wanted.name).files, 4u);
  EXPECT_EQ(fetch({wanted, file}).fetched_files, 0u);
  EXPECT_EQ(server.count(path), 1u);
  EXPECT_TRUE(sorted_names(root / "partial").empty());
}

// ---- tries

TEST_F(FetchTest, TriesPassingTroubleAgain) {
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    const std::string text = noise(1000, static_cast<unsigned>(status));
    const WantedFile wanted = wanted_deb("pool/" + std::to_string(status), text);
    server.on("/debian/" + wanted.path, {{.status = status}, {.status = status}, {.body = text}});
    EXPECT_EQ(fetch({wanted}).fetched_files, 1u) << status;
    EXPECT_EQ(server.count("/debian/" + wanted.path), 3u);
  }
}

TEST_F(FetchTest, PausesGrowWithJitter) {
  options.attempts = 7;
  server.on(path, {{.status = 503}});
  EXPECT_EQ(fetch_error<NetworkError>({file}),
            "error: cannot fetch 'http://HOST" + path + "': the server answers 503");
  ASSERT_EQ(pauses.size(), 6u);
  double expected = 1;
  for (const double pause : pauses) {
    EXPECT_GE(pause, expected / 2);
    EXPECT_LE(pause, expected);
    expected = std::min(30.0, expected * 2);
  }
}

TEST_F(FetchTest, RetryAfterIsHonouredUpToAMinute) {
  server.on(path, {{.status = 429, .headers = {{"Retry-After", "7"}}},
                   {.status = 503, .headers = {{"Retry-After", "1000000000"}}},
                   {.body = bytes}});
  fetch({file});
  EXPECT_THAT(pauses, ElementsAre(7, 60));
}

TEST_F(FetchTest, RefusalsAreNotTriedAgain) {
  for (const int status : {400, 401, 403}) {
    server.on(path, {{.status = status}});
    EXPECT_EQ(fetch_error<NetworkError>({file}), "error: cannot fetch 'http://HOST" + path +
                                                     "': the server answers " +
                                                     std::to_string(status));
  }
  EXPECT_TRUE(pauses.empty());
}

TEST_F(FetchTest, ADeadSourceIsGivenUpAfterItsTries) {
  server.on(path, {{.body = bytes, .cut_after = 10, .reset = true}});
  fetch_error<NetworkError>({file});
  EXPECT_EQ(server.count(path), 3u);
}

TEST_F(FetchTest, TheNextSourceIsTried) {
  HttpServer dead;
  HttpServer empty;
  dead.on(path, {{.status = 500}});
  sources.by_name["debian"] = {dead.url("/debian"), empty.url("/debian"), server.url("/debian")};
  server.serve_file(path, bytes);
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
  EXPECT_EQ(dead.count(path), 3u);
  EXPECT_EQ(empty.count(path), 1u);
}

// ---- resumption

TEST_F(FetchTest, ResumesWhereATransferBroke) {
  server.serve_file(path, bytes, {.etag = "\"v1\"", .cut_after = {30'000, 20'000}});
  fetch({file});
  EXPECT_THAT(ranges_asked(), ElementsAre(" ", "bytes=30000- \"v1\"", "bytes=50000- \"v1\""));
}

TEST_F(FetchTest, ProgressResetsTheAllowance) {
  server.serve_file(path, bytes, {.cut_after = std::vector<std::size_t>(12, 8'000)});
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
  EXPECT_EQ(server.count(path), 13u);
}

TEST_F(FetchTest, RepeatingTheSameStartIsNoProgress) {
  server.serve_file(path, bytes,
                    {.ranges = Ranges::ignored, .cut_after = std::vector<std::size_t>(50, 8'000)});
  fetch_error<NetworkError>({file});
  EXPECT_EQ(server.count(path), 4u);  // the first one got somewhere
}

TEST_F(FetchTest, ResumesWhatAnotherProcessLeft) {
  leave_part(bytes.substr(0, 60'000));
  server.serve_file(path, bytes, {.etag = "\"v1\""});
  fetch({file});
  EXPECT_THAT(ranges_asked(), ElementsAre("bytes=60000- "));
}

TEST_F(FetchTest, ResumesWithTheValidatorOnlyAtItsAddress) {
  leave_part(bytes.substr(0, 60'000), "\"v1\"\n" + server.url(path) + "\n");
  server.serve_file(path, bytes, {.etag = "\"v1\""});
  fetch({file});
  EXPECT_THAT(ranges_asked(), ElementsAre("bytes=60000- \"v1\""));
  fs::remove(store.blob_path(file.digest));
  leave_part(bytes.substr(0, 60'000), "\"v1\"\nhttp://other/x\n");
  fetch({file});
  EXPECT_EQ(ranges_asked().back(), "bytes=60000- ");
}

TEST_F(FetchTest, AFileThatChangedBetweenPartsIsStartedAnew) {
  leave_part(noise(60'000, 9), "\"v0\"\n" + server.url(path) + "\n");
  server.serve_file(path, bytes, {.etag = "\"v1\""});
  fetch({file});
  EXPECT_THAT(ranges_asked(), ElementsAre("bytes=60000- \"v0\""));
}

TEST_F(FetchTest, ACompletePartNeedsNoServer) {
  leave_part(bytes);
  fetch({file});
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(FetchTest, AWrongOrTooLongPartIsStartedAnew) {
  server.serve_file(path, bytes);
  for (const std::string& part :
       {noise(60'000, 9), noise(100'000, 9), noise(100'001, 9), bytes + "x"}) {
    leave_part(part);
    EXPECT_EQ(fetch({file}).fetched_files, 1u);
    EXPECT_TRUE(store.contains(file.digest));
    fs::remove(store.blob_path(file.digest));
  }
  leave_part("");
  fs::remove(store.partial_path(file.digest));
  fs::create_symlink(scratch / "elsewhere", store.partial_path(file.digest));
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
  EXPECT_FALSE(fs::exists(scratch / "elsewhere"));
}

TEST_F(FetchTest, WrongAnswersToARangeStartTheFileAnew) {
  // An ignored range is the whole file already; the other two cost one more request.
  const std::pair<Ranges, std::size_t> cases[] = {
      {Ranges::ignored, 2}, {Ranges::wrong_start, 3}, {Ranges::refused, 3}};
  for (const auto& [ranges, requests] : cases) {
    const std::size_t before = server.count(path);
    server.serve_file(path, bytes, {.ranges = ranges, .cut_after = {30'000}});
    EXPECT_EQ(fetch({file}).fetched_files, 1u);
    EXPECT_EQ(server.count(path) - before, requests);
    fs::remove(store.blob_path(file.digest));
  }
}

TEST_F(FetchTest, ARangeOfAnotherFileIsAMismatch) {
  leave_part(bytes.substr(0, 60'000));
  server.serve_file(path, bytes, {.ranges = Ranges::wrong_whole});
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
  EXPECT_THAT(ranges_asked(), ElementsAre("bytes=60000- ", " "));
}

// ---- bytes that are not what is locked

TEST_F(FetchTest, WrongBytesAreAskedForOnceMore) {
  server.on(path, {{.body = noise(100'000, 9)}, {.body = bytes}});
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
}

TEST_F(FetchTest, WrongBytesFromEverySourceAreAnIntegrityError) {
  HttpServer first;
  const std::string wrong = noise(100'000, 9);
  first.on(path, {{.body = bytes.substr(0, 99'999)}});
  server.on(path, {{.body = wrong}});
  sources.by_name["debian"] = {"http://user:secret@" + first.host() + "/debian",
                               "http://user:secret@" + server.host() + "/debian"};
  EXPECT_EQ(fetch_error<IntegrityError>({file}),
            "error: 'x_1+b~2_amd64.deb' is not the file that is locked\n"
            "  expected: " +
                file.digest.str() +
                "\n"
                "  got:      " +
                Digest::of(wrong).str() +
                "\n"
                "  bytes:    100,000 of 100,000\n"
                "  source:   http://HOST" +
                path +
                "\n"
                "hint: name another source: --source debian=URL");
  EXPECT_EQ(first.count(path), 2u);
  EXPECT_EQ(server.count(path), 2u);
  EXPECT_FALSE(store.contains(file.digest));
  EXPECT_EQ(read_file(store.partial_path(file.digest)), "");
}

TEST_F(FetchTest, AnotherSizeIsRefusedBeforeItsFirstByte) {
  server.on(path, {{.headers = {{"Content-Type", "text/html"}}, .body = "<html>Please log in"}});
  EXPECT_EQ(fetch_error<IntegrityError>({file}),
            "error: 'x_1+b~2_amd64.deb' is not the file that is locked\n"
            "  expected: 100,000 bytes\n"
            "  got:      19 bytes\n"
            "  bytes:    0 of 100,000\n"
            "  source:   http://HOST" +
                path +
                "\n"
                "hint: name another source: --source debian=URL");
}

TEST_F(FetchTest, MoreBytesThanTheFileHasEndTheTransfer) {
  server.on(path, {{.body = bytes + noise(1 << 20), .chunked = true}});
  EXPECT_THAT(fetch_error<IntegrityError>({file}), HasSubstr("  got:      more bytes\n"));
}

TEST_F(FetchTest, ACompressedAnswerThatNobodyAskedForIsAMismatch) {
  server.on(path,
            {{.headers = {{"Content-Encoding", "gzip"}}, .body = "\x1f\x8b" + noise(50'000)}});
  EXPECT_THAT(fetch_error<IntegrityError>({file}), HasSubstr("is not the file that is locked"));
}

TEST_F(FetchTest, AChangedBlobIsFetchedAnew) {
  server.serve_file(path, bytes);
  fetch({file});
  fs::permissions(store.blob_path(file.digest), fs::perms::owner_write, fs::perm_options::add);
  put_file(store.blob_path(file.digest), noise(100'000, 9));
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
  EXPECT_TRUE(store.contains(file.digest));
  EXPECT_TRUE(fs::exists(store.blob_path(file.digest).string() + ".bad"));
}

// ---- what no source has

TEST_F(FetchTest, AllMissingFilesAreNamedAtOnceAfterTheOthersWereFetched) {
  const std::string wheel = tiny_wheel("gone");
  const WantedFile gone = wanted_wheel("gone", wheel);
  const WantedFile unlisted = wanted_wheel("unlisted", wheel + "x");
  const WantedFile replaced = wanted_wheel("replaced", wheel + "y");
  const WantedFile deb = wanted_deb("pool/y/y_2_amd64.deb", "yy");
  server.on("/simple/unlisted/", {{.headers = {{"Content-Type", "application/json"}},
                                   .body = R"({"meta":{"api-version":"1.1"},"files":[]})"}});
  server.on(
      "/simple/replaced/",
      {{.body = "<a href='replaced-1.0-py3-none-any.whl#sha256=" + std::string(64, '0') + "'>"}});
  server.serve_file(path, bytes);
  EXPECT_EQ(
      fetch_error<UnavailableError>({gone, deb, unlisted, replaced, file}),
      "error: no source has 4 of 5 locked files\n"
      "  missing: gone-1.0-py3-none-any.whl   (project 'gone' is not known by the index at "
      "'http://HOST/simple')\n"
      "  missing: replaced-1.0-py3-none-any.whl   (listed with sha256 " +
          std::string(64, '0') +
          " by the index at 'http://HOST/simple')\n"
          "  missing: unlisted-1.0-py3-none-any.whl   (not listed by the index at "
          "'http://HOST/simple')\n"
          "  missing: y_2_amd64.deb   (cannot fetch 'http://HOST/debian/pool/y/y_2_amd64.deb': "
          "the server answers 404)\n"
          "hint: imgbuild lock --update gone --update replaced --update unlisted --update y");
  EXPECT_TRUE(store.contains(file.digest));
}

TEST_F(FetchTest, OfflineAsksNobody) {
  sources.offline = true;
  server.serve_file(path, bytes);
  EXPECT_EQ(fetch_error<UnavailableError>({file}),
            "error: no source has 1 of 1 locked files\n"
            "  missing: x_1+b~2_amd64.deb   (offline)\n"
            "hint: leave out --offline, or name a folder that has them: --source folder=DIR");
  EXPECT_TRUE(server.requests().empty());
}

// ---- folders

TEST_F(FetchTest, FindsFilesInFoldersByDigestNameOrPath) {
  sources.offline = true;
  sources.by_name["folder"] = {(scratch / "empty").string(), (scratch / "folder").string()};
  const std::string hex(file.digest.hex());
  for (const std::string& name :
       {hex, "blobs/sha256/" + hex, file.name, "debs/" + file.name, file.path}) {
    put_file(scratch / "folder" / name, bytes);
    EXPECT_EQ(fetch({file}).fetched_files, 1u) << name;
    EXPECT_EQ(read_file(scratch / "folder" / name), bytes);
    fs::remove_all(scratch / "folder");
    fs::remove(store.blob_path(file.digest));
  }
}

TEST_F(FetchTest, AFolderIsVerifiedLikeAnySource) {
  sources.offline = true;
  sources.by_name["folder"] = {(scratch / "folder").string()};
  put_file(scratch / "folder" / file.name, noise(100'000, 9));
  EXPECT_THAT(fetch_error<UnavailableError>({file}), HasSubstr("missing: x_1+b~2_amd64.deb"));
  put_file(scratch / "folder/debs" / file.name, bytes);
  EXPECT_EQ(fetch({file}).fetched_files, 1u);
}

TEST_F(FetchTest, AnExportServesAsAFolder) {
  const std::string wheel = tiny_wheel("left_pad");
  const WantedFile wanted = wanted_wheel("left_pad", wheel);
  for (const std::string& text : {wheel, bytes}) test::put_blob(store, text);
  const fs::path folder = scratch / "export";
  export_files({wanted, file}, store, folder, progress);
  EXPECT_EQ(read_file(folder / "wheels/left_pad-1.0-py3-none-any.whl"), wheel);
  EXPECT_EQ(read_file(folder / "debs/x_1+b~2_amd64.deb"), bytes);
  EXPECT_EQ(read_file(folder / "SHA256SUMS"),
            std::string(file.digest.hex()) + "  debs/x_1+b~2_amd64.deb\n" +
                std::string(wanted.digest.hex()) + "  wheels/left_pad-1.0-py3-none-any.whl\n");
  // A second export keeps what is right and replaces what is not.
  put_file(folder / "copy", bytes);
  fs::rename(folder / "copy", folder / "debs/x_1+b~2_amd64.deb");
  fs::remove(folder / "wheels/left_pad-1.0-py3-none-any.whl");
  put_file(folder / "wheels/left_pad-1.0-py3-none-any.whl", "broken");
  export_files({wanted, file}, store, folder, progress);
  EXPECT_EQ(read_file(folder / "wheels/left_pad-1.0-py3-none-any.whl"), wheel);
  EXPECT_EQ(fs::hard_link_count(folder / "debs/x_1+b~2_amd64.deb"), 1u);

  Store other(scratch / "other");
  sources.offline = true;
  sources.by_name["folder"] = {folder.string()};
  EXPECT_EQ(fetch_all({wanted, file}, sources, other, progress, options).fetched_files, 2u);
}

// ---- wheels

TEST_F(FetchTest, AWheelThatLiesIsKeptAndNamed) {
  const std::string wheel = tiny_wheel("liar", "x = 1\n", "x = 2\n");
  const WantedFile wanted = wanted_wheel("liar", wheel);
  server.on("/simple/liar/", {{.body = "<a href='" + wanted.name + "'>"}});
  server.serve_file("/simple/liar/" + wanted.name, wheel);
  const std::string error = fetch_error<InputError>({wanted});
  EXPECT_THAT(error, HasSubstr("liar-1.0-py3-none-any.whl"));
  EXPECT_THAT(error, HasSubstr("liar.py"));
  EXPECT_TRUE(store.contains(wanted.digest));
  EXPECT_EQ(fetch_error<InputError>({wanted}), error);  // still, without a second download
  EXPECT_EQ(server.count("/simple/liar/" + wanted.name), 1u);
}

// ---- room, rights, neighbours

TEST_F(FetchTest, TooLittleRoomIsFoundBeforeTheFirstByte) {
  WantedFile huge = file;
  huge.size = 1ull << 60;
  const std::string error = fetch_error<SystemError>({huge});
  EXPECT_THAT(error,
              HasSubstr("error: not enough room in the cache 'DIR/cache' for 1 file: No space "
                        "left on device\n  needed: 1.15 EB"));
  EXPECT_THAT(error,
              HasSubstr("hint: free some space ('imgbuild cache gc') or use --cache-dir DIR"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(FetchTest, AReadOnlyStoreServesWhatItHas) {
  const std::string wheel = tiny_wheel("left_pad");
  test::put_blob(store, wheel);
  const test::ReadOnlyFolder read_only(root);
  Store reader(root);
  EXPECT_EQ(fetch_all({wanted_wheel("left_pad", wheel)}, sources, reader, progress, options).files,
            1u);
  EXPECT_EQ(
      with(error_of<SystemError>([&] { fetch_all({file}, sources, reader, progress, options); }),
           root.string(), "ROOT"),
      "error: cannot write to the cache 'ROOT': Read-only file system\n"
      "hint: name another folder: --cache-dir DIR");
}

TEST_F(FetchTest, TwoBuildersOnAColdStoreFetchEachFileOnce) {
  std::vector<WantedFile> files;
  for (unsigned i = 0; i < 12; ++i) {
    const std::string text = noise(50'000 + i, i);
    files.push_back(wanted_deb("pool/" + std::to_string(i) + ".deb", text));
    server.serve_file("/debian/" + files.back().path, text);
  }
  Store second(root);
  FetchResult results[2];
  std::thread other([&] { results[1] = fetch_all(files, sources, second, progress, options); });
  results[0] = fetch_all(files, sources, store, progress, options);
  other.join();
  EXPECT_EQ(results[0].fetched_files + results[1].fetched_files, 12u);
  for (const WantedFile& wanted : files) EXPECT_EQ(server.count("/debian/" + wanted.path), 1u);
}

TEST_F(FetchTest, AFailureEndsWaitingForAnotherBuilderToo) {
  const FileLock held = Store(root).lock(std::string(file.digest.hex()));
  const WantedFile liar = wanted_deb("pool/liar.deb", noise(500, 4));
  server.on("/debian/pool/liar.deb", {{.body = noise(500, 3)}});
  EXPECT_THAT(fetch_error<IntegrityError>({file, liar}), HasSubstr("'liar.deb' is not the file"));
  EXPECT_EQ(server.count(path), 0u);
}

TEST_F(FetchTest, AFailureStopsTheOthersAndKeepsTheirParts) {
  const WantedFile liar = wanted_deb("pool/liar.deb", noise(500, 4));
  std::atomic<int> waits{0};
  options.attempts = 1'000'000;
  options.pause = [&](double) { ++waits; };
  // The small file turns out wrong when the big one has begun and is trying again.
  server.on(path,
            {{.body = bytes.substr(0, 40'000), .content_length = bytes.size()}, {.status = 503}});
  server.on("/debian/pool/liar.deb", [&](const test::ServedRequest&) {
    while (waits == 0) std::this_thread::yield();
    return HttpReply{.body = noise(500, 3)};
  });
  EXPECT_THAT(fetch_error<IntegrityError>({file, liar}), HasSubstr("'liar.deb' is not the file"));
  EXPECT_TRUE(read_file(store.partial_path(file.digest)) == bytes.substr(0, 40'000));
}

// ---- without a network: the client is an interface

TEST_F(FetchTest, AFullDiskEndsTheFetchAndIsNotTriedAgain) {
  FakeWeb web;
  web.on("http://deb.test/debian/pool/x.deb", {{.body = "12345"}});
  sources.by_name["debian"] = {"http://deb.test/debian"};
  options.make_client = [] {
    struct Full final : HttpClient {
      HttpResponse get(const HttpRequest&, Sink&,
                       const std::function<void(const HttpResponse&)>&) override {
        throw SystemError(ENOSPC, "cannot write 'x'");
      }
    };
    return std::make_unique<Full>();
  };
  EXPECT_EQ(fetch_error<SystemError>({wanted_deb("pool/x.deb", "12345")}),
            "error: cannot write 'x': No space left on device");
  EXPECT_TRUE(pauses.empty());
  options.make_client = web.factory();
  EXPECT_EQ(fetch({wanted_deb("pool/x.deb", "12345")}).fetched_files, 1u);
}

TEST_F(FetchTest, PathsBecomeUrls) {
  FakeWeb web;
  options.make_client = web.factory();
  sources.by_name["debian"] = {"http://deb.test/debian"};
  web.on("http://deb.test/debian/pool/a%20b/x+y~1%25_%C3%A9.deb", {{.body = "12345"}});
  EXPECT_EQ(fetch({wanted_deb("pool/a b/x+y~1%_é.deb", "12345")}).fetched_files, 1u);
}

}  // namespace
}  // namespace img
