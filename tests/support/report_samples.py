# SPDX-License-Identifier: Apache-2.0
"""Writes JSON reports as `imgcheck check` does, for tests of what is made of many: report_samples.py FOLDER"""

import copy
import json
import pathlib
import sys

HOSTILE = "</script><script>window.hostile=1</script><img src=https://hostile.example/x onerror=window.hostile=1>"


def finding(message, status="pass", **more):
    base = {"status": status, "message": message, "path": None, "layer": None, "expected": None, "actual": None,
            "source": None}
    return {**base, **more}


def check(identity, tier="container", status="pass", reason=None, findings=None, simulated=False):
    if findings is None:
        findings = [] if status in ("blocked", "skipped") else [finding("seen", "fail" if status == "fail" else status)]
    return {"id": identity, "tier": tier, "severity": None, "title": None, "status": status, "reason": reason,
            "seconds": 0.5, "simulated": simulated, "waiver": None, "findings": findings}


def cold_start():
    return check("COLD-CPU", findings=[
        finding("container create and start", actual="median 0.08 s of 6"),
        finding("'import', warm page cache", actual="median 2.65 s, from 2.28 s to 2.90 s in 5 samples")])


def report(digit, name, facts, checks, started="2026-11-25T00:10:41Z", gpus=(), driver=None):
    return {
        "schemaVersion": 1, "tool": {"name": "imgcheck", "version": "0.1.0"}, "started": started, "seconds": 84.2,
        "image": {"reference": "out/image", "manifestDigest": "sha256:" + digit * 64, "configDigest": "sha256:" + "c" * 64,
                  "name": name, "packedSize": 3_400_000_000, "unpackedSize": 7_010_000_000,
                  "layers": ["sha256:" + "2" * 64]},
        "manifest": None,
        "machine": {"kernel": "Linux 6.1.0", "architecture": "x86_64", "cpu": "Example CPU", "cores": 2,
                    "memoryBytes": 24_000_000_000, "runtime": "runc 1.1.5", "gpus": list(gpus), "driver": driver},
        "tiers": sorted({one["tier"] for one in checks}), "phases": {}, "facts": facts, "notes": [], "counts": {},
        "verdict": None, "checks": checks}


CU128 = {"torch": "2.8.0+cu128", "cuda": "12.8", "cudnn": "9.10.2.21", "nccl": "2.27.3", "platform": "linux/amd64",
         "gpu_code": "sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"}
CU130 = {"torch": "2.11.0+cu130", "cuda": "13.0", "cudnn": "9.19.0.56", "nccl": "2.28.9", "platform": "linux/amd64"}
CHECKS = [check("IMG-DIGEST", "static"), check("ELF-CLOSURE", "static"), check("LOAD-TORCH"), cold_start()]


def samples():
    """name → report"""
    made = {
        "cu128": report("1", "pytorch-cuda:2.8.0", CU128, CHECKS),
        # Nobody has read this one's GPU code: what the table says of it is a claim.
        "cu130": report("2", "pytorch-cuda:2.11.0", CU130, [
            check("IMG-DIGEST", "static"), check("ELF-CLOSURE", "static", "warn", "one reservation"),
            check("CUDNN-SET", "static", "fail", "a library is missing"),
            check("LOAD-TORCH", status="skipped", reason="not asked for")]),
        "blocked": report("3", "pytorch-cuda:blocked", CU128, [
            check("IMG-DIGEST", "static"), check("LOAD-TORCH", status="blocked", reason="no container runtime")]),
        "tested": report("1", "pytorch-cuda:2.8.0", CU128, [check("CC-KERNEL", "gpu")], "2026-11-26T08:00:00Z",
                         ["NVIDIA H100 80GB HBM3"], "580.95.05"),
    }
    made["contradiction"] = report("1", "pytorch-cuda:2.8.0", {**CU128, "cuda": "12.6"},
                                   [check("ELF-CLOSURE", "static", "fail", "libx.so is missing")],
                                   "2026-11-27T00:00:00Z")
    newer = copy.deepcopy(made["cu128"])
    newer["schemaVersion"] = 2
    made["newer"] = newer
    made["hostile"] = report("9", HOSTILE, {**CU128, HOSTILE: HOSTILE},
                             [check("LOAD-TORCH", status="fail", reason=HOSTILE), check(HOSTILE, "static")])
    made["empty"] = report("5", "pytorch-cuda:empty", CU128, [])
    return made


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, value in samples().items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


if __name__ == "__main__":
    main()
