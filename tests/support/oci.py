# SPDX-License-Identifier: Apache-2.0
"""An OCI layout read by other code than the product's: Python's hashlib, json, gzip and tarfile, and zstd(1)."""

import contextlib
import hashlib
import json
import pathlib
import subprocess
import tarfile
import zlib

from harness import Failure, need, need_equal

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD_LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    need(len(names) == len(set(names)), f"a JSON object names a member twice: {names}")
    return dict(pairs)


def sha256_file(path):
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


class Layout:
    """A layout in a directory. Every document is checked against size and digest of the descriptor that names it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.marker = json.loads((self.folder / "oci-layout").read_text(), object_pairs_hook=no_duplicates)
        self.index_bytes = (self.folder / "index.json").read_bytes()
        self.index = json.loads(self.index_bytes, object_pairs_hook=no_duplicates)
        need_equal(1, len(self.index["manifests"]), "number of manifests in index.json")
        self.manifest_descriptor = self.index["manifests"][0]
        self.manifest = self.document(self.manifest_descriptor)
        self.config = self.document(self.manifest["config"])

    @property
    def digest(self):
        return self.manifest_descriptor["digest"]

    @property
    def layers(self):
        return self.manifest["layers"]

    def blob(self, descriptor):
        algorithm, _, encoded = descriptor["digest"].partition(":")
        return self.folder / "blobs" / algorithm / encoded

    def document(self, descriptor):
        data = self.blob(descriptor).read_bytes()
        need_equal(descriptor["size"], len(data), f"size of {descriptor['digest']}")
        need_equal(descriptor["digest"], "sha256:" + hashlib.sha256(data).hexdigest(), "digest of a document")
        return json.loads(data, object_pairs_hook=no_duplicates)

    def verify_blobs(self):
        """Every blob is what its name says, every descriptor has the right size, and nothing lies beside them."""
        named = {d["digest"]: d["size"] for d in
                 [self.manifest_descriptor, self.manifest["config"], *self.layers]}
        for path in sorted((self.folder / "blobs" / "sha256").iterdir()):
            digest = "sha256:" + path.name
            need(digest in named, f"blob {digest} is named by nobody")
            need_equal(named[digest], path.stat().st_size, f"size of {digest}")
            need_equal(digest, sha256_file(path), "sha256 of a blob")
        present = {"sha256:" + p.name for p in (self.folder / "blobs" / "sha256").iterdir()}
        need(named.keys() <= present, f"missing blobs: {sorted(named.keys() - present)}")
        return len(named)

    @contextlib.contextmanager
    def open_tar(self, number):
        """The plain tar stream of one layer."""
        descriptor = self.layers[number]
        with open_plain(self.blob(descriptor), descriptor["mediaType"]) as stream:
            yield stream

    def verify_diff_ids(self):
        """The sha256 of each plain tar is the config's diff_id; each gzip layer is one member without a tail."""
        diff_ids = self.config["rootfs"]["diff_ids"]
        need_equal(len(self.layers), len(diff_ids), "number of diff_ids")
        for number, expected in enumerate(diff_ids):
            with self.open_tar(number) as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            need_equal(expected, "sha256:" + digest, f"diff_id of layer {number}")

    def entries(self, number):
        """tarfile members of one layer, in order."""
        with self.open_tar(number) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                yield tar, member


class GzipOneMember:
    """Reads a gzip file that must be exactly one member with a fixed header; a second member or a tail is a Failure."""

    def __init__(self, file):
        self.file = file
        head = file.read(10)
        need_equal(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", head[:8], "gzip header (no name, mtime 0)")
        need_equal(255, head[9], "OS byte of the gzip header")
        self.inflater = zlib.decompressobj(-15)
        self.crc, self.length, self.done = 0, 0, False
        self.pending = b""

    def read(self, size=-1):
        want = size if size and size > 0 else 1 << 62
        parts, got = [], 0
        while got < want and not self.done:
            data = self.pending or self.file.read(1 << 20)
            need(data, "the deflate stream is cut off")
            plain = self.inflater.decompress(data, min(want - got, 4 << 20))
            self.pending = self.inflater.unconsumed_tail
            self.crc = zlib.crc32(plain, self.crc)
            self.length += len(plain)
            parts.append(plain)
            got += len(plain)
            if self.inflater.eof:
                self._trailer()
        return b"".join(parts)

    def readinto(self, buffer):
        data = self.read(len(buffer))
        buffer[:len(data)] = data
        return len(data)

    def readable(self):
        return True

    def _trailer(self):
        tail = self.inflater.unused_data + self.file.read()
        need_equal(8, len(tail), "bytes after the deflate stream (one member has 8)")
        need_equal(self.crc, int.from_bytes(tail[:4], "little"), "CRC-32 of the gzip member")
        need_equal(self.length & 0xFFFFFFFF, int.from_bytes(tail[4:], "little"), "ISIZE of the gzip member")
        self.done = True


@contextlib.contextmanager
def open_plain(path, media_type):
    if media_type == GZIP_LAYER:
        with open(path, "rb") as file:
            yield GzipOneMember(file)
    elif media_type == ZSTD_LAYER:
        with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as child:
            yield child.stdout
            child.stdout.close()
            code = child.wait()
            # A reader may stop after the end of the archive: zstd then dies of a broken pipe.
            if code not in (0, 1, -13):
                raise Failure(f"zstd -d of {path} ends with {code}")
    else:
        raise Failure(f"unknown layer type '{media_type}'")


def canonical_tar_problems(layout, number, mtime=1577836800):
    """What breaks the canonical form of a layer that we write: order, times, owners' names, types, duplicates."""
    problems, seen, last = [], set(), None
    for _, member in layout.entries(number):
        name = member.name.encode("utf-8", "surrogateescape")
        if last is not None and name <= last:
            problems.append(f"'{member.name}' is out of order or twice")
        last = name
        parent = member.name.rpartition("/")[0]
        if parent and parent not in seen:
            problems.append(f"'{member.name}' comes before its folder")
        seen.add(member.name)
        if member.mtime != mtime:
            problems.append(f"'{member.name}' has mtime {member.mtime}")
        if member.uname or member.gname:
            problems.append(f"'{member.name}' names its owner")
        if member.name.startswith(("/", "./")) or ".." in member.name.split("/"):
            problems.append(f"'{member.name}' is no plain relative path")
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            problems.append(f"'{member.name}' has type {member.type!r}")
        foreign = {k for k in member.pax_headers if k not in ("path", "linkpath", "size")
                   and not k.startswith("SCHILY.xattr.")}
        if foreign:
            problems.append(f"'{member.name}' has PAX records {sorted(foreign)}")
    return problems
