// SPDX-License-Identifier: Apache-2.0
// The lock's JSON form: one way to write it, and what is refused when it is read.
#include "builder/lock/lock_file.h"

#include "builder/base/error.h"
#include "builder/base/json.h"
#include "tests/unit/lock/sample_lock.h"

#include <gtest/gtest.h>

#include <functional>

namespace img {
namespace {

using test::sample_lock;

/// The sample as JSON after `change`.
std::string changed(const std::function<void(Json&)>& change) {
  Json value = parse_json(format_lock(sample_lock()), "sample");
  change(value);
  return pretty_json(value);
}

std::string message_of(const std::string& text) {
  try {
    parse_lock(text, "x.lock.json");
  } catch (const InputError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::usage);
    return error.render();
  }
  return "accepted";
}

TEST(LockFile, KeepsTheBundleAndLeavesItOutWhereThereIsNone) {
  LockFile lock = sample_lock();
  EXPECT_EQ(format_lock(lock).find("bundle"), std::string::npos);
  lock.bundle = test::digest_of('b');
  EXPECT_EQ(parse_lock(format_lock(lock), "x.lock.json").bundle, lock.bundle);
}

TEST(LockFile, ReadsWhatItWrote) {
  const std::string text = format_lock(sample_lock());
  const LockFile read = parse_lock(text, "x.lock.json");
  EXPECT_EQ(format_lock(read), text);
  EXPECT_EQ(read.wheels.at(0).uploaded, "2026-05-18T23:33:29Z");
  EXPECT_EQ(read.debs.at(0).version, "1:2.36-9+deb12u14~x");
  EXPECT_EQ(read.releases.at(0).signed_by.at(0), std::string(40, 'A'));
}

TEST(LockFile, WritesTheSameBytesForAnyOrderOfWheelsAndReleases) {
  LockFile lock = sample_lock();
  lock.wheels.push_back(lock.wheels.front());
  lock.wheels.back().name = "attrs";
  lock.releases.push_back(lock.releases.front());
  lock.releases.back().suite = "bookworm";
  LockFile reversed = lock;
  std::swap(reversed.wheels[0], reversed.wheels[1]);
  std::swap(reversed.releases[0], reversed.releases[1]);
  EXPECT_EQ(format_lock(lock), format_lock(reversed));
}

TEST(LockFile, LeavesOutWhatIsNotKnown) {
  LockFile lock = sample_lock();
  lock.wheels[0].uploaded.clear();
  lock.releases[0].valid_until.clear();
  const std::string text = format_lock(lock);
  EXPECT_EQ(text.find("uploaded"), std::string::npos);
  EXPECT_EQ(text.find("validUntil"), std::string::npos);
  EXPECT_EQ(format_lock(parse_lock(text, "x")), text);
}

TEST(LockFile, SaysThatANewerProgramMadeIt) {
  EXPECT_EQ(message_of(changed([](Json& lock) { lock["lockVersion"] = 2; })),
            "error: lock 'x.lock.json' has version 2, made by a newer imgbuild\n"
            "  expected: 1   (this program)\n"
            "hint: update imgbuild, or lock again with this one");
}

TEST(LockFile, ReportsTheVersionBeforeAnythingThatANewerFormMayHave) {
  const std::string message = message_of(changed([](Json& lock) {
    lock["lockVersion"] = 3;
    lock["novelty"] = true;
    lock.erase("wheels");
  }));
  EXPECT_NE(message.find("made by a newer imgbuild"), std::string::npos) << message;
}

struct Refusal {
  const char* name;
  void (*change)(Json&);
  const char* message;
};

class RefusedLock : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedLock, IsAnInputErrorThatNamesThePlace) {
  EXPECT_EQ(message_of(changed(GetParam().change)), std::string("error: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    LockFile, RefusedLock,
    testing::Values(
        Refusal{"UnsafeWheelFile", [](Json& l) { l["wheels"][0]["file"] = "../x.whl"; },
                "x.lock.json: wheels[0].file: '../x.whl' is not the file name of a wheel"},
        Refusal{"WheelFileWithSlash", [](Json& l) { l["wheels"][0]["file"] = "a/b.whl"; },
                "x.lock.json: wheels[0].file: 'a/b.whl' is not the file name of a wheel"},
        Refusal{"HiddenWheelFile", [](Json& l) { l["wheels"][0]["file"] = ".x.whl"; },
                "x.lock.json: wheels[0].file: '.x.whl' is not the file name of a wheel"},
        Refusal{"NotNormalisedName", [](Json& l) { l["wheels"][0]["name"] = "Num_Py"; },
                "x.lock.json: wheels[0].name: 'Num_Py' is not a normalised distribution name"},
        Refusal{"PathThatClimbs", [](Json& l) { l["debs"][0]["path"] = "pool/../x.deb"; },
                "x.lock.json: debs[0].path: 'pool/../x.deb' is not the path of a .deb below an "
                "archive's root"},
        Refusal{"AbsolutePath", [](Json& l) { l["debs"][0]["path"] = "/pool/x.deb"; },
                "x.lock.json: debs[0].path: '/pool/x.deb' is not the path of a .deb below an "
                "archive's root"},
        Refusal{"PackageLikeAnOption", [](Json& l) { l["debs"][0]["package"] = "-o"; },
                "x.lock.json: debs[0].package: '-o' is not the name of a Debian package"},
        Refusal{"VersionWithSpace", [](Json& l) { l["debs"][0]["version"] = "1 2"; },
                "x.lock.json: debs[0].version: '1 2' is not a version"},
        Refusal{"Address", [](Json& l) { l["wheels"][0]["index"] = "https://host.test/simple"; },
                "x.lock.json: wheels[0].index: a lock holds no addresses, found "
                "'https://host.test/simple'"},
        Refusal{"ShortHash", [](Json& l) { l["wheels"][0]["sha256"] = "abc"; },
                "x.lock.json: wheels[0].sha256: 'abc' is not 64 lower-case hex digits"},
        Refusal{"UpperCaseHash", [](Json& l) { l["debs"][0]["sha256"] = std::string(64, 'A'); },
                "x.lock.json: debs[0].sha256: "
                "'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' is not 64 "
                "lower-case hex digits"},
        Refusal{"EmptyFile", [](Json& l) { l["wheels"][0]["size"] = 0; },
                "x.lock.json: wheels[0].size: a size of 0 is no file"},
        Refusal{"BadTime", [](Json& l) { l["created"] = "yesterday"; },
                "x.lock.json: created: 'yesterday' is not a time (RFC 3339)"},
        Refusal{"NobodySigned", [](Json& l) { l["releases"][0]["signedBy"] = Json::array(); },
                "x.lock.json: releases[0].signedBy: nobody signed this release"},
        Refusal{"NoFingerprint", [](Json& l) { l["releases"][0]["signedBy"][0] = "abc"; },
                "x.lock.json: releases[0].signedBy: 'abc' is not a key fingerprint"},
        Refusal{"LayerThatClimbs", [](Json& l) { l["debs"][0]["layer"] = "a/../b"; },
                "x.lock.json: debs[0].layer: 'a/../b' is not the name of a recipe"},
        Refusal{"WheelTwice", [](Json& l) { l["wheels"].push_back(l["wheels"][0]); },
                "x.lock.json: wheels[1]: 'numpy' is there twice"},
        Refusal{"DebTwice", [](Json& l) { l["debs"].push_back(l["debs"][0]); },
                "x.lock.json: debs[1]: 'libc6:amd64' is there twice"},
        Refusal{"OutOfOrder",
                [](Json& l) {
                  l["wheels"].push_back(l["wheels"][0]);
                  l["wheels"][1]["name"] = "attrs";
                },
                "x.lock.json: wheels[1]: 'attrs' is out of order, wheels are sorted by name"},
        Refusal{"UnknownSuite", [](Json& l) { l["debs"][0]["suite"] = "sid"; },
                "x.lock.json: debs[0].suite: no release 'sid' is in the lock"},
        Refusal{"BadChecksum", [](Json& l) { l["manifest"]["checksum"] = "1"; },
                "x.lock.json: manifest.checksum: '1' is no digest"}),
    [](const auto& refusal) { return refusal.param.name; });

TEST(LockFile, RefusesUnknownKeysAtEveryLevel) {
  for (const char* place : {"", "/wheels/0", "/debs/0", "/releases/0", "/manifest", "/output"}) {
    const std::string message =
        message_of(changed([&](Json& lock) { lock[Json::json_pointer(place)]["extra"] = 1; }));
    EXPECT_NE(message.find("extra"), std::string::npos) << place << ": " << message;
  }
}

TEST(LockFile, RefusesEachMissingKey) {
  for (const char* place : {"", "/wheels/0", "/debs/0", "/releases/0", "/manifest", "/output"}) {
    const Json whole = parse_json(format_lock(sample_lock()), "sample");
    for (const auto& [key, value] : whole[Json::json_pointer(place)].items()) {
      if (key == "uploaded" || key == "validUntil") continue;
      const std::string removed = key;
      const std::string message =
          message_of(changed([&](Json& lock) { lock[Json::json_pointer(place)].erase(removed); }));
      EXPECT_NE(message.find(removed), std::string::npos) << place << ": " << message;
    }
  }
}

TEST(LockPath, ReplacesTheExtension) {
  EXPECT_EQ(lock_path_of("manifests/x.yaml"), "manifests/x.lock.json");
  EXPECT_EQ(lock_path_of("x-2.8.0.yml"), "x-2.8.0.lock.json");
  EXPECT_EQ(lock_path_of("dir.d/x-2.8.0"), "dir.d/x-2.8.0.lock.json");
}

}  // namespace
}  // namespace img
