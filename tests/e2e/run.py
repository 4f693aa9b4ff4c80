#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds one manifest in both compressions and lets every outside judge look at it.

  tests/e2e/run.py MANIFEST [--lock FILE] [--without-golden REASON] [--only TEXT]
"""

import argparse
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import container as c  # noqa: E402
import judges as j  # noqa: E402
import loading  # noqa: E402
from harness import ROOT, Failure, Results, Skip, imgbuild, need_equal, run, scratch  # noqa: E402
from oci import Layout  # noqa: E402


def build(manifest, lock, compression, target):
    command = [imgbuild(), "build", manifest, "--locked", "-o", target, "--compression", compression, "--json"]
    if lock:
        command += ["--lock", lock]
    ran = run(*command)
    answer = json.loads(ran.out)
    layout = Layout(target)
    need_equal(layout.digest, answer["digest"], "digest that build prints and digest in index.json")
    return layout


def golden(manifest, compression, digest, reason):
    """The digest that everybody gets for the committed lock."""
    if reason:
        raise Skip(reason)
    path = ROOT / "tests/golden" / f"{pathlib.Path(manifest).stem}.{compression}.digest"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(digest + "\n")
        raise Skip("UPDATE_GOLDEN=1: rewritten, not compared")
    if not path.exists():
        raise Failure(f"no {path.relative_to(ROOT)}; UPDATE_GOLDEN=1 writes it")
    need_equal(path.read_text().strip(), digest, f"golden digest of {manifest} in {compression}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--lock")
    parser.add_argument("--without-golden", default="")
    parser.add_argument("--only")
    options = parser.parse_args()
    manifest = options.manifest
    stem = pathlib.Path(manifest).stem
    lock = json.loads(pathlib.Path(options.lock or manifest.removesuffix(".yaml") + ".lock.json").read_text())
    results = Results(f"e2e.{stem}", options.only)
    has_torch = any(w["name"] == "torch" for w in lock["wheels"])

    with scratch("e2e") as folder:
        if has_torch and os.environ.get("IMG_TEST_FULL") == "1":  # resolves anew, with the network
            results.run("wrong_promise", j.wrong_promise_is_refused, manifest, folder)
        layouts = {}
        for compression in ("zstd", "gzip"):
            layout = results.run(f"{compression}.build", build, manifest, options.lock, compression,
                                 folder / compression)
            if not layout:
                continue
            layouts[compression] = layout
            print(f"        {layout.digest}  {sum(d['size'] for d in layout.layers):,} bytes in "
                  f"{len(layout.layers)} layers")
            results.run(f"{compression}.golden", golden, manifest, compression, layout.digest,
                        options.without_golden)
            results.run(f"{compression}.blobs", layout.verify_blobs)
            results.run(f"{compression}.diff_ids", layout.verify_diff_ids)
            results.run(f"{compression}.schemas", j.follows_schemas, layout)
            results.run(f"{compression}.specification", j.follows_specification, layout, lock)
            results.run(f"{compression}.skopeo_inspect", j.skopeo_inspect, layout)
            results.run(f"{compression}.skopeo_copy", j.skopeo_copy, layout, folder)
        if len(layouts) == 2:
            results.run("same_content", j.same_content, layouts["zstd"], layouts["gzip"])
            # The tars are the same, so what looks into them looks once.
            results.run("canonical_tars", j.layers_are_canonical, layouts["zstd"])
            results.run("no_driver_inside", j.no_driver_inside, layouts["zstd"])
            if not has_torch:  # minutes of hashing for 4 GB; the small image shows the same
                results.run("gzip.crane_validate", j.crane_validate, layouts["gzip"], folder)
        if "gzip" in layouts:
            bundle = folder / "bundle"
            results.run("gzip.umoci_unpack", j.umoci_unpack, layouts["gzip"], bundle)
            if (bundle / "rootfs").exists():
                in_container(results, c.Container(bundle, layouts["gzip"].config), manifest, lock, folder, has_torch,
                             layouts["gzip"])
    return results.finish()


def in_container(results, box, manifest, lock, folder, has_torch, layout):
    results.run("loading.ld_so", loading.same_files_as_ld_so, layout, box)
    if has_torch:
        results.run("loading.cuobjdump", loading.same_gpu_code_as_cuobjdump, layout, box)
    results.run("container.record", c.record_is_true, box)
    results.run("container.bytecode", c.bytecode_is_checked, box)
    results.run("container.nothing_of_the_host", c.nothing_of_the_host, box)
    results.run("container.numpy", c.import_numpy, box)
    if has_torch:
        results.run("container.torch", c.import_torch, box, lock)
    results.run("container.nccl", c.nccl_version, box, lock)
    results.run("container.standard_library", c.standard_library, box)
    results.run("container.pip_check", c.pip_check, box)
    results.run("container.pip_list", c.pip_list, box, lock)
    results.run("container.packages", c.packages_are_the_locked, box, lock)
    results.run("container.dpkg_verify", c.dpkg_verify, box, manifest)
    results.run("container.dpkg_audit", c.dpkg_audit, box)
    # From here on the copy is changed.
    results.run("container.pip_install_and_uninstall", c.pip_install_and_uninstall, box, folder)
    results.run("container.pip_uninstall_of_ours", c.pip_uninstall_of_ours, box, lock)


if __name__ == "__main__":
    sys.exit(main())
