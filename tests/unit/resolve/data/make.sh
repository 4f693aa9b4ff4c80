#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the signed files of this folder anew, with new keys: a tiny Debian archive and odd InRelease files.
# Needs gpg. Run it only to change them; fingerprints.txt is rewritten as well.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GNUPGHOME="$work/home"
mkdir -m 700 "$GNUPGHOME"
# Keys and signatures are of a fixed day in the past, so that no clock is behind them.
at() { gpg --batch --quiet --no-tty --faked-system-time 20240101T000000! --passphrase '' "$@"; }
new_key() { at --quick-gen-key "$1 <$1@example.invalid>" ed25519 sign "$2"; }
fingerprint() { gpg --batch --with-colons --list-keys "$1@example.invalid" | awk -F: '/^fpr/ {print $10; exit}'; }

new_key signer never
new_key other never
new_key expired 1d
new_key revoked never

for name in signer other expired revoked; do echo "$name $(fingerprint $name)"; done > fingerprints.txt

release() { # suite date [more lines]
  printf 'Origin: Debian\nLabel: Debian\nSuite: stable-of-old\nCodename: %s\nDate: %s\n' "$1" "$2"
  shift 2
  for line in "$@"; do printf '%s\n' "$line"; done
}
sign() { # output user...
  out=$1; shift
  users=
  for user in "$@"; do users="$users -u $user@example.invalid"; done
  # shellcheck disable=SC2086
  at --yes $users --digest-algo SHA256 --clearsign -o "$out" "$work/release"
}
day='Sat, 13 Jan 2024 10:26:28 UTC'

# An archive of two parts, and nothing in its pools.
rm -rf archive in_release
deb() { # package version depends [more lines]
  hash=$(printf '%s %s' "$1" "$2" | sha256sum | cut -c1-64)
  printf 'Package: %s\nVersion: %s\nArchitecture: amd64\n' "$1" "$2"
  [ -z "$3" ] || printf 'Depends: %s\n' "$3"
  printf 'Filename: pool/main/%s_%s_amd64.deb\nSize: %s\nSHA256: %s\n' "$1" "${2#*:}" "$((100 + ${#1}))" "$hash"
  shift 3
  for line in "$@"; do printf '%s\n' "$line"; done
  echo
}
suite() { # archive suite
  folder="archive/$1/dists/$2"
  file="main/binary-amd64/Packages"
  mkdir -p "$folder/main/binary-amd64"
  cat > "$folder/$file"
  release "$2" "$day" 'Architectures: amd64' 'Components: main' 'SHA256:' \
    " $(sha256sum "$folder/$file" | cut -c1-64) $(stat -c %s "$folder/$file") $file" > "$work/release"
  sign "$folder/InRelease" signer
}
{
  deb base-files 12.4 '' 'Essential: yes'
  deb libc6 2.36-9+deb12u1 libgcc-s1
  deb libgcc-s1 12.2.0-14 ''
  deb zlib1g 1:1.2.13.dfsg-1 libc6
  deb python3.11-minimal 3.11.2-6 'libc6, zlib1g'
  deb mailer 1.0 libc6 'Provides: mail-transport-agent'
  deb tool 1.0 'zlib1g, python3.11-minimal'
  deb impossible 1.0 'nothing-like-it'
  deb newer-zlib 1.0 'zlib1g (>= 1:2)'
} | suite debian bookworm
{
  deb libc6 2.36-9+deb12u14 libgcc-s1
  deb python3.11-minimal 3.11.2-6+deb12u6 'libc6, zlib1g'
} | suite debian-security bookworm-security

# InRelease files of suite "bookworm", each with one thing about it.
mkdir in_release
release bookworm "$day" > "$work/release"
sign in_release/good signer
sign in_release/two_signers signer other
sign in_release/other_key other
sign in_release/expired_key expired
sign in_release/revoked_key revoked
sed 's/^Label: Debian$/Label: Debiam/' in_release/good > in_release/changed_text
{ echo 'Codename: evil'; cat in_release/good; } > in_release/text_before
{ cat in_release/good; echo 'Codename: evil'; } > in_release/text_after
cat in_release/good in_release/good > in_release/two_blocks
sed 's/$/\r/' in_release/good > in_release/crlf
cp "$work/release" in_release/unsigned
release trixie "$day" > "$work/release"
sign in_release/other_suite signer
release bookworm "$day" 'Valid-Until: Sat, 20 Jan 2024 10:26:28 UTC' > "$work/release"
sign in_release/valid_for_a_week signer
release bookworm 'yesterday' > "$work/release"
sign in_release/no_date signer
{ release bookworm "$day"; echo; echo 'Codename: bookworm'; } > "$work/release"
sign in_release/two_stanzas signer

# The revocation comes last: gpg does not sign with a revoked key.
sed 's/^:-----BEGIN/-----BEGIN/' "$GNUPGHOME/openpgp-revocs.d/$(fingerprint revoked).rev" > "$work/revocation"
at --import "$work/revocation"
rm -f keyring.gpg
gpg --batch --export > keyring.gpg
