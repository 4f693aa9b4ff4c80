// SPDX-License-Identifier: Apache-2.0
// Reports for tests: one of each status, and one whose every text is hostile.
#pragma once

#include "validators/report/report.h"

#include <string>

namespace img {

inline CheckResult failed_size() {
  CheckResult check{.id = "IMG-SIZE", .tier = Tier::image, .status = Status::fail};
  check.reason = "the image is larger than the manifest allows";
  check.findings = {{.status = Status::fail,
                     .message = "the image is larger than the manifest allows",
                     .expected = "at most 3.00 GB",
                     .actual = "3.40 GB",
                     .source = "checks.size.compressed of the manifest"},
                    {.status = Status::pass, .message = "unpacked size is 7.01 GB"}};
  check.seconds = 0.0012;
  return check;
}

inline CheckResult warned_leftover() {
  CheckResult check{.id = "IMG-LEFTOVER", .tier = Tier::image, .status = Status::warn};
  check.reason = "1 file of the logs, 12 B";
  check.findings = {{.status = Status::warn,
                     .message = "'/var/log/dpkg.log' is a log",
                     .path = "/var/log/dpkg.log",
                     .layer = "sha256:" + std::string(64, '2')}};
  return check;
}

inline CheckResult passed_digest() {
  CheckResult check{.id = "IMG-DIGEST", .tier = Tier::image, .status = Status::pass};
  check.findings = {
      {.status = Status::pass, .message = "14 blobs are what their digests say"},
      {.status = Status::pass, .message = "12 layers have the DiffIDs of the config"}};
  check.seconds = 4.25;
  return check;
}

inline CheckResult waived_waste() {
  CheckResult check{.id = "IMG-WASTE", .tier = Tier::image, .status = Status::waived};
  check.reason = "20 MB are hidden";
  check.findings = {{.status = Status::fail, .message = "20 MB are hidden", .path = "/opt/big"}};
  check.waiver_reason = "until the base is rebuilt";
  check.waiver_expiry = "2027-01-31";
  return check;
}

/// One check of every status.
inline Report sample_report() {
  Report report;
  report.tool_version = "0.1.0";
  report.started = "2026-11-25T00:10:41Z";
  report.seconds = 12.3456;
  report.image = {.reference = "out/pytorch",
                  .manifest_digest = "sha256:" + std::string(64, '1'),
                  .config_digest = "sha256:" + std::string(64, 'c'),
                  .name = "pytorch-cuda:2.8.0",
                  .packed_size = 3'400'000'000,
                  .unpacked_size = 7'010'000'000,
                  .layers = {"sha256:" + std::string(64, '2'), "sha256:" + std::string(64, '3')}};
  report.manifest_name = "pytorch-cuda:2.8.0";
  report.manifest_checksum = "sha256:" + std::string(64, 'a');
  report.machine = {.kernel = "Linux 6.1.0",
                    .architecture = "x86_64",
                    .cpu = "Example CPU",
                    .cores = 2,
                    .memory = 24'000'000'000,
                    .runtime = "runc 1.1.5"};
  report.tiers = {"static", "container"};
  report.phases = {{"inspect", 5.125}, {"unpack", 6.5}};
  report.facts = {{"cuda", "12.8"}, {"torch", "2.8.0+cu128"}};
  report.notes = {"containers are not limited by a control group here"};
  CheckResult simulated{.id = "DRV-STATE", .tier = Tier::container, .status = Status::pass};
  simulated.findings = {{.status = Status::pass, .message = "no driver, as expected"}};
  simulated.simulated = true;
  report.checks = {passed_digest(),
                   failed_size(),
                   waived_waste(),
                   warned_leftover(),
                   skipped("ARCH-LIST", Tier::image, "the manifest names no GPUs"),
                   blocked("LOAD-TORCH", Tier::container, "the probe was killed after 60 s"),
                   simulated};
  return report;
}

/// What an image would write to break out of every form.
inline std::string hostile_text() {
  return "x\x1b[31m\n::error::injected\n##[error]injected]]>\r\"'<script>alert(1)</script>&amp;"
         "```\n# heading\n| a | b |\n[link](javascript:alert(1)) @user #1 "
         "https://example.com/\x01\xff\xef\xbf\xbe\xe2\x80\xae%0A::warning::too</details>"
         "{{template}}$(id)";
}

inline Report hostile_report() {
  const std::string evil = hostile_text();
  Report report;
  report.tool_version = evil;
  report.started = evil;
  report.image = {.reference = evil,
                  .manifest_digest = evil,
                  .config_digest = evil,
                  .name = evil,
                  .packed_size = 1,
                  .unpacked_size = 1,
                  .layers = {evil}};
  report.manifest_name = report.manifest_checksum = evil;
  report.machine = {.kernel = evil,
                    .architecture = evil,
                    .cpu = evil,
                    .runtime = evil,
                    .gpus = {evil},
                    .driver = evil};
  report.phases = {{evil, 1}};
  report.facts = {{evil, evil}};
  report.notes = {evil};
  report.verdict =
      ReportVerdict{.allowed = false, .exit_code = 1, .policy = evil, .reasons = {evil}};
  const Finding finding{.status = Status::fail,
                        .message = evil,
                        .path = "/" + evil,
                        .layer = evil,
                        .expected = evil,
                        .actual = evil,
                        .source = evil};
  for (const Status status : {Status::fail, Status::blocked, Status::warn, Status::waived,
                              Status::skipped, Status::pass}) {
    CheckResult check{.id = status == Status::fail ? evil : "IMG-LAYER",
                      .tier = Tier::image,
                      .status = status,
                      .reason = evil,
                      .findings = {finding, finding}};
    if (status == Status::waived) check.waiver_reason = check.waiver_expiry = evil;
    report.checks.push_back(check);
  }
  return report;
}

/// `count` failing checks with `findings` findings each.
inline Report big_report(std::size_t count, std::size_t findings) {
  Report report = sample_report();
  report.checks.clear();
  for (std::size_t i = 0; i < count; ++i) {
    CheckResult check = failed_size();
    check.findings.assign(findings, check.findings.front());
    report.checks.push_back(check);
  }
  return report;
}

}  // namespace img
