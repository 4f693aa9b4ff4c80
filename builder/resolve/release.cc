// SPDX-License-Identifier: Apache-2.0
// Proving that an InRelease file was signed by a pinned key and is the one that was asked for.
#include "builder/resolve/release.h"

#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "builder/inputs/debian.h"

#include <algorithm>
#include <array>
#include <utility>

namespace img {
namespace {

/// A Release may be this much ahead of our clock.
constexpr std::int64_t kClockSlack = 600;

[[noreturn]] void refuse(const std::string& suite, const std::string& problem) {
  throw IntegrityError("InRelease of suite '" + suite + "' " + problem);
}

/// gpgv reads past text around a block and several blocks; apt and we would then read different
/// things.
void require_one_block(std::string_view text, const std::string& suite) {
  static constexpr std::string_view kBegin = "-----BEGIN PGP SIGNED MESSAGE-----";
  static constexpr std::string_view kSignature = "-----BEGIN PGP SIGNATURE-----";
  static constexpr std::string_view kEnd = "-----END PGP SIGNATURE-----";
  if (text.find('\r') != std::string_view::npos) refuse(suite, "has carriage returns");
  if (text.find('\0') != std::string_view::npos) refuse(suite, "has NUL bytes");
  std::size_t begins = 0, signatures = 0, ends = 0;
  std::string last;
  for (const std::string& line : split(text, '\n')) {
    begins += line == kBegin ? 1 : 0;
    signatures += line == kSignature ? 1 : 0;
    ends += line == kEnd ? 1 : 0;
    if (!line.empty()) last = line;
  }
  const bool starts = text.starts_with(std::string(kBegin) + "\n");
  if (!starts || begins != 1 || signatures != 1 || ends != 1 || last != kEnd) {
    refuse(suite, "is not exactly one clearsigned block");
  }
}

struct Verified {
  std::string text;
  std::vector<std::string> signers;
};

Verified run_gpgv(const fs::path& in_release, const ReleaseRequest& request, const fs::path& work) {
  const fs::path output = work / (request.suite + ".Release");
  remove_tree(output);
  ProcessSpec spec;
  spec.argv = {require_program("gpgv", "gpgv").string(),
               "--homedir",
               work.string(),
               "--keyring",
               request.keyring.string(),
               "--status-fd",
               "1",
               "--output",
               output.string(),
               in_release.string()};
  spec.env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}, {"HOME", work.string()}};
  spec.cwd = work;
  const ProcessResult result = run_process(spec);
  // gpgv's exit code is also non-zero when one of several keys is unknown: its status lines decide.
  Verified verified{.text = {}, .signers = good_signers(result.stdout_text, request.suite)};
  if (fs::exists(output)) verified.text = read_file(output);
  return verified;
}

std::vector<std::string> pinned_signers(const Verified& verified, const ReleaseRequest& request) {
  std::vector<std::string> pinned;
  for (const std::string& signer : verified.signers) {
    const auto& known = request.fingerprints;
    if (std::find(known.begin(), known.end(), signer) != known.end()) pinned.push_back(signer);
  }
  std::sort(pinned.begin(), pinned.end());
  pinned.erase(std::unique(pinned.begin(), pinned.end()), pinned.end());
  if (!pinned.empty() && !verified.text.empty()) return pinned;
  throw IntegrityError(ErrorText{
      .message = "InRelease of suite '" + request.suite + "' is not signed by a pinned key",
      .details = {{"expected", join(request.fingerprints, " or "), "the recipe's keyring"},
                  {"got",
                   verified.signers.empty() ? "no good signature" : join(verified.signers, ", "),
                   request.keyring.string()}},
      .hint = "if the archive's keys changed, put the new fingerprint into the recipe after "
              "checking it"});
}

std::string field(const DebianStanza& stanza, const char* name) {
  return stanza.find(name).value_or("");
}

std::int64_t date_field(const DebianStanza& stanza, const char* name, const std::string& suite) {
  const std::string text = field(stanza, name);
  const auto seconds = parse_release_date(text);
  if (!seconds)
    refuse(suite, std::string("has no readable ") + name + ": '" + printable(text) + "'");
  return *seconds;
}

void require_current(std::int64_t date, std::optional<std::int64_t> valid_until,
                     const ReleaseRequest& request) {
  const std::string name = "InRelease of suite '" + request.suite + "'";
  const std::string now = format_rfc3339(request.now);
  if (date > request.now + kClockSlack) {
    throw UnavailableError(
        ErrorText{.message = name + " is dated in the future",
                  .details = {{"date", format_rfc3339(date)}, {"now", now, "this machine's clock"}},
                  .hint = "check the clock of this machine"});
  }
  if (valid_until && *valid_until < request.now) {
    throw UnavailableError(
        ErrorText{.message = name + " is no longer valid",
                  .details = {{"valid until", format_rfc3339(*valid_until)}, {"now", now}},
                  .hint = "use a mirror that is up to date (--source debian=URL)"});
  }
  const auto previous = parse_rfc3339(request.previous_date);
  if (previous && date < *previous) {
    throw UnavailableError(
        ErrorText{.message = name + " is older than the one of the last lock",
                  .details = {{"date", format_rfc3339(date), "the mirror"},
                              {"last", request.previous_date, "the lock"}},
                  .hint = "use a mirror that is up to date (--source debian=URL)"});
  }
}

LockedRelease read_release(const std::string& text, const ReleaseRequest& request) {
  const std::vector<DebianStanza> stanzas = parse_deb822(text, "InRelease of " + request.suite);
  if (stanzas.size() != 1) refuse(request.suite, "has more than one stanza");
  const DebianStanza& stanza = stanzas.front();
  LockedRelease release{.sha256 = Digest::of(std::string_view())};
  release.suite = request.suite;
  release.codename = field(stanza, "Codename");
  release.origin = field(stanza, "Origin");
  release.label = field(stanza, "Label");
  const std::string suite = field(stanza, "Suite");
  if (release.codename != request.suite && suite != request.suite) {
    refuse(request.suite, "is that of suite '" + printable(suite) + "', codename '" +
                              printable(release.codename) + "'");
  }
  const std::int64_t date = date_field(stanza, "Date", request.suite);
  std::optional<std::int64_t> valid_until;
  if (stanza.find("Valid-Until")) {
    valid_until = date_field(stanza, "Valid-Until", request.suite);
    release.valid_until = format_rfc3339(*valid_until);
  }
  require_current(date, valid_until, request);
  release.date = format_rfc3339(date);
  return release;
}

int month_number(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto at = std::find(kMonths.begin(), kMonths.end(), name);
  return at == kMonths.end() ? 0 : static_cast<int>(at - kMonths.begin()) + 1;
}

}  // namespace

std::vector<std::string> good_signers(std::string_view status_lines, const std::string& name) {
  std::vector<std::string> signers;
  bool good = false;  // of the signature that the lines speak of now
  for (const std::string& line : split(status_lines, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() < 2 || words[0] != "[GNUPG:]") continue;
    if (words[1] == "BADSIG") refuse(name, "has a bad signature");
    // Expired and revoked keys say VALIDSIG too: only the one after a GOODSIG counts.
    if (words[1] == "NEWSIG") good = false;
    if (words[1] == "GOODSIG") good = true;
    if (words[1] == "EXPSIG" || words[1] == "EXPKEYSIG" || words[1] == "REVKEYSIG" ||
        words[1] == "ERRSIG") {
      good = false;
    }
    if (words[1] == "VALIDSIG" && good) signers.push_back(words.back());
  }
  return signers;
}

std::optional<std::int64_t> parse_release_date(std::string_view text) {
  // Weekday, day, month, year, time, zone.
  const std::vector<std::string> words = split(text, ' ');
  if (words.size() != 6 || (words[5] != "UTC" && words[5] != "GMT" && words[5] != "+0000")) {
    return std::nullopt;
  }
  const int month = month_number(words[2]);
  if (month == 0 || !words[0].ends_with(',') || words[1].empty()) return std::nullopt;
  const auto two = [](const std::string& number) {
    return number.size() == 1 ? "0" + number : number;
  };
  return parse_rfc3339(words[3] + "-" + two(std::to_string(month)) + "-" + two(words[1]) + "T" +
                       words[4] + "Z");
}

LockedRelease verify_release(const fs::path& in_release, const ReleaseRequest& request,
                             const fs::path& work) {
  const std::string bytes = read_file(in_release);
  require_one_block(bytes, request.suite);
  const Verified verified = run_gpgv(in_release, request, work);
  std::vector<std::string> signers = pinned_signers(verified, request);
  LockedRelease release = read_release(verified.text, request);
  release.sha256 = Digest::of(bytes);
  release.signed_by = std::move(signers);
  return release;
}

}  // namespace img
