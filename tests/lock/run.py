#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`imgbuild lock` with the real uv, over package indexes in folders: which wheel from where, in which layer, and what is refused.

  tests/lock/run.py [TEXT]      only tests whose name holds TEXT

Nothing here needs a network. The base is an OCI layout of three files; two of them say which glibc and libstdc++ they are.
"""

import base64
import hashlib
import io
import json
import os
import pathlib
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import fake_world as world  # noqa: E402
from harness import ROOT, Results, Skip, imgbuild, need, need_equal, run, scratch  # noqa: E402

GLIBC = b"\x7fELF GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.\n"
LIBSTDCXX = b"\x7fELF GLIBCXX_3.4\0GLIBCXX_3.4.29\0GLIBCXX_3.4.30\0"


def make_wheel(name, version, requires=(), files=(), tag="py3-none-any"):
    """(file name, bytes) of a small wheel."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {r}\n" for r in requires)
    members = {f"{module}/__init__.py": f"version = '{version}'\n".encode(), **dict(files),
               f"{info}/METADATA": metadata.encode(),
               f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()}
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
    return f"{module}-{version}-{tag}.whl", out.getvalue()


class Index:
    """A PEP 503 index in a folder: no sizes, no upload times, as simple as they come."""

    def __init__(self, folder):
        self.folder, self.address = folder, f"file://{folder}"
        folder.mkdir()

    def add(self, name, version, *requires, **more):
        file, data = make_wheel(name, version, requires, **more)
        self.add_file(name, file, data)

    def add_file(self, name, file, data):
        project = self.folder / name
        project.mkdir(exist_ok=True)
        (project / file).write_bytes(data)
        links = "".join(f'<a href="{f.name}#sha256={world.sha256(f.read_bytes())}">{f.name}</a>\n'
                        for f in sorted(project.iterdir()) if f.name != "index.html")
        (project / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n")


class World:
    """Indexes, a base, recipes and a manifest; lock() runs the program."""

    def __init__(self, folder):
        self.folder = folder
        self.main = Index(folder / "main")
        self.other = Index(folder / "other")
        (folder / "layers").mkdir()
        digest = world.make_base_layout(folder / "base", {
            "usr": None, "usr/bin": None, "usr/bin/python3.11": b"not run\n", "usr/lib": None,
            "usr/lib/x86_64-linux-gnu": None, "usr/lib/x86_64-linux-gnu/libc.so.6": GLIBC,
            "usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30": LIBSTDCXX})
        self.recipe("base", f"kind: oci\nlayout: ../base\ndigest: {digest}\n"
                            "python: {path: /usr/bin/python3.11, version: \"3.11\"}\n")
        self.layers = ["base"]

    def recipe(self, name, text):
        (self.folder / f"layers/{name}.yaml").write_text(f"schema: imglayer/v1\n{text}")

    def wheels(self, name, text):
        """A recipe of kind wheels on top of those that are there."""
        venv = "venv: /opt/venv\n" if len(self.layers) == 1 else ""
        self.recipe(name, f"kind: wheels\n{venv}{text}\n")
        self.layers.append(name)

    def lock(self, *more, versions="python: \"3.11\"", expect=0):
        manifest = self.folder / "image.yaml"
        manifest.write_text("schema: imgbuild/v1\nimage: {name: t, tag: \"1\", platform: linux/amd64}\n"
                            f"versions: {{{versions}}}\nlayers: [{', '.join(self.layers)}]\n")
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.folder / "home"), "LC_ALL": "C.UTF-8",
               "IMGBUILD_CACHE_DIR": str(self.folder / "store"), "IMGBUILD_TOOLS": str(ROOT / ".tools"),
               "UV_INDEX_URL": "http://127.0.0.1:9/never", "PIP_INDEX_URL": "http://127.0.0.1:9/never"}
        if "IMGBUILD_UV" in os.environ:
            env["IMGBUILD_UV"] = os.environ["IMGBUILD_UV"]
        ran = run(imgbuild(), "lock", manifest, "--source", f"pypi={self.main.address}", "--source",
                  f"other={self.other.address}", "--progress", "quiet", *more, expect=expect, env=env, timeout=120)
        if expect:
            return ran.err
        self.text = (self.folder / "image.lock.json").read_text()
        return json.loads(self.text)


def with_world(test):
    def wrapped():
        with scratch("lock") as folder:
            test(World(folder))
    return wrapped


def where(lock):
    return {w["name"]: f"{w['version']} {w['layer']} {w['index']}" for w in lock["wheels"]}


def layers(w):
    """Owners win, then the lowest that needs a wheel; sizes come from the server, dates from nobody."""
    w.main.add("pip", "26.3")
    w.main.add("engine", "2.0", "helper>=1", "accel-cu12==1.5; sys_platform == 'linux'", "never; sys_platform == 'win32'")
    w.main.add("helper", "1.1")
    w.main.add("accel-cu12", "1.5")
    w.main.add("mine", "0.1", "helper", "tool[extra]")
    w.main.add("tool", "3.0", "more; extra == 'extra'")
    w.main.add("more", "4.0")
    w.wheels("python", "requires: [pip]")
    w.wheels("accel", 'owns: ["accel-cu*"]')
    w.wheels("engine", "requires: [engine]")
    w.wheels("mine", "requires: [mine]")
    lock = w.lock()
    need_equal({"pip": "26.3 python pypi", "engine": "2.0 engine pypi", "helper": "1.1 engine pypi",
                "accel-cu12": "1.5 accel pypi", "mine": "0.1 mine pypi", "tool": "3.0 mine pypi",
                "more": "4.0 mine pypi"}, where(lock), "wheels, layers and indexes")
    for wheel in lock["wheels"]:
        file = w.main.folder / wheel["name"] / wheel["file"]
        need_equal(len(file.read_bytes()), wheel["size"], "size of " + wheel["file"])
        need_equal(world.sha256(file.read_bytes()), wheel["sha256"], "sha256 of " + wheel["file"])
        need("uploaded" not in wheel, "an upload time from nowhere")
    need_equal("manylinux_2_36_x86_64", lock["wheelPlatform"], "platform")
    need_equal(world.DATE, lock["created"], "created: that of the base, since nothing else has a date")
    need("://" not in w.text and str(w.folder) not in w.text, "an address is in the lock:\n" + w.text)
    first = w.text
    w.lock()
    need_equal(first, w.text, "the second lock")


def one_index(w):
    """A bound package comes from its index whatever versions others have; its dependencies do not."""
    w.main.add("pip", "26.3")
    w.main.add("engine", "9.0", "helper")
    w.main.add("helper", "1.0")
    w.other.add("engine", "2.0+cu126", "helper")
    w.other.add("helper", "7.0")
    w.other.add("pip", "99.0")
    w.wheels("python", "requires: [pip]")
    w.wheels("engine", "requires: [engine]\nindex: other")
    need_equal({"pip": "26.3 python pypi", "engine": "2.0+cu126 engine other", "helper": "1.0 engine pypi"},
               where(w.lock()), "wheels")
    w.wheels("again", "requires: [engine]\nindex: pypi")
    need_equal("2.0+cu126 engine other", where(w.lock())["engine"], "engine, required again without a binding")
    w.recipe("again", "kind: wheels\nrequires: [engine]\nindex: third\n")
    err = w.lock("--source", f"third={w.main.address}", expect=2)
    need("'engine' is bound to two indexes, 'other' and 'third'" in err, err)


def bound_above(w):
    """A lower recipe needs, through another package, what an upper recipe binds to its index."""
    w.main.add("pip", "26.3")
    w.main.add("low", "1.0", "engine")
    w.other.add("engine", "2.0+cu126")
    w.wheels("python", "requires: [pip]")
    w.wheels("low", "requires: [low]")
    w.wheels("engine", "requires: [engine]\nindex: other")
    need_equal({"pip": "26.3 python pypi", "low": "1.0 low pypi", "engine": "2.0+cu126 low other"}, where(w.lock()), "wheels")


def changed_index(w):
    w.main.add("pip", "26.3")
    w.main.add("engine", "2.0")
    w.other.add("engine", "2.0")
    w.wheels("python", "requires: [pip]")
    w.wheels("engine", "requires: [engine]")
    w.lock()
    w.recipe("engine", "kind: wheels\nrequires: [engine]\nindex: other\n")
    err = w.lock(expect=2)
    need_equal("error: wheel 'engine' now comes from another index\n  expected: pypi   (the lock)\n  got:      other\n"
               "hint: if that is meant, lock with --allow-index-change\n", err, "message")
    need_equal("2.0 engine other", where(w.lock("--allow-index-change"))["engine"], "engine")


def update(w):
    """--update moves what it names and nothing else."""
    for name in ("pip", "alpha", "beta"):
        w.main.add(name, "1.0")
    w.wheels("python", "requires: [pip, alpha, beta]")
    w.lock()
    for name in ("pip", "alpha", "beta"):
        w.main.add(name, "2.0")
    lock = w.lock("--update", "alpha")
    need_equal({"pip": "1.0", "alpha": "2.0", "beta": "1.0"}, {x["name"]: x["version"] for x in lock["wheels"]}, "versions")
    need_equal("error: the lock has no wheel and no package 'alhpa'\nhint: did you mean 'alpha'?\n",
               w.lock("--update", "alhpa", expect=2), "message")
    w.main.add("alpha", "3.0", "beta>=2")
    lock = w.lock("--update", "alpha")  # 3.0 would move beta
    need_equal({"pip": "1.0", "alpha": "2.0", "beta": "1.0"}, {x["name"]: x["version"] for x in lock["wheels"]}, "versions")
    lock = w.lock()
    need_equal({"pip": "2.0", "alpha": "3.0", "beta": "2.0"}, {x["name"]: x["version"] for x in lock["wheels"]}, "versions")


def platform(w):
    """The most specific wheel that the base's glibc and Python can load."""
    w.main.add("pip", "26.3")
    for tag in ("py3-none-any", "cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_39_x86_64",
                "cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-win_amd64"):
        w.main.add("fast", "1.0", tag=tag)
    w.wheels("python", "requires: [pip, fast]")
    files = {x["name"]: x["file"] for x in w.lock()["wheels"]}
    need_equal("fast-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", files["fast"], "file")


def promises(w):
    """torch says itself which CUDA it is for."""
    w.main.add("pip", "26.3")
    w.main.add("torch", "2.8.0", files={"torch/version.py": b"__version__ = '2.8.0+cu128'\ncuda: Optional[str] = '12.8'\n"})
    w.wheels("python", "requires: [pip, torch]")
    lock = w.lock(versions='python: "3.11", torch: "2.8.0", cuda: "12.8", pip: "26"')
    need_equal({"python": "3.11", "torch": "2.8.0+cu128", "cuda": "12.8", "pip": "26.3"}, lock["verified"], "verified")
    before = w.text
    err = w.lock(versions='torch: "2.8.0", cuda: "12.1"', expect=2)
    need("image.yaml:3:34: torch 2.8.0 of the PyPI index is built for CUDA 12.8, not 12.1" in err, err)
    need("hint: torch 2.8.0 exists for CUDA 12.6, 12.8, 12.9" in err, err)
    need_equal(before, (w.folder / "image.lock.json").read_text(), "the lock after a broken promise")


def source_only(w):
    w.main.add("pip", "26.3")
    w.main.add("reader", "6.0", "old-parser")
    w.main.add_file("old-parser", "old-parser-1.0.tar.gz", b"never opened")
    w.wheels("python", "requires: [pip, reader]")
    err = w.lock(expect=2)
    need("'old-parser' has no wheel, only source archives\n" in err and "needed by: reader\n" in err, err)
    need("needed by: recipe 'python': reader" in err and "hint: choose a version or another package" in err, err)


def hashes(w):
    """A requirement with hashes takes a wheel that has one of them, and no other."""
    w.main.add("pip", "26.3")
    right = world.sha256((w.main.folder / "pip/pip-26.3-py3-none-any.whl").read_bytes())
    requirements = w.folder / "layers/requirements.txt"
    requirements.write_text(f"pip==26.3 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{right}\n")
    w.wheels("python", "requirements_file: requirements.txt")
    w.lock()
    requirements.write_text(f"\npip==26.3 --hash=sha256:{'0' * 64}\n")
    err = w.lock(expect=2)
    need("requirements.txt:2:1: 'pip-26.3-py3-none-any.whl' has none of the hashes" in err, err)


def unreachable(w):
    w.main.add("pip", "26.3")
    w.wheels("python", "requires: [pip]")
    w.main.address = "http://127.0.0.1:9/simple"
    err = w.lock(expect=3)
    need("error: cannot solve the wheels of this image" in err, err)
    err = w.lock("--offline", expect=3)
    need("error: cannot lock offline" in err, err)


def no_glibc(w):
    digest = world.make_base_layout(w.folder / "musl", {"usr": None, "usr/bin": None, "usr/bin/python3.11": b"x"})
    w.recipe("base", f"kind: oci\nlayout: ../musl\ndigest: {digest}\npython: {{path: /usr/bin/python3.11, version: \"3.11\"}}\n")
    w.main.add("pip", "26.3")
    w.wheels("python", "requires: [pip]")
    err = w.lock(expect=2)
    need("has no glibc, which wheels need" in err, err)


def old_libstdcxx(w):
    """The glibc of this base is new enough for the wheel, its libstdc++ is not."""
    digest = world.make_base_layout(w.folder / "odd", {
        "usr": None, "usr/bin": None, "usr/bin/python3.11": b"x", "usr/lib64": None, "usr/lib64/libc.so.6": GLIBC,
        "usr/lib64/libstdc++.so.6.0.19": b"GLIBCXX_3.4.19\0"})
    w.recipe("base", f"kind: oci\nlayout: ../odd\ndigest: {digest}\npython: {{path: /usr/bin/python3.11, version: \"3.11\"}}\n")
    w.main.add("pip", "26.3")
    w.wheels("python", "requires: [pip]")
    w.lock()
    w.main.add("fast", "1.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    w.wheels("fast", "requires: [fast]")
    err = w.lock(expect=2)
    need("has a libstdc++ that is too old for wheel 'fast-1.0-cp311-cp311-manylinux_2_28_x86_64.whl'\n" in err, err)
    need("got:      GLIBCXX_3.4.19 " in err, err)


def have_uv():
    candidates = [os.environ.get("IMGBUILD_UV"), ROOT / ".tools/bin/uv", "/usr/local/bin/uv", "/usr/bin/uv"]
    return any(c and pathlib.Path(c).exists() for c in candidates)


def main():
    results = Results("lock", sys.argv[1] if len(sys.argv) > 1 else None)
    for test in (layers, one_index, bound_above, changed_index, update, platform, promises, source_only, hashes,
                 unreachable, no_glibc, old_libstdcxx):
        wrapped = with_world(test)

        def checked(body=wrapped):
            if not have_uv():
                raise Skip("no program 'uv' here")
            body()
        results.run(test.__name__, checked)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
