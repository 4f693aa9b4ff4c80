#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installs widely used wheels with imgbuild and with pip, and compares every path, byte, mode and RECORD row.

  tests/sweep/run.py [--wheels DIR] [--limit N] [NAME…]

Without --wheels each package of packages.txt is downloaded with `pip download --no-deps` (the newest wheel for CPython 3.11). imgbuild writes it
as a layer above the small image's base, which is unpacked here; pip is the one that the small image gets. Then `pip uninstall` must leave nothing
of it. A wheel that imgbuild refuses must be refused by pip too, or be named in refused.txt. Differences that are right stand in explained.txt.
"""

import argparse
import csv
import fnmatch
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fake_world import DATE, write_fresh_lock  # noqa: E402
from harness import ROOT, Failure, Results, Skip, imgbuild, need, remove_tree, run, scratch  # noqa: E402
from oci import Layout  # noqa: E402

HERE = pathlib.Path(__file__).parent
PYTHON = "/usr/bin/python3"
SMALL = ROOT / "manifests/small-nccl-py311.yaml"


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def table(name):
    return [line.split("\t") for line in (HERE / name).read_text().splitlines() if line and not line.startswith("#")]


def download(name, folder, pip_program):
    ran = run(*pip_program, "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
              "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none",
              *[a for v in range(36, 16, -1) for a in ("--platform", f"manylinux_2_{v}_x86_64")],
              "--platform", "manylinux2014_x86_64", "--platform", "linux_x86_64", "-d", folder, name,
              expect=None, timeout=600)
    if ran.code:
        raise Skip(f"no wheel to be had: {(ran.err.strip().splitlines() or ['no reason'])[-1]}")
    return next(folder.glob("*.whl"))


class OurInstaller:
    """Builds an image with one wheel on top of base and venv, and unpacks only that wheel's layers."""

    def __init__(self, folder):
        self.folder = folder
        self.small = json.loads(SMALL.with_name(SMALL.stem + ".lock.json").read_text())
        self.number = 0
        run(imgbuild(), "fetch", SMALL, "--progress", "quiet")
        self.pip_program = self.locked_pip()

    def locked_pip(self):
        """The pip that the image itself gets: what others write (their wrapper scripts above all) changes over the years."""
        digest = next(w["sha256"] for w in self.small["wheels"] if w["name"] == "pip")
        store = pathlib.Path(run(imgbuild(), "cache", "dir").out.strip())
        with zipfile.ZipFile(store / "blobs/sha256" / digest) as wheel:
            wheel.extractall(self.folder / "pip")
        return PYTHON, "-B", self.folder / "pip/pip"

    def install(self, wheel, target):
        self.number += 1
        project = self.folder / f"project{self.number}"
        (project / "manifests").mkdir(parents=True)
        (project / "layers").symlink_to(ROOT / "layers")
        name, version = wheel.name.split("-")[:2]
        manifest = project / "manifests/image.yaml"
        manifest.write_text(
            "schema: imgbuild/v1\nimage: {name: sweep, tag: \"1\", platform: linux/amd64}\nversions: {python: \"3.11\"}\n"
            f"layers:\n  - base/debian-bookworm\n  - python\n  - {{name: subject, kind: wheels, requires: [\"{normal(name)}\"]}}\n")
        lock = json.loads(json.dumps(self.small))
        lock["verified"] = {"python": lock["verified"]["python"]}
        lock["wheels"] = [w for w in lock["wheels"] if w["layer"] == "python" and w["name"] != normal(name)]
        data = wheel.read_bytes()
        lock["wheels"].append({
            "name": normal(name), "version": version, "file": wheel.name, "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), "index": "pypi", "uploaded": DATE, "layer": "subject",
            "unpackedSize": sum(i.file_size for i in zipfile.ZipFile(io.BytesIO(data)).infolist())})
        lock["wheels"].sort(key=lambda w: w["name"])
        write_fresh_lock(manifest, lock)
        ran = run(imgbuild(), "build", manifest, "-o", project / "image", "--offline", "--json", "--progress", "quiet",
                  "--source", f"folder={wheel.parent}", expect=(0, 2))
        if ran.code:
            return ran.err
        recipes = [layer["recipe"] for layer in json.loads(ran.out)["layers"]]
        layout = Layout(project / "image")
        for number, recipe in enumerate(recipes):
            if recipe == "subject":
                unpack(layout, number, target)
        remove_tree(project)
        return None


def unpack(layout, number, target):
    """Exactly modes and bytes of one layer's venv, without owners (this may run as a user)."""
    for tar, member in layout.entries(number):
        if not member.name.startswith("opt/venv/"):
            continue
        path = target / member.name.removeprefix("opt/venv/")
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif member.isreg():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                shutil.copyfileobj(tar.extractfile(member), file)
            path.chmod(member.mode)
        else:
            raise Failure(f"'{member.name}' has type {member.type!r}")


def make_venv(folder):
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python3").symlink_to(PYTHON)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    (folder / "lib/python3.11/site-packages").mkdir(parents=True)
    return folder


def pip(program, venv, *argv, expect=0):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(venv.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LC_ALL": "C.UTF-8",
           "PIP_CONFIG_FILE": os.devnull}
    return run(*program, "--python", venv / "bin/python3", *argv, env=env, expect=expect, umask=0o022, timeout=900)


def survey(venv):
    """path → (mode, bytes' hash) of every file, with the venv's own path as it is in the image."""
    found = {}
    for base, _, names in os.walk(venv):
        for name in names:
            path = pathlib.Path(base) / name
            relative = str(path.relative_to(venv))
            if relative in ("pyvenv.cfg", "bin/python3") or path.is_symlink():
                continue
            data = path.read_bytes()
            if data.startswith(b"#!") and relative.startswith("bin/"):
                data = data.replace(str(venv).encode(), b"/opt/venv")
            found[relative] = (stat.S_IMODE(path.stat().st_mode), hashlib.sha256(data).hexdigest())
    return found


def record_rows(venv):
    """path → hash and size; rows of files whose bytes differ for a known reason carry none."""
    rows = {}
    for record in venv.glob("lib/python3.11/site-packages/*.dist-info/RECORD"):
        with open(record, newline="", encoding="utf-8") as file:
            for path, digest, size in csv.reader(file):
                loose = path.endswith((".pyc", "/INSTALLER", "/RECORD")) or path.startswith("../../../bin/")
                rows[path] = ("", "") if loose else (digest, size)
    return rows


def differences(ours, pips):
    out = []
    for path in sorted(ours.keys() | pips.keys()):
        if path not in ours:
            out.append(("missing", path))
        elif path not in pips:
            out.append(("extra", path))
        else:
            if ours[path][1] != pips[path][1]:
                out.append(("bytes", path))
            if ours[path][0] != pips[path][0]:
                out.append(("mode", f"{path} ({ours[path][0]:o}, pip {pips[path][0]:o})"))
    return out


def explained(name, kind, path, rules):
    return any(fnmatch.fnmatchcase(name, n) and kind == k and fnmatch.fnmatchcase(path.split(" (")[0], g)
               for n, k, g, _ in rules)


def compare(name, installer, folder, given, rules, refusals):
    folder = folder / name
    folder.mkdir()
    try:
        wheel = given or download(name, folder, installer.pip_program)
        ours, pips = make_venv(folder / "ours"), make_venv(folder / "pips")
        refused = installer.install(wheel, ours)
        by_pip = pip(installer.pip_program, pips, "install", "--quiet", "--no-deps", "--no-index", wheel, expect=None)
        if refused:
            if by_pip.code or any(fnmatch.fnmatchcase(name, n) and text in refused for n, text, _ in refusals):
                raise Skip(f"refused: {refused.strip().splitlines()[0]}")
            raise Failure(f"pip installs {wheel.name}, imgbuild refuses it:\n{refused}")
        need(by_pip.code == 0, f"imgbuild installs {wheel.name}, pip refuses it:\n{by_pip.err}")
        found = differences(survey(ours), survey(pips))
        left, right = record_rows(ours), record_rows(pips)
        found += [("record", f"{p} (ours {left.get(p)}, pip {right.get(p)})") for p in sorted(left.keys() | right.keys())
                  if left.get(p) != right.get(p)]
        wrong = [f"{k}: {p}" for k, p in found if not explained(name, k, p, rules) and not (
            k == "record" and p.split(" (")[0].endswith(("/REQUESTED", "/direct_url.json")))]
        need(not wrong, f"{wheel.name}: {len(wrong)} differences\n" + "\n".join(wrong[:15]))
        pip(installer.pip_program, ours, "uninstall", "--quiet", "--yes", normal(name))
        rest = sorted(survey(ours))
        need(not rest, f"{wheel.name}: pip uninstall leaves {rest[:10]}")
    finally:
        remove_tree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wheels", help="take these wheels instead of downloading")
    parser.add_argument("--limit", type=int)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not SMALL.with_name(SMALL.stem + ".lock.json").exists():
        raise SystemExit(f"error: {SMALL} has no lock")
    if options.wheels:
        given = {normal(w.name.split("-")[0]): w for w in sorted(pathlib.Path(options.wheels).glob("*.whl"))}
        names = options.names or list(given)
    else:
        given = {}
        names = options.names or [row[0] for row in table("packages.txt")]
    results = Results("sweep")
    rules, refusals = table("explained.txt"), table("refused.txt")
    with scratch("sweep") as folder:
        installer = OurInstaller(folder)
        for name in names[:options.limit]:
            results.run(name, compare, name, installer, folder, given.get(name), rules, refusals)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
