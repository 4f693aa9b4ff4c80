#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The validator bundle: what it is built like, and what its probes see of fake libraries and small Pythons.

  run.py [BUNDLE]   the bundle under test; without it that of ci/build
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "support"))
from harness import ROOT, Results, Skip, need, need_equal, need_program, run, scratch  # noqa: E402

BUNDLE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/bundle").resolve()
PROBES = ("allreduce", "coldstart", "gpu_coldstart", "gpu_conv", "gpu_kernel", "gpu_sdpa", "gpu_state", "load",
          "nccl_allreduce", "python", "sdpa", "versions")
PROGRAMS = tuple(sorted(PROBES + ("imgcheck-inside",)))
PYTHON = "/usr/bin/python3"


def events(probe, *arguments, env=None, expect=0):
    """Runs a probe; its events by name, each a list, and under None all of them in order."""
    ran = run(BUNDLE / probe, *arguments, env=dict(os.environ, **(env or {})), expect=expect, timeout=300)
    found = [json.loads(line) for line in ran.out.splitlines()]
    need_equal(("start", probe), (found[0]["event"], found[0]["probe"]), "first event")
    need_equal({"event": "end"}, found[-1], "last event")
    named = {None: found}
    for event in found:
        named.setdefault(event["event"], []).append(event)
    return named


def compile_library(source, target, *flags):
    target.parent.mkdir(parents=True, exist_ok=True)
    run("g++", "-std=c++20", "-O1", "-shared", "-fPIC", *flags, HERE / source, "-o", target)


# --- How the bundle is built ---------------------------------------------------------------------


def holds_its_programs():
    need_equal(list(PROGRAMS), sorted(p.name for p in BUNDLE.iterdir()), f"files of {BUNDLE}")
    size = sum(p.stat().st_size for p in BUNDLE.iterdir())
    need(size < 8 << 20, f"the bundle has {size} bytes: more than a few MB")


def needs_glibc_2_28_at_most():
    need_program("objdump")
    for name in PROGRAMS:
        text = run("objdump", "-T", BUNDLE / name).out
        versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", text)}
        need(versions, f"{name}: objdump shows no symbol version")
        need(max(versions) <= (2, 28), f"{name} needs GLIBC_{'.'.join(map(str, max(versions)))}")
        foreign = {v for v in re.findall(r"\b(GLIBCXX|CXXABI|GCC)_", text)}
        need(not foreign, f"{name} needs symbols of {foreign}: the image may have another C++ library")
        private = run("objdump", "-p", BUNDLE / name).out
        needed = set(re.findall(r"NEEDED\s+(\S+)", private))
        allowed = {"libc.so.6", "libdl.so.2", "libpthread.so.0", "libm.so.6", "librt.so.1", "libutil.so.1",
                   "ld-linux-x86-64.so.2"}
        need(needed <= allowed, f"{name} needs {sorted(needed - allowed)}")
        need("RPATH" not in private and "RUNPATH" not in private, f"{name} has a search path of this machine")


def exports_nothing():
    """A symbol of ours that the image's libraries could find would take the place of theirs."""
    for name in PROGRAMS:
        for line in run("objdump", "-T", BUNDLE / name).out.splitlines():
            parts = line.split()
            defined = len(parts) > 5 and re.fullmatch(r"[0-9a-f]{16}", parts[0]) and "*UND*" not in line
            if defined and parts[-1] not in ("__progname", "environ", "stdout", "stderr", "stdin"):
                need(False, f"{name} exports {parts[-1]}")


def names_no_path_of_this_machine():
    for name in PROGRAMS:
        data = (BUNDLE / name).read_bytes()
        for needle in (str(ROOT).encode(), os.path.expanduser("~").encode() + b"/", b"zig-cache"):
            if needle != b"/":
                need(needle not in data, f"{name} holds the path {needle!r}")


def digest_of(folder):
    lines = "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n"
                    for p in sorted(folder.iterdir(), key=lambda p: p.name.encode()))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def same_bytes_in_another_folder():
    """With the toolchain's own libraries compiled anew too: as long as everything else here together."""
    if not os.environ.get("IMG_TEST_FULL"):
        raise Skip("takes minutes: run under --full")
    if not (ROOT / ".tools/bin/python").exists():
        raise Skip("no toolchain here; run ci/setup")
    with scratch("bundle") as folder:
        other = folder / "a place with another name"
        for part in ("CMakeLists.txt", "ci", "builder/base", "validators"):
            source, target = ROOT / part, other / part
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        (other / ".tools").symlink_to(ROOT / ".tools")
        env = dict(os.environ, TZ="Asia/Kathmandu", LC_ALL="C", HOME=str(folder), ZIG_GLOBAL_CACHE_DIR=str(folder / "cache"))
        ran = run(other / "ci/bundle", env=env, cwd=folder, umask=0o077)
        need_equal(digest_of(other / "build/bundle"), ran.out.strip(), "the digest that ci/bundle prints")
        for name in PROGRAMS:
            same = (BUNDLE / name).read_bytes() == (other / "build/bundle" / name).read_bytes()
            need(same, f"{name} has other bytes when it is built in another folder")


# --- Declarations --------------------------------------------------------------------------------


def torch_wheel():
    lock = json.loads((ROOT / "manifests/pytorch-2.8.0-cu128-py311.lock.json").read_text())
    sha256 = next(w["sha256"] for w in lock["wheels"] if w["name"] == "torch")
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    path = pathlib.Path(cache) / "imgbuild/blobs/sha256" / sha256
    if not path.exists():
        raise Skip("torch's wheel is not in the store of imgbuild")
    return path


def declarations_are_those_of_torchs_headers():
    """Each function of the shim as the locked wheel declares it, parameter by parameter."""
    folder = "torch/include/torch/csrc/inductor/aoti_torch/"
    with zipfile.ZipFile(torch_wheel()) as wheel:
        headers = "".join(wheel.read(folder + name).decode() for name in
                          ("c/shim.h", "generated/c_shim_cpu.h"))
    ours = (ROOT / "validators/probes/torch_shim.h").read_text()
    names = dict(re.findall(r'find\(torch, "(\w+)", (\w+)\);',
                            (ROOT / "validators/probes/torch_shim.cc").read_text()))
    newer = {"torch_call_dispatcher", "torch_exception_get_what"}  # not in the locked version
    canonical = {"AtenTensorHandle": "TensorHandle", "int32_t": "i32", "int64_t": "i64", "std::i32": "i32",
                 "std::i64": "i64", "StableIValue": "StableValue", "AOTITorchError": "i32"}

    def types_of(parameters):
        types = []
        for parameter in filter(None, (p.strip() for p in parameters.split(","))):
            text = re.sub(r"//.*", "", parameter).strip()
            text = re.sub(r"(?<=[\w*&])\s*\b\w+$", "", text) if re.search(r"[\s*]\w+$", text) else text
            for old, new in canonical.items():
                text = text.replace(old, new)
            types.append(re.sub(r"\s*\*", "*", re.sub(r"\s+", " ", text)).strip())
        return [t for t in types if t != "void"]

    checked = 0
    for symbol, member in names.items():
        if symbol in newer:
            continue
        theirs = re.search(r"\b" + symbol + r"\(([^)]*)\)", re.sub(r"//[^\n]*", "", headers))
        need(theirs, f"torch's headers do not declare {symbol}")
        mine = re.search(r"\(\*" + member + r"\)\(([^)]*)\)", ours)
        need(mine, f"torch_shim.h does not declare {member}")
        need_equal(types_of(theirs.group(1)), types_of(mine.group(1)), f"parameters of {symbol}")
        checked += 1
    need(checked >= 12, f"only {checked} declarations were compared")


# --- What the probes see -------------------------------------------------------------------------


def refuse_unknown_arguments():
    for probe, arguments, message in (
            ("load", ["--what", "x"], "error: unknown argument '--what'\n"),
            ("sdpa", ["--torch"], "error: no value after '--torch'\n"),
            ("allreduce", ["--ranks", "0"], "error: '--ranks' is not a number from 1 to 64: '0'\n"),
            ("allreduce", ["--rendezvous", "mail"], "error: unknown rendezvous 'mail'\n"),
            ("coldstart", ["--phase", "lunch"], "error: unknown phase 'lunch'\n"),
            ("python", ["--mode", "x"], "error: unknown mode 'x'\n")):
        ran = run(BUNDLE / probe, *arguments, expect=2)
        need_equal((message, ""), (ran.err, ran.out), f"what {probe} says")


def call(seen, library, function):
    return next(e for e in seen["call"] if (e["library"], e["function"]) == (library, function))


def versions_of_fake_libraries():
    with scratch("versions") as folder:
        lib = folder / "site/nvidia"
        compile_library("fake_libraries.cc", lib / "cuda_runtime/lib/libcudart.so.12", "-DFAKE_CUDART")
        compile_library("fake_libraries.cc", lib / "cudnn/lib/libcudnn.so.9", "-DFAKE_CUDNN")
        compile_library("fake_libraries.cc", folder / "driver/libcuda.so.1", "-DFAKE_CUDA")
        torch = folder / "site/torch"
        seen = events("versions", "--torch", torch, env={"LD_LIBRARY_PATH": str(folder / "driver")})
        libraries = {e["library"]: e for e in seen["library"]}
        need_equal(str(lib / "cudnn/lib/libcudnn.so.9"), libraries["cudnn"]["path"], "file of cuDNN")
        need(libraries["cudnn"]["stand_in"], "a fake cuDNN is not called a stand-in")
        need_equal(str(folder / "driver/libcuda.so.1"), libraries["cuda"]["path"], "file of the driver")
        need_equal((0, 12080), (call(seen, "cudart", "cudaRuntimeGetVersion")["rc"],
                                call(seen, "cudart", "cudaRuntimeGetVersion")["value"]), "CUDA runtime")
        need_equal(100, call(seen, "cuda", "cuInit")["rc"], "cuInit")
        need_equal("", libraries["nccl"]["path"], "file of NCCL, which is not there")
        need(any(e["function"] == "cudnnGetProperty" for e in seen["no_symbol"]), "missing functions are not named")

        seen = events("versions", "--torch", torch, env={"FAKE_CUDNN_ABORTS": "1"})
        child = next(e for e in seen["child"] if e["of"] == "cudnn")
        need_equal(("signalled", 6), (child["end"], child["code"]), "the end of asking a cuDNN that aborts")
        need(call(seen, "cudart", "cudaRuntimeGetVersion"), "the other libraries are still asked")

        # What must not be called without a driver is called when there is one.
        compile_library("fake_libraries.cc", lib / "cuda_cupti/lib/libcupti.so.12", "-DFAKE_CUPTI")
        seen = events("versions", "--torch", torch)
        need_equal([("cupti", "it needs the driver, and there is none")],
                   [(e["library"], e["reason"]) for e in seen["not_asked"]], "what is not asked")
        seen = events("versions", "--torch", torch, env={"LD_LIBRARY_PATH": str(folder / "driver")})
        need_equal(("signalled", 6), next((e["end"], e["code"]) for e in seen["child"] if e["of"] == "cupti"),
                   "the end of a CUPTI that is asked")

        stubbed = events("versions", env={"LD_LIBRARY_PATH": str(folder / "driver"), "FAKE_CUINIT": "34"})
        need_equal(34, call(stubbed, "cuda", "cuInit")["rc"], "cuInit of a stub")


def versions_of_a_file_that_is_no_library():
    with scratch("versions") as folder:
        broken = folder / "libnccl.so.2"
        broken.write_bytes(b"\x7fELF and nothing behind it")
        seen = events("versions", "--library", broken)
        library = next(e for e in seen["library"] if e["library"] == "nccl")
        need_equal((str(broken), "argument"), (library["path"], library["found"]), "what was tried")
        need("file too short" in library["error"] or "invalid ELF" in library["error"], library["error"])


def fake_torch(folder, mode):
    torch = folder / "site/torch"
    target = torch / "lib/libtorch_cpu.so"
    if not target.exists():
        compile_library("fake_torch.cc", target)
    return events("sdpa", "--torch", torch, env={"FAKE_TORCH": mode})


def attention_of_fake_torches():
    with scratch("sdpa") as folder:
        seen = fake_torch(folder, "right")
        errors = {t: [e["max_error"] for e in seen["case"] if e["type"] == t] for t in ("float32", "float64")}
        need(max(errors["float64"]) < 1e-12 and max(errors["float32"]) < 1e-5, f"a right torch seems wrong: {errors}")
        need_equal(18, len(errors["float32"]), "cases of float32")
        need_equal(["aoti_torch_call_dispatcher"], [e["symbol"] for e in seen["missing"]], "what is missing")

        seen = fake_torch(folder, "wrong")
        need(all(e["max_error"] > 0.1 for e in seen["case"]), "a torch that computes nothing seems right")

        seen = fake_torch(folder, "error")
        need_equal({(1, "no kernel today")}, {(e["rc"], e["error"]) for e in seen["case"]}, "codes and texts")

        seen = fake_torch(folder, "crash")
        child = seen["child"][0]
        need_equal(("signalled", 6, "float32 b2 h4 q200 k200 d64"), (child["end"], child["code"], child["of"]),
                   "a torch that aborts")


def loading_what_is_not_there():
    with scratch("load") as folder:
        seen = events("load", "--torch", folder / "torch")
        need(not seen["open"][0]["ok"], "a torch that is not there loads")
        need("cannot open shared object file" in seen["open"][0]["error"], seen["open"][0]["error"])
        seen = events("load", "--torch", folder / "torch", "--python", PYTHON)
        need_equal("ModuleNotFoundError: No module named 'torch'", seen["import"][0]["error"], "the import's words")


def shared_files():
    return {p for d in ("/dev/shm", "/tmp") for p in pathlib.Path(d).glob("imgcheck-*")}


def all_reduce():
    before = shared_files()
    for kind in ("file", "tcp"):
        seen = events("allreduce", "--rendezvous", kind)
        need_equal({2, 3, 4}, {e["ranks"] for e in seen["result"]}, "numbers of ranks")
        for result in seen["result"]:
            need_equal(0, result["wrong"], f"wrong elements of {result}")
            need(result["elements_checked"] > 0 and result["stand_in"], str(result))
            factor = 2 * (result["ranks"] - 1) / result["ranks"]
            need(abs(result["bus_bandwidth"] / (result["bytes"] / result["seconds_median"] * factor) - 1) < 1e-9,
                 f"bus bandwidth of {result}")
        seen = events("allreduce", "--rendezvous", kind, "--ranks", "3", "--absent", "1", "--seconds", "1")
        need("did not come in time: rank 1" in [e["error"] for e in seen["failure"]], str(seen["failure"]))
    left = shared_files() - before
    end = time.monotonic() + 60  # what another run on this machine has made goes away by itself
    while left and time.monotonic() < end:
        time.sleep(0.2)
        left &= shared_files()
    need(not left, f"left behind: {left}")


def small_python(folder):
    """A venv with one package that imports, one that does not, and one requirement that is not met."""
    venv = folder / "venv"
    run(PYTHON, "-m", "venv", venv)
    site = next((venv / "lib").iterdir()) / "site-packages"

    def package(name, version, code, requires=""):
        (site / f"{name}.py").write_text(code)
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        (info / "RECORD").write_text(f"{name}.py,,\n{name}-{version}.dist-info/METADATA,,\n")

    package("whole", "1.0", "x = 1\n")
    package("Broken_One", "2.0", "import os\nos.abort()\n", "Requires-Dist: not-there>=3\n")
    package("half", "3.0", "import not_there\n")
    return venv / "bin/python3"


def imports_of_a_small_python():
    with scratch("python") as folder:
        python = small_python(folder)
        seen = events("python", "--python", python, "--mode", "import", "--distribution", "whole", "--distribution",
                      "broken-one", "--distribution", "half", "--distribution", "absent")
        need_equal({("whole", "1.0"), ("broken-one", "2.0"), ("half", "3.0")},
                   {(e["name"], e["version"]) for e in seen["package"]}, "packages")
        need_equal({("whole", True, ""), ("Broken_One", False, "dies of signal 6"),
                    ("half", False, "ModuleNotFoundError: No module named 'not_there'")},
                   {(e["module"], e["ok"], e["error"]) for e in seen["import"]}, "imports")
        seen = events("python", "--python", python, "--mode", "pip-check")
        need(not seen["outcome"][0]["ok"] and "not-there" in seen["outcome"][0]["output"], str(seen["outcome"]))
        seen = events("python", "--python", python, "--mode", "nouser")
        need_equal({"temporary file", "threads", "home folder", "user name"}, {e["name"] for e in seen["step"]}, "steps")
        seen = events("coldstart", "--python", python, "--torch", folder, "--phase", "interpreter", "--phase", "import",
                      "--phase", "libtorch")
        samples = {e["phase"]: e for e in seen["sample"]}
        need(samples["interpreter"]["ok"] and samples["interpreter"]["seconds"] > 0, str(samples))
        need_equal("ModuleNotFoundError: No module named 'torch'", samples["import"]["error"], "the import's words")
        need("libtorch.so" in samples["libtorch"]["error"], str(samples["libtorch"]))


# --- A small image with one fault ----------------------------------------------------------------


def small_image(folder):
    """A venv whose torch is fake libraries: libtorch.so needs libtorch_cpu.so, that needs cuDNN."""
    venv = folder / "venv"
    run(PYTHON, "-m", "venv", "--without-pip", venv)
    site = next((venv / "lib").iterdir()) / "site-packages"
    cudnn, lib = site / "nvidia/cudnn/lib", site / "torch/lib"
    compile_library("fake_libraries.cc", cudnn / "libcudnn.so.9", "-DFAKE_CUDNN", "-Wl,-soname,libcudnn.so.9",
                    "-Wl,-rpath,$ORIGIN")
    compile_library("fake_libraries.cc", cudnn / "libcudnn_ops.so.9", "-Wl,-soname,libcudnn_ops.so.9")
    compile_library("fake_libraries.cc", site / "nvidia/nccl/lib/libnccl.so.2", "-DFAKE_NCCL=22703")
    compile_library("fake_libraries.cc", lib / "libtorch_cpu.so", "-Wl,-soname,libtorch_cpu.so", "-Wl,--no-as-needed",
                    cudnn / "libcudnn.so.9", "-Wl,-rpath,$ORIGIN/../../nvidia/cudnn/lib")
    compile_library("fake_libraries.cc", lib / "libtorch.so", "-Wl,--no-as-needed", lib / "libtorch_cpu.so",
                    "-Wl,-rpath,$ORIGIN")
    (site / "torch/version.py").write_text("__version__ = '2.8.0'\ncuda = None\n")
    (site / "torch/__init__.py").write_text(
        "import ctypes, os, warnings\nfrom . import version\nfrom .version import __version__\n"
        "ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'lib/libtorch.so'))\n"
        "try:\n    import numpy\nexcept Exception as error:\n    warnings.warn('Failed to initialize NumPy: %s' % error)\n")
    (site / "numpy.py").write_text("x = 1\n")
    for name, version, file in (("torch", "2.8.0", "torch/__init__.py"), ("numpy", "2.0", "numpy.py"),
                                ("nvidia-nccl-cu12", "2.27.3", "nvidia/nccl/lib/libnccl.so.2")):
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text(f"{file},,\n")
    return venv, site


def verdicts(venv, *checks):
    """Status, and the message and value of the worst finding, of each check of imgcheck-inside there."""
    arguments = [part for check in checks for part in ("--check", check)]
    env = {"PATH": f"{venv}/bin:/usr/bin:/bin", "HOME": "/", "VIRTUAL_ENV": str(venv)}
    ran = run(BUNDLE / "imgcheck-inside", "--format", "json", *arguments, env=env, expect=None, timeout=900)
    order = ("fail", "warn", "pass")
    found = {}
    for check in json.loads(ran.out)["checks"]:
        worst = sorted(check["findings"], key=lambda f: order.index(f["status"]))
        said = (worst[0]["message"], worst[0].get("actual") or "") if worst and check["status"] != "pass" else ("", "")
        found[check["id"]] = (check["status"], *said)
    return found


def faults_of_a_small_image():
    """Each fault is told by its check with its cause, and the checks beside it still see."""
    checks = ("LOAD-TORCH", "LOAD-PROV", "VER-CUDNN", "VER-NCCL", "PY-IMPORT")
    good = {check: ("pass", "", "") for check in checks}
    with scratch("faults") as folder:
        venv, site = small_image(folder)

        def need_verdicts(what, **changed):
            expected = dict(good, **{name.replace("_", "-"): value for name, value in changed.items()})
            need_equal(expected, verdicts(venv, *checks), what)

        need_verdicts("a good image")

        ops = site / "nvidia/cudnn/lib/libcudnn_ops.so.9"
        ops.rename(folder / "ops")
        words = "Unable to load any of {libcudnn_ops.so.9}"
        need_verdicts("a sub-library of cuDNN is missing",
                      LOAD_TORCH=("fail", "loading torch ('libtorch') ends with signal 6 in 'load:cpp'", words),
                      VER_CUDNN=("fail", "asking cuDNN for its version kills the process", "signalled 6: " + words))
        (folder / "ops").rename(ops)

        nccl = site / "nvidia/nccl/lib/libnccl.so.2"
        compile_library("fake_libraries.cc", nccl, "-DFAKE_NCCL=23007")
        need_verdicts("another NCCL", VER_NCCL=("fail", "NCCL is of another version", "2.30.7"))
        compile_library("fake_libraries.cc", nccl, "-DFAKE_NCCL=22703")

        cpu = site / "torch/lib/libtorch_cpu.so"
        whole = cpu.read_bytes()
        cpu.write_bytes(whole[:4096])
        seen = verdicts(venv, *checks)
        need_equal("fail", seen["LOAD-TORCH"][0], "half a library")
        need_equal("fail", seen["PY-IMPORT"][0], "half a library")
        need_equal("blocked", seen["LOAD-PROV"][0], "half a library")
        need_equal((good["VER-CUDNN"], good["VER-NCCL"]), (seen["VER-CUDNN"], seen["VER-NCCL"]), "half a library")
        cpu.write_bytes(whole)

        whole_init = (site / "torch/__init__.py").read_text()
        (site / "numpy.py").write_text("import not_there\n")
        seen = verdicts(venv, "PY-IMPORT")["PY-IMPORT"]
        need_equal(("fail", "'import numpy' of 'numpy' fails", "ModuleNotFoundError: No module named 'not_there'"), seen,
                   "numpy does not import")
        init = site / "torch/__init__.py"
        init.write_text("try:\n    import numpy\nexcept Exception as cause:\n"
                        "    raise ImportError('\\nREAD THIS\\nOriginal error was lost') from cause\n")
        need_equal(("fail", "'import torch' fails in 'load:python'",
                    "ImportError: READ THIS, because of ModuleNotFoundError: No module named 'not_there'"),
                   verdicts(venv, "LOAD-TORCH")["LOAD-TORCH"], "torch raises what numpy raised")
        init.write_text(whole_init)
        # Hidden from the list of packages it is still what torch warns of.
        shutil.rmtree(site / "numpy-2.0.dist-info")
        seen = verdicts(venv, "PY-IMPORT")["PY-IMPORT"]
        need_equal(("warn", "'import torch' works and warns"), seen[:2], "torch warns")
        need("Failed to initialize NumPy: No module named 'not_there'" in seen[2], seen[2])


def a_torch_that_hangs():
    with scratch("hang") as folder:
        venv, site = small_image(folder)
        (site / "torch/__init__.py").write_text("import time\ntime.sleep(1000)\n")
        python = venv / "bin/python3"
        seen = events("load", "--torch", site / "torch", "--python", python, "--seconds", "2")
        need_equal("timed_out", seen["child"][0]["end"], "the end of a load that hangs")
        seen = events("coldstart", "--torch", site / "torch", "--python", python, "--seconds", "2", "--phase",
                      "import", "--phase", "libtorch")
        need_equal([("import", False, "does not end in time"), ("libtorch", True, "")],
                   [(e["phase"], e["ok"], e["error"]) for e in seen["sample"]], "a start that hangs, and the next phase")
        seen = events("python", "--python", python, "--mode", "import", "--seconds", "2")
        need_equal({("numpy", True, ""), ("torch", False, "does not end in time")},
                   {(e["module"], e["ok"], e["error"]) for e in seen["import"]}, "imports beside one that hangs")


# --- imgcheck-inside -----------------------------------------------------------------------------


def inside_reports_in_the_formats_of_imgcheck():
    inside = BUNDLE / "imgcheck-inside"
    digest = "sha256:" + "a" * 64
    ran = run(inside, "--check", "DIST-CPU", "--check", "IMG-SIZE", "--format", "json", "--image-digest", digest)
    report = json.loads(ran.out)
    statuses = {c["id"]: (c["status"], c["reason"]) for c in report["checks"]}
    need_equal({"DIST-CPU": ("pass", None),
                "IMG-SIZE": ("skipped", "needs the layers of the image, which a container does not have: "
                                        "run 'imgcheck check'")}, statuses, "results")
    need(digest in ran.out, "the report does not name the image")
    text = run(inside, "--check", "DIST-CPU").out
    need("PASS" in text and "DIST-CPU" in text, text)


def inside_says_no_with_the_right_code():
    inside = BUNDLE / "imgcheck-inside"
    with scratch("inside") as folder:
        need_equal("error: cannot read '/no/such/file'\n",
                   run(inside, "--expectations", "/no/such/file", expect=3).err, "words")
        lies = folder / "e.json"
        lies.write_text('{"expectationsVersion":1,"python":7}')
        need_equal(f"error: {lies}: python: expected a string, found a number\n",
                   run(inside, "--expectations", lies, expect=2).err, "words")
        need_equal(f"error: there are no probes in '{folder}'\nhint: name their folder with --bundle\n",
                   run(inside, "--bundle", folder, expect=3).err, "words")
        promised = folder / "promised.json"
        promised.write_text('{"expectationsVersion":1,"versions":{"nccl":"2.27"}}')
        run(inside, "--expectations", promised, "--check", "VER-NCCL", expect=1)
        # Nothing ran: no pass.
        run(inside, "--check", "IMG-SIZE", expect=3)
        env = dict(os.environ, IMGCHECK_EXPECTATIONS=str(lies))
        run(inside, "--check", "DIST-CPU", env=env, expect=2)


def main():
    results = Results("probes")
    for test in (holds_its_programs, needs_glibc_2_28_at_most, exports_nothing, names_no_path_of_this_machine,
                 same_bytes_in_another_folder, declarations_are_those_of_torchs_headers, refuse_unknown_arguments,
                 versions_of_fake_libraries, versions_of_a_file_that_is_no_library, attention_of_fake_torches,
                 loading_what_is_not_there, all_reduce, imports_of_a_small_python,
                 faults_of_a_small_image, a_torch_that_hangs,
                 inside_reports_in_the_formats_of_imgcheck, inside_says_no_with_the_right_code):
        results.run(test.__name__, test)
    return results.finish()


if __name__ == "__main__":
    if not BUNDLE.is_dir():
        raise SystemExit(f"error: no bundle '{BUNDLE}'; run ci/bundle first")
    sys.exit(main())
