// SPDX-License-Identifier: Apache-2.0
// When a lock no longer fits, and what is said about it.
#include "builder/base/error.h"
#include "builder/lock/lock_file.h"
#include "tests/unit/lock/sample_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::sample_lock;
using test::sample_manifest;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Staleness, AFittingLockHasNoReasons) {
  EXPECT_THAT(staleness(sample_lock(), sample_manifest()), IsEmpty());
  EXPECT_NO_THROW(require_fresh(sample_lock(), sample_manifest(), "small.lock.json"));
}

TEST(Staleness, NamesAChangedManifest) {
  BuildManifest manifest = sample_manifest();
  const std::string before = manifest.checksum();
  manifest.config.workdir = "/elsewhere";
  EXPECT_THAT(staleness(sample_lock(), manifest),
              ElementsAre("the manifest or one of its recipes changed since (" +
                          manifest.checksum() + " now, " + before + " in the lock)"));
}

TEST(Staleness, NamesAnotherOutputVersionOrFormat) {
  LockFile lock = sample_lock();
  lock.output_version = 99;
  EXPECT_THAT(staleness(lock, sample_manifest()),
              ElementsAre("the lock is made for output version 99, this program writes " +
                          std::to_string(kOutputVersion)));
  lock = sample_lock();
  lock.output_format = "other";
  EXPECT_THAT(staleness(lock, sample_manifest()),
              ElementsAre("the lock is made for output format 'other', this program writes '" +
                          output_format() + "'"));
}

TEST(Staleness, NamesPromisesThatWereNeverVerified) {
  LockFile lock = sample_lock();
  lock.verified = {{"torch", "2.8.0+cu128"}};
  EXPECT_THAT(staleness(lock, sample_manifest()),
              ElementsAre("the manifest promises python 3.11, which the lock never verified",
                          "the lock verified torch 2.8.0+cu128, which the manifest no longer "
                          "promises"));
}

TEST(Staleness, NamesRecipesWithoutEntriesAndEntriesWithoutRecipe) {
  LockFile lock = sample_lock();
  lock.debs.clear();
  lock.wheels[0].layer = "gone";
  lock.bases.push_back({.layer = "gone", .manifest = test::digest_of('d')});
  EXPECT_THAT(staleness(lock, sample_manifest()),
              ElementsAre("the lock has entries of recipe 'gone', which the manifest does not have",
                          "recipe 'base/bookworm' has no entries in the lock",
                          "recipe 'numbers' has no entries in the lock"));
}

TEST(Staleness, NamesABundleThatIsMissingOrNotAskedFor) {
  LockFile lock = sample_lock();
  lock.bundle = test::digest_of('b');
  EXPECT_THAT(
      staleness(lock, sample_manifest()),
      ElementsAre("the lock names a validator bundle, which the manifest does not ask for"));
  BuildManifest manifest = sample_manifest();
  manifest.selftest = true;
  lock.manifest_checksum = manifest.checksum();
  EXPECT_THAT(staleness(lock, manifest), ElementsAre());
  lock.bundle.reset();
  EXPECT_THAT(
      staleness(lock, manifest),
      ElementsAre("the manifest asks for the validator bundle, which the lock does not name"));
}

TEST(Staleness, IsAnErrorThatSaysWhatToRun) {
  LockFile lock = sample_lock();
  lock.output_version = 99;
  try {
    require_fresh(lock, sample_manifest(), "images/small.lock.json");
    FAIL() << "a stale lock was accepted";
  } catch (const ManifestError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::usage);
    EXPECT_EQ(error.render(),
              "error: lock 'images/small.lock.json' is stale\n"
              "  reason: the lock is made for output version 99, this program writes " +
                  std::to_string(kOutputVersion) + "\nhint: run 'imgbuild lock images/small.yaml'");
  }
}

}  // namespace
}  // namespace img
