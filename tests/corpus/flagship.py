# SPDX-License-Identifier: Apache-2.0
"""The real image with one thing changed: a small layer on top, another config, or one damaged blob. Blobs are hard links."""

import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, Results, need, need_equal, scratch  # noqa: E402
from oci import CONFIG, GZIP_LAYER, INDEX, MANIFEST, Layout  # noqa: E402

import parts  # noqa: E402
from image import (Image, digest, dist_info, elf, file, metadata, packed, version_py, whiteout, write_lock)  # noqa: E402

SITE, TORCH, CUDNN, SYSTEM = parts.SITE, parts.TORCH, parts.CUDNN, parts.SYSTEM
STUBS = "/usr/local/cuda/lib64/stubs"


class Change:
    """What a case does to the image."""

    def __init__(self, made):
        self.made = made
        self.layer = {}  # entries of the layer on top
        self.config = lambda config: None
        self.damage = None  # function on (folder, manifest)
        self.manifest = lambda text: text

    def put(self, path, entry):
        self.layer[path] = entry

    def hide(self, path):
        self.layer[whiteout(path)] = file("")

    def empty(self, folder):
        self.layer[f"{folder}/.wh..wh..opq"] = file("")


def other_cudnn(change):
    change.hide(dist_info("nvidia-cudnn-cu12", "9.10.2.21").rpartition("/")[0])
    change.put(dist_info("nvidia-cudnn-cu12", "9.8.0.87"), metadata("nvidia-cudnn-cu12", "9.8.0.87"))


def second_cudnn_of_the_system(change):
    change.put(f"{SYSTEM}/libcudnn.so.9", elf(change.made.cudnn("")))


def second_cudnn_in_ld_library_path(change):
    change.put("/opt/cudnn/lib/libcudnn.so.9", elf(change.made.cudnn("")))
    change.config = lambda config: config["config"]["Env"].append("LD_LIBRARY_PATH=/opt/cudnn/lib")


def cudnn_part_removed(change):
    change.hide(f"{CUDNN}/libcudnn_cnn.so.9")


def nccl_of_cuda_13(change):
    change.put(dist_info("nvidia-nccl-cu13", "2.28.9"), metadata("nvidia-nccl-cu13", "2.28.9"))
    change.put(f"{SITE}/nvidia/nccl/lib/libnccl.so.2", elf(change.made.nccl(functions=["ncclAllReduce"])))


def driver_baked_in(change):
    change.put(f"{SYSTEM}/libcuda.so.535.54.03", elf(change.made.driver))


def stub_on_the_path(change):
    change.put(f"{STUBS}/libcuda.so", elf(change.made.driver))
    change.put("/etc/ld.so.conf.d/cuda.conf", file(STUBS + "\n"))


def wheel_for_another_cuda(change):
    change.put(f"{TORCH}/version.py", version_py("2.8.0+cu126", "12.6"))


def gpu_that_the_wheel_lacks(change):
    change.manifest = lambda text: text.replace("gpus: [T4, A10,", "gpus: [T4, P100, A10,")


def bytecode_removed(change):
    for folder in ("", "/_dynamo", "/_inductor", "/nn/modules", "/distributed"):
        change.empty(f"{TORCH}{folder}/__pycache__")


def glibc_too_old(change):
    old = change.made.cc.library("libc.so.6", ["corpus_old"], flags=["-nostdlib"],
                                 versions="GLIBC_2.2.5 { global: corpus_old; };\nGLIBC_2.17 { } GLIBC_2.2.5;\n")
    change.put(f"{SYSTEM}/libc.so.6", elf(old))


def flipped_byte(change):
    def flip(folder, manifest):
        smallest = min(manifest["layers"][:-1] or manifest["layers"], key=lambda layer: layer["size"])
        path = folder / "blobs/sha256" / smallest["digest"][7:]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.unlink()  # a hard link: the file itself stays as it is
        path.write_bytes(bytes(data))

    change.damage = flip


def wrong_diff_id(change):
    def edit(config):
        config["rootfs"]["diff_ids"][1] = "sha256:" + "1" * 64

    change.config = edit


DAMAGED = {"IMG-DIGEST": "fail", "IMG-LAYER": "blocked", "IMG-CONFIG": "pass"}

# name → function, what it must trip, and whether all other checks are blocked by it.
CASES = [
    (other_cudnn, {"PAIR-PROMISE": "fail", "PAIR-TABLE": "fail", "PY-PACKAGES": "fail"}, False),
    (second_cudnn_of_the_system, {"LIB-ONECOPY": "fail"}, False),
    (second_cudnn_in_ld_library_path, {"LIB-ONECOPY": "fail", "IMG-CONFIG": "fail"}, False),
    (cudnn_part_removed, {"CUDNN-SET": "fail"}, False),
    (nccl_of_cuda_13, {"ELF-SYMS": "fail", "PY-PACKAGES": "fail", "PAIR-PROMISE": "fail", "PAIR-TABLE": "warn",
                       "IMG-WASTE": "fail"}, False),
    (driver_baked_in, {"DRV-NOTBAKED": "fail"}, False),
    (stub_on_the_path, {"DRV-STUB": "fail"}, False),
    (wheel_for_another_cuda, {"PAIR-PROMISE": "fail", "PAIR-TABLE": "warn"}, False),
    (gpu_that_the_wheel_lacks, {"ARCH-LIST": "fail"}, False),
    (bytecode_removed, {"PY-BYTECODE": "fail"}, False),
    (glibc_too_old, {"ELF-VERSION": "fail"}, False),
    (flipped_byte, DAMAGED, True),
    (wrong_diff_id, DAMAGED, True),
]


def put_blob(folder, data, media_type):
    path = folder / "blobs/sha256" / digest(data)[7:]
    if not path.exists():
        path.write_bytes(data)
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def write_changed(layout, change, target):
    """A layout that shares every blob of `layout` and has the change."""
    blobs = target / "blobs/sha256"
    blobs.mkdir(parents=True)
    for descriptor in layout.layers:
        name = blobs / descriptor["digest"][7:]
        try:
            os.link(layout.blob(descriptor), name)
        except OSError:
            shutil.copyfile(layout.blob(descriptor), name)
    config = json.loads(json.dumps(layout.config))
    manifest = json.loads(json.dumps(layout.manifest))
    if change.layer:
        image = Image()
        image.layers = [change.layer]
        plain = image.tar(0)
        manifest["layers"].append(put_blob(target, packed(plain), GZIP_LAYER))
        config["rootfs"]["diff_ids"].append(digest(plain))
        config["history"].append({"created": "2026-01-01T00:00:00Z", "created_by": "corpus: change"})
    change.config(config)
    manifest["config"] = put_blob(target, json.dumps(config).encode(), CONFIG)
    described = put_blob(target, json.dumps(manifest).encode(), MANIFEST)
    described["platform"] = layout.manifest_descriptor.get("platform", {"architecture": "amd64", "os": "linux"})
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}))
    (target / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    if change.damage:
        change.damage(target, manifest)


def manifest_of(change, options, folder):
    """The manifest of the image, or a changed copy with a lock that fits it."""
    given = pathlib.Path(options.manifest)
    lock = pathlib.Path(options.lock) if options.lock else given.with_suffix(".lock.json")
    text = given.read_text()
    changed = change.manifest(text)
    if changed == text:
        return given, lock
    # Recipes are found in `layers/` beside the manifest.
    (folder / "layers").symlink_to(ROOT / "layers")
    path = folder / given.name
    path.write_text(changed)
    return path, write_lock(path, json.loads(lock.read_text()))


def main(options):
    from run import describe, judge, static_report, statuses

    results = Results("corpus-flagship", options.only)
    layout = Layout(options.flagship)

    def good():
        lock = options.lock or str(pathlib.Path(options.manifest).with_suffix(".lock.json"))
        report, code = static_report(layout.folder, options.manifest, lock)
        bad = [check for check, result in report.items() if result["status"] != "pass"]
        need(not bad, f"the real image does not pass\n{describe(report, bad)}")
        need_equal(0, code, "exit code for the real image")
        return report

    def broken(function, expected, blocks_rest, good_report):
        with scratch("corpus-flagship") as folder:
            change = Change(made)
            function(change)
            write_changed(layout, change, folder / "layout")
            manifest, lock = manifest_of(change, options, folder)
            report, code = static_report(folder / "layout", manifest, lock)
        wanted = {check: "blocked" if blocks_rest else "pass" for check in good_report}
        wanted.update(expected)
        judge(report, code, wanted, None)

    with scratch("corpus-parts") as folder:
        made = parts.Parts(folder)
        try:
            report = good()
            results.record("pass", "good")
        except Failure as problem:
            results.record("fail", "good", str(problem))
            return results.finish()
        for function, expected, blocks_rest in CASES:
            results.run(function.__name__.replace("_", "-"), broken, function, expected, blocks_rest, report)
    return results.finish()
