#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The GPU probes and imgcheck-inside against fake libraries that compute: each check good, and each way it can be bad.

  run.py [BUNDLE]   the bundle under test; without it that of ci/bundle
"""

import json
import os
import pathlib
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "support"))
from harness import ROOT, Results, need, need_equal, run, scratch  # noqa: E402

BUNDLE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/bundle").resolve()
FAKES = ROOT / "tests/support/fake_gpu"

GPU_CHECKS = ("DRV-FLOOR", "GPU-STATE", "GPU-MEMORY", "CC-KERNEL", "SDPA-FLASH", "SDPA-EFF", "SDPA-CUDNN",
              "SDPA-CHOICE", "CUDNN-CONV", "COLD-GPU", "NCCL-AR")


class World:
    """A folder with site-packages of fake libraries, and a driver beside it."""

    def __init__(self, folder):
        self.folder = folder
        self.torch = folder / "site/torch"
        nvidia = folder / "site/nvidia"
        for source, target, *flags in (
                ("cuda.cc", folder / "driver/libcuda.so.1"),
                ("nvml.cc", folder / "driver/libnvidia-ml.so.1"),
                ("cudart.cc", nvidia / "cuda_runtime/lib/libcudart.so.12"),
                ("cublas.cc", nvidia / "cublas/lib/libcublas.so.12"),
                ("cudnn.cc", nvidia / "cudnn/lib/libcudnn.so.9", "-Wl,-rpath,$ORIGIN"),
                ("cudart.cc", nvidia / "cudnn/lib/libcudnn_cnn.so.9"),
                ("nccl.cc", nvidia / "nccl/lib/libnccl.so.2"),
                ("torch.cc", self.torch / "lib/libtorch.so")):
            self.compile(source, target, *flags)
        self.cudnn_part = nvidia / "cudnn/lib/libcudnn_cnn.so.9"
        self.driver = folder / "driver"

    @staticmethod
    def compile(source, target, *flags):
        target.parent.mkdir(parents=True, exist_ok=True)
        run("g++", "-std=c++20", "-O2", "-shared", "-fPIC", f"-I{ROOT}", *flags, FAKES / source, "-o", target,
            f"-Wl,-soname,{target.name}")

    def env(self, fault="", **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("FAKE_", "CUDA_", "NCCL_"))}
        env |= {"LD_LIBRARY_PATH": str(self.driver), "FAKE_FAULT": fault, "FAKE_GPU_MEMORY": str(32 << 20)}
        return env | {k: str(v) for k, v in more.items()}

    def events(self, probe, *arguments, fault="", timeout=200, **more):
        """Events of a probe by name; under None all of them in order."""
        ran = run(BUNDLE / probe, *arguments, "--torch", self.torch, env=self.env(fault, **more), timeout=timeout)
        found = [json.loads(line) for line in ran.out.splitlines()]
        need_equal(("start", probe), (found[0]["event"], found[0]["probe"]), "first event")
        need_equal({"event": "end"}, found[-1], "last event")
        named = {None: found}
        for event in found:
            named.setdefault(event["event"], []).append(event)
        return named

    def inside(self, *checks, fault="", expect=3, expectations=None, arguments=(), **more):
        """Results of imgcheck-inside by id, each (status, reason). Exit 3: all that a fake answers is simulated."""
        given = {"expectationsVersion": 1, "torchFolder": str(self.torch), "torchVersion": "2.8.0+cu128",
                 "torchCuda": "12.8", "gpuMemory": 1 << 20} | (expectations or {})
        path = self.folder / "expectations.json"
        path.write_text(json.dumps(given))
        chosen = [part for check in checks for part in ("--check", check)]
        ran = run(BUNDLE / "imgcheck-inside", "--expectations", path, "--format", "json", "--cold-samples", "2",
                  *chosen, *arguments, env=self.env(fault, **more), expect=expect, timeout=900)
        self.report = json.loads(ran.out)
        for check in self.report["checks"]:
            if check["tier"] in ("gpu", "multi-gpu") and check["status"] not in ("blocked", "skipped"):
                need(check["simulated"], f"{check['id']} is not called simulated")
        return {c["id"]: (c["status"], c["reason"] or "") for c in self.report["checks"]}


WORLD = None


def verdict(expected, got, what):
    """`expected`: status, and how its reason begins."""
    status, reason = got
    need(status == expected[0] and reason.startswith(expected[1]),
         f"{what}\nexpected: {expected[0]}: {expected[1]}…\ngot:      {status}: {reason}")


def a_good_machine_passes_every_check():
    """Two GPUs; the result is simulated, so that the exit code is 3 and no gate is satisfied."""
    got = WORLD.inside(*GPU_CHECKS, FAKE_GPUS=2, FAKE_ELAPSED_MS=1, expectations={"allReduceGigabytes": 0.5})
    for check in GPU_CHECKS:
        need_equal(("pass", ""), got[check], check)
    need_equal((["NVIDIA H100 80GB HBM3"] * 2, "570.124.06"),
               (WORLD.report["machine"]["gpus"], WORLD.report["machine"]["driver"]), "GPUs of the report")


def each_bad_thing_is_found_by_its_check():
    for check, fault, expected, more in (
            ("DRV-FLOOR", "", ("fail", "the kernel's driver is too old for this CUDA"), {"FAKE_DRIVER_VERSION": "470.57.02"}),
            ("DRV-FLOOR", "", ("fail", "the driver serves an older CUDA"), {"FAKE_CUDA_VERSION": 11040}),
            ("DRV-FLOOR", "", ("warn", "the driver works in limited mode"), {"FAKE_CUDA_VERSION": 12020}),
            ("DRV-FLOOR", "", ("fail", "a stub library stands in for the driver"), {"FAKE_CUINIT": 34}),
            ("DRV-FLOOR", "", ("fail", "the driver library and the kernel module differ"), {"FAKE_CUINIT": 803}),
            ("DRV-FLOOR", "", ("fail", "the image brings a compatibility driver"), {"FAKE_CUINIT": 804}),
            ("DRV-FLOOR", "", ("blocked", "cuInit answers 999: CUDA_ERROR_UNKNOWN"), {"FAKE_CUINIT": 999}),
            ("DRV-FLOOR", "cuinit-abort", ("fail", "asking the driver ('cuda') ends with signal 6"), {}),
            ("GPU-STATE", "ecc", ("fail", "uncorrected memory errors on GPU 0"), {}),
            ("GPU-STATE", "remap-failed", ("fail", "a row of memory could not be remapped"), {}),
            ("GPU-STATE", "remap-pending", ("warn", "rows of memory wait to be remapped"), {}),
            ("GPU-STATE", "persistence-off", ("warn", "persistence mode is off"), {}),
            ("GPU-STATE", "pcie-narrow", ("warn", "PCIe of GPU 0"), {}),
            ("GPU-STATE", "nvml-unknown", ("blocked", "NVML says nothing of GPU 0"), {}),
            ("GPU-MEMORY", "memory-full", ("fail", "the memory cannot be had on GPU 0"), {}),
            ("CC-KERNEL", "ptx-no-image", ("fail", "a kernel from PTX on GPU 0 has no code for this GPU"), {}),
            ("CC-KERNEL", "ptx-too-new", ("fail", "a kernel from PTX on GPU 0 cannot be compiled"), {}),
            ("CC-KERNEL", "ptx-wrong", ("fail", "a kernel from PTX on GPU 0 gives wrong numbers"), {}),
            ("CC-KERNEL", "ptx-abort", ("fail", "a first kernel ('ptx on GPU 0') ends with signal 6"), {}),
            ("CC-KERNEL", "cublas-no-image", ("fail", "a product of cuBLAS on GPU 0 has no code for this GPU"), {}),
            ("CC-KERNEL", "cublas-wrong", ("fail", "a product of cuBLAS on GPU 0 gives wrong numbers"), {}),
            ("CC-KERNEL", "torch-no-image", ("fail", "a kernel of torch on GPU 0 has no code for this GPU"), {}),
            ("CUDNN-CONV", "conv-wrong", ("fail", "cuDNN's convolution, forward, gives wrong numbers"), {}),
            ("CUDNN-CONV", "conv-abort", ("fail", "a convolution ('forward') ends with signal 6"), {}),
            ("COLD-GPU", "eager", ("warn", "modules are loaded eagerly"), {}),
            ("NCCL-AR", "nccl-wrong", ("fail", "rank 1 has wrong sums"), {"FAKE_GPUS": 2}),
            ("NCCL-AR", "nccl-init", ("fail", "the all-reduce does not work"), {"FAKE_GPUS": 2}),
            ("NCCL-AR", "", ("warn", "no bandwidth is known"), {"FAKE_GPUS": 2}),
            ("NCCL-AR", "", ("skipped", "there is one GPU"), {})):
        exits = (1,) if expected[0] == "fail" else (3,)
        got = WORLD.inside(check, fault=fault, expect=exits, **more)
        verdict(expected, got[check], f"{check} with {fault} {more}")


def attention_that_is_wrong_refuses_or_dies():
    """One run of the probe serves all its checks; the others are not drawn in."""
    checks = ("SDPA-FLASH", "SDPA-EFF", "SDPA-CUDNN", "SDPA-CHOICE")
    backends = ("flash", "efficient", "cudnn")
    faults = {"wrong": "case '", "nan": "case '", "refuse": "case '", "abort": "attention on the GPU ('"}
    for shift in range(len(faults)):
        chosen = [list(faults)[(shift + i) % len(faults)] for i in range(len(backends))]
        fault = ",".join(f"{b}-{f}" for b, f in zip(backends, chosen))
        got = WORLD.inside(*checks, fault=fault, expect=1)
        for backend, word, check in zip(backends, chosen, checks):
            begin = faults[word] + (f"{backend}: " if word == "abort" else "")
            verdict(("fail", begin), got[check], f"{check} with {fault}")
        need_equal(("pass", ""), got["SDPA-CHOICE"], f"the choice with {fault}")
    got = WORLD.inside("SDPA-CHOICE", fault="flash-refuse,efficient-refuse,cudnn-refuse", expect=1, FAKE_CHOICE=0)
    verdict(("fail", "the choice for "), got["SDPA-CHOICE"], "a dispatcher that takes math")
    got = WORLD.inside(*checks, FAKE_GPU_CAPABILITY="7.5")
    verdict(("skipped", "not to be had on compute capability 7.5"), got["SDPA-FLASH"], "flash on a T4")
    verdict(("skipped", "not to be had on compute capability 7.5"), got["SDPA-CUDNN"], "cuDNN on a T4")
    need_equal(("pass", ""), got["SDPA-EFF"], "memory-efficient attention on a T4")
    need_equal(("pass", ""), got["SDPA-CHOICE"], "the choice on a T4")


def attention_of_an_older_torch():
    """Without cuDNN's function and without the dispatcher."""
    library = WORLD.torch / "lib/libtorch.so"
    kept = library.read_bytes()
    library.unlink()
    try:
        WORLD.compile("torch.cc", library, "-DWITHOUT_CUDNN", "-DWITHOUT_DISPATCHER")
        got = WORLD.inside("SDPA-CUDNN", "SDPA-CHOICE", "SDPA-FLASH", expectations={"torchVersion": "2.4.1"})
        verdict(("skipped", "this torch has no 'aoti_torch_cuda__scaled_dot_product_cudnn_attention'"),
                got["SDPA-CUDNN"], "cuDNN")
        verdict(("skipped", "this torch has no 'aoti_torch_call_dispatcher'"), got["SDPA-CHOICE"], "choice")
        need_equal(("pass", ""), got["SDPA-FLASH"], "flash")
        got = WORLD.inside("SDPA-CUDNN", expect=1)
        verdict(("fail", "this torch has no "), got["SDPA-CUDNN"], "cuDNN of torch 2.8")
    finally:
        library.unlink()
        library.write_bytes(kept)


def a_missing_part_of_cudnn_is_found_by_the_convolution():
    kept = WORLD.cudnn_part.read_bytes()
    WORLD.cudnn_part.unlink()
    try:
        got = WORLD.inside("CUDNN-CONV", expect=1)
        verdict(("fail", "cuDNN's convolution, forward, does not run (and 2 more)"), got["CUDNN-CONV"], "convolution")
        need("CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED" in json.dumps(WORLD.report), "the status is not named")
    finally:
        WORLD.cudnn_part.write_bytes(kept)


def a_step_that_hangs_does_not_hide_the_others():
    """The time limit of the all-reduce is an argument, so that this takes seconds."""
    seen = WORLD.events("nccl_allreduce", "--mode", "processes", "--seconds", "1", "--most", 1 << 20,
                        fault="nccl-hang", FAKE_GPUS=2)
    need("timed_out" in [e["end"] for e in seen["child"]], str(seen["child"]))
    seen = WORLD.events("nccl_allreduce", "--mode", "threads", fault="nccl-abort", FAKE_GPUS=2)
    need_equal([("threads", "signalled", 6)], [(e["of"], e["end"], e["code"]) for e in seen["child"]], "an abort")
    seen = WORLD.events("gpu_kernel", fault="cublas-abort", FAKE_GPUS=2)
    ends = {e["of"]: (e["end"], e["code"]) for e in seen["child"]}
    need_equal(("signalled", 6), ends["cublas on GPU 0"], "the step that aborts")
    need_equal({(g, s) for g in (0, 1) for s in ("ptx", "torch")}, {(e["device"], e["step"]) for e in seen["kernel"]},
               "the other steps")
    need_equal({0}, {e["rc"] for e in seen["kernel"]}, "their codes")


def bandwidth_is_the_formula_on_known_times():
    """4 ranks, 2 ms: bytes / 2 ms, times 2 · 3 / 4."""
    for mode in ("threads", "processes"):
        for kind in ("file", "tcp"):
            seen = WORLD.events("nccl_allreduce", "--mode", mode, "--rendezvous", kind, "--most", 4 << 20,
                                "--iterations", 3, FAKE_GPUS=4, FAKE_ELAPSED_MS=2)
            need_equal([8, 1004, 65536, 1 << 20, 4 << 20], [e["bytes"] for e in seen["result"]], "sizes")
            for result in seen["result"]:
                algorithm = result["bytes"] / 0.002
                need(abs(result["algorithm_bandwidth"] / algorithm - 1) < 1e-6, f"algorithm bandwidth of {result}")
                need(abs(result["bus_bandwidth"] / (algorithm * 1.5) - 1) < 1e-6, f"bus bandwidth of {result}")
            need_equal(20, len(seen["rank"]), "verdicts of four ranks on five sizes")
            need_equal({0}, {e["wrong"] for e in seen["rank"]}, "wrong elements")
            need_equal(("NVLS", "SIMPLE"), (seen["result"][-1]["algorithm"], seen["result"][-1]["protocol"]), "how")
            need_equal(("RING", "LL"), (seen["result"][0]["algorithm"], seen["result"][0]["protocol"]), "how, small")
    left = [p for p in pathlib.Path("/tmp").glob("imgcheck-*")] + [p for p in pathlib.Path("/dev/shm").glob("imgcheck-*")]
    need(not left, f"left behind: {left}")


def free_port():
    """A pair: the one that is named, and the next, which is used."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1] - 1


def processes_of_a_launcher_find_each_other():
    """Three processes with torchrun's variables, as on three machines with one GPU each."""
    port = free_port()
    processes = []
    for rank in range(3):
        env = WORLD.env(FAKE_GPUS=1, FAKE_ELAPSED_MS=1, WORLD_SIZE=3, RANK=rank, LOCAL_RANK=0, LOCAL_WORLD_SIZE=1,
                        MASTER_ADDR="localhost", MASTER_PORT=port)
        processes.append(subprocess.Popen(
            [BUNDLE / "nccl_allreduce", "--mode", "environment", "--torch", WORLD.torch, "--most", str(1 << 20),
             "--iterations", "2", "--seconds", "60"], env=env, stdout=subprocess.PIPE, text=True))
    texts = [process.communicate(timeout=180)[0] for process in processes]
    events = [[json.loads(line) for line in text.splitlines()] for text in texts]
    results = [[e for e in one if e["event"] == "result"] for one in events]
    need_equal([4, 0, 0], [len(one) for one in results], f"results of the ranks {texts}")
    need_equal({(3, 3)}, {(e["ranks"], e["nodes"]) for e in results[0]}, "ranks and machines")
    for rank, one in enumerate(events):
        need_equal({(rank, 0)}, {(e["rank"], e["wrong"]) for e in one if e["event"] == "rank"}, f"sums of rank {rank}")


def absent_ranks_and_variables_are_named():
    port = free_port()
    seen = WORLD.events("nccl_allreduce", "--mode", "environment", "--seconds", 1, FAKE_GPUS=1, WORLD_SIZE=2, RANK=0,
                        LOCAL_RANK=0, MASTER_ADDR="localhost", MASTER_PORT=port)
    need_equal(["rank 0: did not come in time: rank 1"], [e["error"] for e in seen["failure"]], "words")
    seen = WORLD.events("nccl_allreduce", "--mode", "environment", FAKE_GPUS=1, WORLD_SIZE=2, RANK=0, LOCAL_RANK=0)
    need_equal(["MASTER_PORT is not set"], [e["error"] for e in seen["failure"]], "words")


def without_a_driver_everything_is_blocked():
    reason = "there is no GPU driver here: libcuda.so.1: cannot open shared object file"
    got = WORLD.inside(*GPU_CHECKS, LD_LIBRARY_PATH="")
    for check in GPU_CHECKS:
        verdict(("blocked", reason), got[check], check)
    got = WORLD.inside(*GPU_CHECKS, FAKE_GPUS=0)
    for check in GPU_CHECKS:
        need_equal(("blocked", "cuInit answers 100: there is a driver library and no device"), got[check], check)
    # What ran decides, unless the tier is required.
    got = WORLD.inside("DIST-CPU", "CC-KERNEL", expect=0, LD_LIBRARY_PATH="")
    need_equal(("pass", "blocked"), (got["DIST-CPU"][0], got["CC-KERNEL"][0]), "both tiers")
    WORLD.inside("DIST-CPU", "CC-KERNEL", expect=3, LD_LIBRARY_PATH="", arguments=("--require-tier", "gpu"))


def the_probes_refuse_unknown_arguments():
    for probe, arguments, message in (
            ("nccl_allreduce", ["--mode", "x"], "error: unknown mode 'x'\n"),
            ("nccl_allreduce", ["--rendezvous", "mail"], "error: unknown rendezvous 'mail'\n"),
            ("gpu_state", ["--memory", "-1"],
             "error: '--memory' is not a number from 0 to 9223372036854775807: '-1'\n"),
            ("gpu_sdpa", ["--what", "x"], "error: unknown argument '--what'\n")):
        ran = run(BUNDLE / probe, *arguments, expect=2)
        need_equal((message, ""), (ran.err, ran.out), f"what {probe} says")


def main():
    global WORLD
    results = Results("gpu")
    with scratch("gpu") as folder:
        WORLD = World(folder)
        for test in (a_good_machine_passes_every_check, each_bad_thing_is_found_by_its_check,
                     attention_that_is_wrong_refuses_or_dies, attention_of_an_older_torch,
                     a_missing_part_of_cudnn_is_found_by_the_convolution, a_step_that_hangs_does_not_hide_the_others,
                     bandwidth_is_the_formula_on_known_times, processes_of_a_launcher_find_each_other,
                     absent_ranks_and_variables_are_named, without_a_driver_everything_is_blocked,
                     the_probes_refuse_unknown_arguments):
            results.run(test.__name__, test)
    return results.finish()


if __name__ == "__main__":
    if not BUNDLE.is_dir():
        raise SystemExit(f"error: no bundle '{BUNDLE}'; run ci/bundle first")
    sys.exit(main())
