#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds one lock under many circumstances; the digest must never change.

  tests/repro/run.py MANIFEST [--lock FILE] [--other-program PATH] [--only TEXT]

The reference is built first, in both compressions, with every layer made anew. Each variation then builds once more with the wheel
layers made anew (the Debian root too where the variation could reach it); on a difference `imgbuild diff` says where.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, Results, Skip, imgbuild, need, run, scratch  # noqa: E402
from oci import Layout  # noqa: E402

WHEELS, ALL, NOTHING = "--no-layer-cache=wheels", "--no-layer-cache", None


class Builder:
    def __init__(self, options, folder):
        self.manifest = pathlib.Path(options.manifest).resolve()
        self.lock = pathlib.Path(options.lock).resolve() if options.lock else None
        self.other_program = options.other_program
        self.folder = folder
        self.reference = {}

    def build(self, name, compression, anew, program=None, before=(), args=(), env=None, cwd=None, umask=None,
              manifest=None, lock=None):
        target = self.folder / name
        command = [*before, program or imgbuild(), "build", manifest or self.manifest, "--locked", "-o", target,
                   "--compression", compression, "--progress", "quiet", *args]
        lock = lock or self.lock
        if lock:
            command += ["--lock", lock]
        if anew:
            command.append(anew)
        run(*command, env=dict(os.environ, **(env or {})), cwd=cwd, umask=umask)
        return Layout(target)

    def make_reference(self, compression):
        layout = self.build(f"reference-{compression}", compression, ALL)
        self.reference[compression] = layout
        print(f"        {layout.digest}")

    def same(self, name, compression, anew, **how):
        reference = self.reference.get(compression)
        if not reference:
            raise Skip("there is no reference to compare with")
        layout = self.build(name, compression, anew, **how)
        try:
            if layout.digest != reference.digest:
                diff = run(imgbuild(), "diff", reference.folder, layout.folder, expect=None)
                raise Failure(f"expected: {reference.digest}\ngot:      {layout.digest}\n{diff.out}{diff.err}")
            need(layout.index_bytes == reference.index_bytes, "same manifest, but index.json differs")
        finally:
            shutil.rmtree(layout.folder)


def locales():
    """A locale with other sorting and numbers than C, where one is installed; it need not exist to be set."""
    have = subprocess.run(["locale", "-a"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    return next((name for name in have if name.startswith(("tr_TR", "de_DE", "et_EE"))), "tr_TR.UTF-8")


def unshare():
    if os.getuid() != 0:
        raise Skip("another hostname needs root")
    return ["unshare", "--uts", "sh", "-c", 'hostname another-machine && exec "$@"', "sh"]


def faketime(date):
    library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if not library:
        raise Skip("libfaketime is not installed")
    return {"LD_PRELOAD": str(library), "FAKETIME": date, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


def shuffled(builder, folder):
    """The same lock in another order, as far as its form allows one, and the same manifest with other comments."""
    manifest = folder / "repository/manifests/shuffled.yaml"
    shutil.copytree(ROOT / "layers", folder / "repository/layers")
    manifest.parent.mkdir()
    lines = ["# another comment", "", *builder.manifest.read_text().splitlines(), "", ""]
    manifest.write_text("\n".join(lines))
    source = builder.lock or builder.manifest.with_name(builder.manifest.stem + ".lock.json")
    lock = json.loads(source.read_text())
    order = random.Random(7)
    for name in ("debs", "releases"):  # wheels out of order are refused
        order.shuffle(lock[name])
    members = list(lock.items())
    order.shuffle(members)
    target = folder / "shuffled.lock.json"
    target.write_text(json.dumps(dict(members), indent=7))
    return manifest, target


def no_cache_at_all(builder, folder):
    """An empty store, filled from an exported folder: nothing of the first build can be reused."""
    export = folder / "export"
    lock = ["--lock", builder.lock] if builder.lock else []
    run(imgbuild(), "fetch", builder.manifest, *lock, "--export", export, "--progress", "quiet")
    try:
        builder.same("cold", "zstd", NOTHING, args=["--offline", "--source", f"folder={export}"],
                     env={"IMGBUILD_CACHE_DIR": str(folder / "cold-store")})
        # The store is warm now: the same build takes everything from it.
        builder.same("warm", "zstd", NOTHING, args=["--offline"],
                     env={"IMGBUILD_CACHE_DIR": str(folder / "cold-store")})
    finally:
        shutil.rmtree(export)
        run("chmod", "-R", "u+w", folder / "cold-store")
        shutil.rmtree(folder / "cold-store")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--lock")
    parser.add_argument("--other-program", help="imgbuild of another build type")
    parser.add_argument("--only")
    options = parser.parse_args()
    results = Results("repro", options.only)
    with scratch("repro") as folder:
        builder = Builder(options, folder)
        for compression in ("zstd", "gzip"):
            builder.make_reference(compression)
        elsewhere = folder / "else where"
        (elsewhere / "home").mkdir(parents=True)
        store = os.environ.get("IMGBUILD_CACHE_DIR")
        keep_store = {"IMGBUILD_CACHE_DIR": store} if store else {
            "IMGBUILD_CACHE_DIR": str(pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
                                      / "imgbuild")}

        def same(name, compression, anew, **how):
            results.run(f"{name}.{compression}", lambda: builder.same(f"{name}-{compression}", compression, anew, **how))

        same("one_thread", "zstd", WHEELS, args=["-j1"])
        same("one_thread", "gzip", WHEELS, args=["-j1"])
        same("eight_threads", "zstd", WHEELS, args=["-j8"])
        same("eight_threads", "gzip", WHEELS, args=["-j8"])
        same("other_folder", "zstd", WHEELS, cwd=elsewhere)
        same("other_umask", "zstd", WHEELS, umask=0o077)
        same("other_home", "zstd", WHEELS, env={"HOME": str(elsewhere / "home"), **keep_store})
        same("other_timezone", "zstd", WHEELS, env={"TZ": "Asia/Kolkata"})
        same("other_locale", "zstd", WHEELS, env={"LANG": locales(), "LC_ALL": locales(), "LANGUAGE": "tr"})
        results.run("other_day.zstd", lambda: builder.same("other-day", "zstd", WHEELS, env=faketime("@2031-05-06 07:08:09")))
        same("warm_layers", "gzip", NOTHING)
        results.run("other_hostname.zstd",
                    lambda: builder.same("hostname", "zstd", WHEELS, before=unshare()))
        manifest, lock = shuffled(builder, folder)
        same("shuffled_lock", "zstd", WHEELS, manifest=manifest, lock=lock)
        results.run("cold_store", no_cache_at_all, builder, folder)
        for compression in ("zstd", "gzip"):
            # All at once, and the Debian root made anew under it.
            results.run(f"everything_else.{compression}", lambda: builder.same(
                f"everything-{compression}", compression, ALL, before=unshare(), cwd=elsewhere, umask=0o027,
                args=["-j5"], env={"HOME": str(elsewhere / "home"), "TZ": "America/Caracas", "LANG": locales(),
                                   "LC_ALL": locales(), "SOURCE_DATE_EPOCH": "1", "PYTHONDONTWRITEBYTECODE": "",
                                   "PYTHONHASHSEED": "5", "USER": "somebody", **keep_store}))
            if builder.other_program:
                same("other_build_type", compression, ALL, program=builder.other_program)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
