# SPDX-License-Identifier: Apache-2.0
"""A small world of its own for tests without a network: wheels, debs, an OCI base, manifests with locks, a scripted server."""

import base64
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import re
import tarfile
import threading
import time
import zipfile

from harness import Failure, imgbuild, run

DATE = "2026-01-02T03:04:05Z"
FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_wheel(name, version="1.0", size=2000, seed=1):
    """Bytes of a wheel whose one module is `size` bytes that do not compress."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    noise = b"".join(hashlib.sha256(f"{name}{seed}{i}".encode()).digest() for i in range(size // 32 + 1))[:size]
    members = {
        f"{module}/__init__.py": b"x = 1\n",
        f"{module}/data.bin": noise,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
            for path, data in members.items()]
    members[f"{info}/RECORD"] = ("\n".join([*rows, f"{info}/RECORD,,"]) + "\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return f"{module}-{version}-py3-none-any.whl", out.getvalue()


def make_base_layout(folder, files):
    """An OCI layout with one gzip layer; returns the digest of its manifest."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            if data is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.size, entry.mode = len(data), 0o644
                archive.addfile(entry, io.BytesIO(data))
    plain = tar.getvalue()
    layer = gzip.compress(plain, mtime=0)
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data, media_type):
        (blobs / sha256(data)).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + sha256(data), "size": len(data)}

    def document(value, media_type):
        return put(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type)

    layer_descriptor = put(layer, "application/vnd.oci.image.layer.v1.tar+gzip")
    config = document({"architecture": "amd64", "os": "linux", "created": DATE,
                       "config": {"Env": ["PATH=/usr/bin:/bin"]},
                       "history": [{"created": DATE, "created_by": "tests"}],
                       "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(plain)]}},
                      "application/vnd.oci.image.config.v1+json")
    manifest = document({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                         "config": config, "layers": [layer_descriptor]},
                        "application/vnd.oci.image.manifest.v1+json")
    manifest["platform"] = {"architecture": "amd64", "os": "linux"}
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}))
    return manifest["digest"]


def files_image(folder, payload=200_000):
    """A manifest that builds without any network: an OCI base and a layer of local files. Returns the manifest's path."""
    digest = make_base_layout(folder / "base", {"etc": None, "etc/passwd": b"root:x:0:0::/root:/bin/sh\n",
                                                "etc/group": b"root:x:0:\n"})
    (folder / "layers").mkdir()
    (folder / "layers/bottom.yaml").write_text(
        f"schema: imglayer/v1\nkind: oci\nlayout: ../base\ndigest: {digest}\n")
    (folder / "layers/app.yaml").write_text(
        "schema: imglayer/v1\nkind: files\nfiles:\n  - {path: /opt/app, source: ../app}\n"
        "  - {path: /etc/motd, content: \"hello\\n\"}\n")
    app = folder / "app"
    app.mkdir()
    for i in range(4):
        (app / f"part{i}.bin").write_bytes(
            b"".join(hashlib.sha256(f"{i}.{k}".encode()).digest() for k in range(payload // 128)))
    manifest = folder / "image.yaml"
    manifest.write_text("schema: imgbuild/v1\nimage: {name: files, tag: \"1\", platform: linux/amd64}\n"
                        "layers: [bottom, app]\n")
    return manifest


def wheels_to_fetch(folder, wheels):
    """A manifest and a lock that name these wheels ({file: (name, version, bytes)}) and one deb; only fetching it makes sense.

    Returns (manifest, {file name: bytes} with the deb).
    """
    (folder / "layers").mkdir(exist_ok=True)
    (folder / "layers/bottom.yaml").write_text(
        "schema: imglayer/v1\nkind: debian\nsuite: bookworm\nkeyring_fingerprints: [" + FINGERPRINT + "]\n"
        "packages: [tiny]\npython: {path: /usr/bin/python3.11, version: \"3.11\"}\n")
    requires = ", ".join(f'"{name}=={version}"' for name, version, _ in wheels.values())
    (folder / "layers/top.yaml").write_text(
        f"schema: imglayer/v1\nkind: wheels\nvenv: /opt/venv\nrequires: [{requires}]\n")
    manifest = folder / "image.yaml"
    manifest.write_text("schema: imgbuild/v1\nimage: {name: wheels, tag: \"1\", platform: linux/amd64}\n"
                        "versions: {python: \"3.11\"}\nlayers: [bottom, top]\n")
    deb = b"!<arch>\n" + b"not read by fetch" * 50
    files = {file: data for file, (_, _, data) in wheels.items()}
    files["tiny_1.0_amd64.deb"] = deb
    lock = {
        "lockVersion": 1, "manifest": {"name": "wheels:1", "checksum": "sha256:" + "0" * 64},
        "output": {"version": 1}, "created": DATE, "python": "3.11",
        "wheelPlatform": "manylinux_2_36_x86_64", "verified": {"python": "3.11.2"}, "bases": [],
        "releases": [{"suite": "bookworm", "codename": "bookworm", "origin": "Debian", "label": "Debian", "date": DATE,
                      "sha256": "1" * 64, "signedBy": [FINGERPRINT]}],
        "debs": [{"package": "tiny", "version": "1.0", "architecture": "amd64", "path": "pool/main/t/tiny/tiny_1.0_amd64.deb",
                  "archive": "debian", "suite": "bookworm", "size": len(deb), "sha256": sha256(deb), "layer": "bottom"}],
        "wheels": sorted(({"name": name, "version": version, "file": file, "size": len(data), "sha256": sha256(data),
                           "unpackedSize": sum(i.file_size for i in zipfile.ZipFile(io.BytesIO(data)).infolist()),
                           "index": "pypi", "uploaded": DATE, "layer": "top"}
                          for file, (name, version, data) in wheels.items()), key=lambda w: w["name"]),
    }
    write_fresh_lock(manifest, lock)
    return manifest, files


def write_fresh_lock(manifest, lock):
    """Writes a lock made by hand; checksum and output format are what imgbuild says they should be when it finds them stale."""
    path = manifest.with_suffix(".lock.json")
    lock["output"]["format"] = "unknown"
    path.write_text(json.dumps(lock))
    ran = run(imgbuild(), "fetch", manifest, "--offline", "--cache-dir", manifest.parent / "throw-away", expect=2)
    checksum = re.search(r"\((sha256:[0-9a-f]{64}) now", ran.err)
    output = re.search(r"this program writes '([^']+)'", ran.err)
    if not checksum or not output:
        raise Failure("the message about a stale lock says neither checksum nor output format:\n" + ran.err)
    lock["manifest"]["checksum"] = checksum[1]
    lock["output"]["format"] = output[1]
    path.write_text(json.dumps(lock))


class Server:
    """A simple index and a Debian archive on loopback, with scripted misbehaviour.

    `files`: name → bytes. `script`: name → list of behaviours, one for each request of that file; afterwards it behaves well:
      an int                status code
      ("cut", n)            right Content-Length, connection closed after n bytes
      ("short", n)          n bytes and a Content-Length of n
      ("slow", seconds)     waits before the body
      ("bytes", data)       other bytes with status 200
      ("stall",)            half of the body, then nothing until the server ends
    """

    def __init__(self, files, script=None):
        self.files, self.script = files, dict(script or {})
        self.requests = []
        self.stop = threading.Event()
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that was killed closes its connection

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.http.shutdown()
        self.http.server_close()

    @property
    def sources(self):
        root = f"http://127.0.0.1:{self.port}"
        return ["--source", f"pypi={root}/simple", "--source", f"debian={root}/debian"]

    def count(self, name):
        """How often the body of a file was asked for."""
        return sum(1 for path, _ in self.requests if path.rsplit("/", 1)[-1] == name)

    def page(self, project):
        listed = [{"filename": file, "url": f"../../files/{file}", "hashes": {"sha256": sha256(data)}, "size": len(data),
                   "upload-time": DATE, "yanked": False}
                  for file, data in self.files.items()
                  if file.endswith(".whl") and re.sub(r"[-_.]+", "-", file.split("-")[0]) == project]
        return listed

    def answer(self, request):
        path = request.path.split("?")[0]
        with self.lock:
            self.requests.append((path, request.headers.get("Range")))
        page = re.fullmatch(r"/simple/([a-z0-9-]+)/", path)
        if page:
            key = "page:" + page[1]
            listed = self.page(page[1])
            body = json.dumps({"meta": {"api-version": "1.1"}, "name": page[1], "files": listed}).encode()
            self.send(request, key, body if listed else None, "application/vnd.pypi.simple.v1+json")
            return
        name = path.rsplit("/", 1)[-1]
        self.send(request, name, self.files.get(name), "application/octet-stream")

    def send(self, request, key, body, content_type):
        with self.lock:
            steps = self.script.get(key)
            step = steps.pop(0) if steps else None
        if isinstance(step, int) or body is None:
            self.reply(request, step if isinstance(step, int) else 404, b"no\n", "text/plain")
            return
        kind = step[0] if step else None
        if kind == "slow":
            self.stop.wait(step[1])
        if kind == "bytes":
            body = step[1]
        status, start = 200, 0
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        if found and int(found[1]) < len(body) and kind != "bytes":
            status, start = 206, int(found[1])
        part = body[start:]
        request.send_response(status)
        if status == 206:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Type", content_type)
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("ETag", f'"{sha256(body)[:16]}"')
        request.send_header("Content-Length", str(step[1] if kind == "short" else len(part)))
        request.end_headers()
        if kind == "cut":
            request.wfile.write(part[:step[1]])
            request.close_connection = True
        elif kind == "short":
            request.wfile.write(part[:step[1]])
        elif kind == "stall":
            request.wfile.write(part[:len(part) // 2])
            request.wfile.flush()
            self.stop.wait(60)
            request.close_connection = True
        else:
            request.wfile.write(part)

    @staticmethod
    def reply(request, status, body, content_type):
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def folder_digest(folder):
    """One hash over names, modes and bytes below a folder."""
    total = hashlib.sha256()
    for path in sorted(pathlib.Path(folder).rglob("*")):
        total.update(f"{path.relative_to(folder)} {path.stat().st_mode:o}\n".encode())
        if path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()
