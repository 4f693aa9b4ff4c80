# SPDX-License-Identifier: Apache-2.0
"""An OCI image in memory: layers as dictionaries, config, manifest of imgbuild and lock; written as a layout."""

import copy
import gzip
import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, imgbuild  # noqa: E402
from oci import CONFIG, GZIP_LAYER, INDEX, MANIFEST  # noqa: E402

import parts  # noqa: E402


class Entry:
    """One entry of a layer: what tarfile needs of it."""

    def __init__(self, data=b"", mode=0o644, kind=tarfile.REGTYPE, link="", device=(0, 0)):
        self.data, self.mode, self.kind, self.link, self.device = data, mode, kind, link, device

    def info(self, name):
        info = tarfile.TarInfo(name)
        info.mode, info.type, info.linkname = self.mode, self.kind, self.link
        info.mtime = 1577836800
        info.devmajor, info.devminor = self.device
        info.size = len(self.data) if self.kind == tarfile.REGTYPE else 0
        return info


def file(data, mode=0o644):
    return Entry(data if isinstance(data, bytes) else data.encode(), mode)


def elf(path):
    return Entry(pathlib.Path(path).read_bytes(), 0o755)


def link(target):
    return Entry(mode=0o777, kind=tarfile.SYMTYPE, link=target)


def folder(mode=0o755):
    return Entry(mode=mode, kind=tarfile.DIRTYPE)


def whiteout(path):
    head, _, tail = path.rpartition("/")
    return f"{head}/.wh.{tail}"


def packed(plain):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as zipped:
        zipped.write(plain)
    return out.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    """Copies are cheap: entries are shared, never changed."""

    def __init__(self):
        self.layers = [{}]
        self.extra = {}  # layer → [(name, Entry)]: entries beside the dictionary, such as a path twice
        self.config = {}
        self.history = []
        self.manifest = ""
        self.wheels = []  # (name, version)
        self.verified = {}
        self.edit_documents = []  # functions on (config, manifest) before they are written
        self.edit_layout = []  # functions on the written folder

    def copy(self):
        other = copy.copy(self)
        other.layers = [dict(layer) for layer in self.layers]
        other.extra = {k: list(v) for k, v in self.extra.items()}
        other.config = copy.deepcopy(self.config)
        other.history = list(self.history)
        other.wheels = list(self.wheels)
        other.verified = dict(self.verified)
        other.edit_documents = list(self.edit_documents)
        other.edit_layout = list(self.edit_layout)
        return other

    def put(self, path, entry, layer=-1):
        self.layers[layer][path] = entry

    def drop(self, path):
        found = [layer.pop(path) for layer in self.layers if path in layer]
        if not found:
            raise Failure(f"the good image has no '{path}'")

    def env(self, name, value):
        kept = [line for line in self.config["Env"] if not line.startswith(name + "=")]
        self.config["Env"] = kept + ([f"{name}={value}"] if value is not None else [])

    def replace_in_manifest(self, old, new):
        if old not in self.manifest:
            raise Failure(f"the manifest has no '{old}'")
        self.manifest = self.manifest.replace(old, new)

    # --- writing ---

    def tar(self, number):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            names = set()
            for path in self.layers[number]:
                at = path.strip("/").rpartition("/")[0]
                while at and at not in names:
                    names.add(at)
                    at = at.rpartition("/")[0]
            entries = {f"/{name}": folder() for name in names}
            entries.update(self.layers[number])
            ordered = sorted(entries.items()) + self.extra.get(number % len(self.layers), [])
            for path, entry in ordered:
                tar.addfile(entry.info(path.strip("/") if path.startswith("/") else path), io.BytesIO(entry.data))
        return out.getvalue()

    def write(self, target, cache):
        """`cache`: plain tar digest → packed bytes, shared by all images of a run."""
        blobs = target / "blobs/sha256"
        blobs.mkdir(parents=True, exist_ok=True)

        def blob(data, media_type):
            (blobs / digest(data)[7:]).write_bytes(data)
            return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

        layers, diff_ids = [], []
        for number in range(len(self.layers)):
            plain = self.tar(number)
            diff_ids.append(digest(plain))
            data = cache.setdefault(diff_ids[-1], None) or packed(plain)
            cache[diff_ids[-1]] = data
            layers.append(blob(data, GZIP_LAYER))
        history = [{"created": "2026-01-01T00:00:00Z", "created_by": f"corpus: layer {n + 1}"}
                   for n in range(len(layers))] + self.history
        config = {"architecture": "amd64", "os": "linux", "config": self.config, "history": history,
                  "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers}
        for edit in self.edit_documents:
            edit(config, manifest)
        manifest["config"] = blob(json.dumps(config).encode(), CONFIG)
        described = blob(json.dumps(manifest).encode(), MANIFEST)
        described["platform"] = {"architecture": "amd64", "os": "linux"}
        (target / "index.json").write_text(json.dumps(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}))
        (target / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        for edit in self.edit_layout:
            edit(target, manifest)

    def write_manifest(self, target):
        path = target / "manifest.yaml"
        path.write_text(self.manifest)
        write_lock(path, self.lock())
        return path

    def lock(self):
        sample = json.loads((ROOT / "manifests/small-nccl-py311.lock.json").read_text())
        wheels = [{"name": name, "version": version, "file": f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
                   "index": "pypi", "layer": "wheels", "sha256": hashlib.sha256(name.encode()).hexdigest(),
                   "size": 1000, "unpackedSize": 1000, "uploaded": "2026-01-01T00:00:00Z"}
                  for name, version in sorted(self.wheels)]
        return {"bases": [], "created": "2026-01-01T00:00:00Z", "debs": [], "lockVersion": sample["lockVersion"],
                "manifest": {"checksum": "sha256:" + "0" * 64, "name": "corpus:1"}, "output": sample["output"],
                "python": "3.11", "releases": [], "verified": self.verified,
                "wheelPlatform": "manylinux_2_36_x86_64", "wheels": wheels}


def write_lock(manifest, lock):
    """Writes the lock beside the manifest with the checksum that imgbuild computes for it."""
    path = manifest.with_suffix(".lock.json")
    path.write_text(json.dumps(lock, indent=2) + "\n")
    said = subprocess.run([imgbuild(), "lock", "--check", manifest], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    now = re.search(r"\((sha256:[0-9a-f]{64}) now", said.stdout)
    if said.returncode == 0:
        return path
    if not now:
        raise Failure(f"imgbuild does not say the checksum of '{manifest}':\n{said.stdout}")
    lock["manifest"]["checksum"] = now.group(1)
    path.write_text(json.dumps(lock, indent=2) + "\n")
    check = subprocess.run([imgbuild(), "lock", "--check", manifest], text=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check.returncode != 0:
        raise Failure(f"the lock of '{manifest}' is not right:\n{check.stdout}")
    return path


MANIFEST_TEXT = """\
schema: imgbuild/v1
image: {name: corpus, tag: "1", platform: linux/amd64}
versions: {python: "3.11", torch: "2.8.0", cuda: "12.8", cudnn: "9.10", nccl: "2.27"}
layers:
  - name: base
    kind: debian
    summary: base
    suite: bookworm
    packages: [base-files]
    keyring_fingerprints: [B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8]
    python: {path: /usr/bin/python3.11, version: "3.11"}
  - name: wheels
    kind: wheels
    summary: wheels
    venv: /opt/venv
    requires: ["torch=={torch}"]
    env: {PYTHONDONTWRITEBYTECODE: "1"}
config: {cmd: [python3], workdir: /workspace}
supports: {gpus: [T4, A10, H100, B200], driver: "525.60.13"}
checks:
  size: {compressed: 100MB, unpacked: 300MB}
"""

WHEELS = [("torch", "2.8.0"), ("nvidia-cuda-runtime-cu12", "12.8.90"), ("nvidia-cudnn-cu12", "9.10.2.21"),
          ("nvidia-nccl-cu12", "2.27.3"), ("nvidia-cublas-cu12", "12.8.4.1"), ("nvidia-cuda-nvrtc-cu12", "12.8.93"),
          ("nvidia-cufile-cu12", "1.13.1.3")]
VERIFIED = {"python": "3.11.2", "torch": "2.8.0+cu128", "cuda": "12.8", "cudnn": "9.10.2.21", "nccl": "2.27.3"}


def dist_info(name, version):
    return f"{parts.SITE}/{name.replace('-', '_')}-{version}.dist-info/METADATA"


def metadata(name, version, requires=()):
    lines = "".join(f"Requires-Dist: {r}; platform_system == \"Linux\"\n" for r in requires)
    return file(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}\nText.\n")


def torch_metadata(**other):
    pins = {n: v for n, v in WHEELS if n != "torch"} | {k.replace("_", "-"): v for k, v in other.items()}
    return metadata("torch", "2.8.0", [f"{n}=={v}" for n, v in pins.items()])


def good_image(made):
    """The image that every static check passes; `made`: Parts."""
    image = Image()
    base, wheels = {}, {}
    image.layers = [base, wheels]
    for target in ("lib", "lib64", "bin"):
        base["/" + target] = link("usr/" + target)
    for name in ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6"):
        base[f"{parts.SYSTEM}/{name}"] = elf(parts.machine_library(name))
    loader = parts.machine_library("ld-linux-x86-64.so.2")
    base[f"{parts.SYSTEM}/ld-linux-x86-64.so.2"] = elf(loader)
    base["/usr/lib64/ld-linux-x86-64.so.2"] = link("../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
    base["/usr/bin/python3.11"] = elf(made.cc.program())
    base["/usr/bin/python3"] = link("python3.11")
    base["/etc/passwd"] = file("root:x:0:0:root:/root:/bin/sh\n")
    base["/etc/group"] = file("root:x:0:\n")
    base["/etc/ld.so.conf"] = file("include /etc/ld.so.conf.d/*.conf\n")
    base["/var/lib/dpkg/status"] = file(
        "Package: python3.11-minimal\nStatus: install ok installed\nVersion: 3.11.2-6+deb12u6\n\n")
    base["/workspace"] = folder(0o1777)
    wheels["/opt/venv/pyvenv.cfg"] = file("home = /usr/bin\nversion = 3.11\n")
    wheels["/opt/venv/bin/python3"] = link("/usr/bin/python3")
    for path, source in made.libraries().items():
        wheels[path] = elf(source)
    for name, version in WHEELS:
        wheels[dist_info(name, version)] = metadata(name, version)
    wheels[dist_info("torch", "2.8.0")] = torch_metadata()
    wheels[f"{parts.TORCH}/version.py"] = version_py("2.8.0+cu128", "12.8")
    put_module(wheels, f"{parts.TORCH}/version.py")
    for number in range(150):
        path = f"{parts.TORCH}/module_{number}.py"
        wheels[path] = file(f"NUMBER = {number}\n")
        put_module(wheels, path)
    image.config = {
        "Env": ["PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                "NVIDIA_REQUIRE_CUDA=cuda>=12.0", "PYTHONDONTWRITEBYTECODE=1"],
        "Cmd": ["python3"], "WorkingDir": "/workspace"}
    image.manifest, image.wheels, image.verified = MANIFEST_TEXT, list(WHEELS), dict(VERIFIED)
    return image


def version_py(version, cuda):
    value = f"'{cuda}'" if cuda else "None"
    return file("from typing import Optional\n\n__all__ = ['__version__', 'cuda']\n"
                f"__version__ = '{version}'\ndebug = False\ncuda: Optional[str] = {value}\n"
                "git_version = '0'\nhip: Optional[str] = None\n")


def cached(path):
    head, _, tail = path.rpartition("/")
    return f"{head}/__pycache__/{tail[:-3]}.cpython-311.pyc"


def put_module(layer, path, flags=3, magic=parts.MAGIC_311):
    layer[cached(path)] = file(parts.bytecode(layer[path].data, path, flags, magic))
