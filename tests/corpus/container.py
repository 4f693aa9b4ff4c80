# SPDX-License-Identifier: Apache-2.0
"""Broken images for the container tier, started for real: Debian, Python and numpy of the small image, and one layer with
a torch and CUDA libraries made by the compiler, of which one thing is wrong.

Each case runs every check of the tier but the two whose probes take longest (attention, all-reduce over processes), which
run where the case is about them or $IMG_TEST_FULL is set.
"""

import concurrent.futures
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import ROOT, Failure, Results, Skip, imgbuild, imgcheck, need, need_equal, need_program, run, scratch  # noqa: E402

import image as images  # noqa: E402
import parts  # noqa: E402
from image import cached, dist_info, elf, file, metadata, put_module, version_py  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SITE, TORCH, CUDNN, SYSTEM = parts.SITE, parts.TORCH, parts.CUDNN, parts.SYSTEM
SLOW = ("SDPA-CPU", "DIST-CPU")
MANIFEST = ROOT / "manifests/small-nccl-py311.yaml"

VERSION_CALLS = {
    "cudart": ("libcudart.so.12", """
int cudaMalloc() { return 35; }
int cudaRuntimeGetVersion(int* v) { *v = %d; return 0; }
int cudaDriverGetVersion(int* v) { *v = 0; return 0; }
int cudaGetDeviceCount(int* n) { *n = 0; return 35; }
""", 12080),
    "cudnn": ("libcudnn.so.9", """
#include <dlfcn.h>
int cudnnCreate() { return 1; }
unsigned long cudnnGetVersion() { return %d; }
int cudnnGetProperty(int which, int* v) { *v = which == 0 ? 9 : which == 1 ? 10 : 2; return 0; }
unsigned long cudnnGetCudartVersion() { return 12080; }
static int part(const char* name) { return dlopen(name, RTLD_NOW) ? 0 : 1; }
int cudnnGraphVersionCheck() { return part("libcudnn_graph.so.9"); }
int cudnnOpsVersionCheck() { return part("libcudnn_ops.so.9"); }
int cudnnCnnVersionCheck() { return part("libcudnn_cnn.so.9"); }
int cudnnAdvVersionCheck() { return part("libcudnn_adv.so.9"); }
""", 91002),
    "nccl": ("libnccl.so.2", """
int ncclAllReduce() { return 1; }
int ncclGetVersion(int* v) { *v = %d; return 0; }
int ncclGetUniqueId(char* id) { id[0] = 1; return 0; }
""", 22703),
    "cublaslt": ("libcublasLt.so.12", """
unsigned long cublasLtGetVersion() { return %d; }
""", 120804),
    "cublas": ("libcublas.so.12", """
int cublasCreate_v2() { return 1; }
int cublasGetProperty(int which, int* v) { int all = %d; *v = which == 0 ? all / 10000 : which == 1 ? all / 100 %% 100 : all %% 100; return 0; }
""", 120804),
    "nvrtc": ("libnvrtc.so.12", """
int nvrtcVersion(int* major, int* minor) { int all = %d; *major = all / 10; *minor = all %% 10; return 0; }
""", 128),
}
PLACES = {"cudart": "cuda_runtime", "cudnn": "cudnn", "nccl": "nccl", "cublaslt": "cublas", "cublas": "cublas",
          "nvrtc": "cuda_nvrtc"}
WHEELS = images.WHEELS[:-1] + [("numpy", None)]  # without cuFile
ENVIRONMENT = ["PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "PYTHONDONTWRITEBYTECODE=1", "HOME=/tmp", "USER=corpus"]


class Libraries:
    """The libraries of the good image, and wrong ones."""

    def __init__(self, folder):
        self.cc = parts.Compiler(folder)

    def cuda(self, name, version=None, replace=None):
        """A library of CUDA that says `version`; `replace`: (old, new) in its source."""
        soname, source, usual = VERSION_CALLS[name]
        source %= usual if version is None else version
        if replace:
            if replace[0] not in source:
                raise Failure(f"the source of {soname} has no '{replace[0]}'")
            source = source.replace(*replace)
        needs = [self.cuda("cublaslt")] if name == "cublas" else []
        return self.cc.library(soname, needs=needs, source=source, runpath="$ORIGIN")

    def cudnn_part(self, name):
        return self.cc.library(f"libcudnn_{name}.so.9", [f"cudnn_{name}_entry"], runpath="$ORIGIN")

    def torch(self, flags=()):
        """libtorch_cpu.so."""
        return self.cc.library("libtorch_cpu.so", needs=[self.c10()], source=(HERE / "fake_torch.cc").read_text(),
                               language="c++", flags=("-std=c++20", "-O2", *flags), rpath=parts.TORCH_RPATH)

    def c10(self):
        return self.cc.library("libc10.so", ["c10_is_loaded"], rpath=parts.TORCH_RPATH)

    def of_torch(self):
        cuda = self.cc.library("libtorch_cuda.so", needs=[self.torch(), *map(self.cuda, ("cudart", "cublas", "cudnn", "nccl"))],
                               imports=["cudaMalloc", "cublasCreate_v2", "cudnnCreate", "ncclAllReduce"],
                               rpath=parts.TORCH_RPATH)
        return {"libc10.so": self.c10(), "libtorch_cpu.so": self.torch(), "libtorch_cuda.so": cuda,
                "libtorch.so": self.cc.library("libtorch.so", needs=[self.torch(), cuda], rpath=parts.TORCH_RPATH),
                "libtorch_cuda_linalg.so": self.cc.library("libtorch_cuda_linalg.so", needs=[cuda],
                                                           rpath=parts.TORCH_RPATH)}


def cuda_path(name):
    return f"{SITE}/nvidia/{PLACES[name]}/lib/{VERSION_CALLS[name][0]}"


def put_python(image, path, text):
    """A module of site-packages with its bytecode."""
    image.put(f"{SITE}/{path}", file(text))
    put_module(image.layers[-1], f"{SITE}/{path}")


def put_distribution(image, name, version, modules, requires=()):
    image.put(dist_info(name, version), metadata(name, version, requires))
    image.put(dist_info(name, version).replace("METADATA", "RECORD"), file("".join(f"{m},,\n" for m in modules)))


class Base:
    """Layers of the small image without NCCL's, whose place a small library takes."""

    def __init__(self, folder, lock=None):
        self.layout = folder / "base"
        run(imgbuild(), "build", MANIFEST, "-o", self.layout, *(["--lock", lock] if lock else []))
        index = json.loads((self.layout / "index.json").read_text())
        manifest = self.blob(index["manifests"][0]["digest"])
        config = self.blob(manifest["config"]["digest"])
        made_by = [h["created_by"] for h in config["history"] if not h.get("empty_layer")]
        wanted = [n for n, by in enumerate(made_by) if not by.startswith("imgbuild nccl:")]
        need(len(wanted) == len(made_by) - 1, f"which layer is NCCL's? {made_by}")
        self.layers = [manifest["layers"][n] for n in wanted]
        self.diff_ids = [config["rootfs"]["diff_ids"][n] for n in wanted]
        lock_file = json.loads(pathlib.Path(lock or MANIFEST.with_suffix(".lock.json")).read_text())
        self.numpy = next(w["version"] for w in lock_file["wheels"] if w["name"] == "numpy")

    def blob(self, digest):
        return json.loads((self.layout / "blobs/sha256" / digest[7:]).read_text())

    def place_under(self, image):
        """Makes `image` one whose own layers lie on these."""

        def documents(config, manifest):
            manifest["layers"] = self.layers + manifest["layers"]
            config["rootfs"]["diff_ids"] = self.diff_ids + config["rootfs"]["diff_ids"]
            config["history"] = [{"created_by": "base"} for _ in self.layers] + config["history"]

        def blobs(target, _):
            for layer in self.layers:
                name = f"blobs/sha256/{layer['digest'][7:]}"
                os.link(self.layout / name, target / name)

        image.edit_documents.append(documents)
        image.edit_layout.append(blobs)


def good_image(base, libraries):
    image = images.Image()
    base.place_under(image)
    for name in VERSION_CALLS:
        image.put(cuda_path(name), elf(libraries.cuda(name)))
    for part in ("graph", "ops", "cnn", "adv"):
        image.put(f"{CUDNN}/libcudnn_{part}.so.9", elf(libraries.cudnn_part(part)))
    for name, path in libraries.of_torch().items():
        image.put(f"{TORCH}/lib/{name}", elf(path))
    put_python(image, "torch/__init__.py", (HERE / "fake_torch.py").read_text())
    put_python(image, "torch/version.py", version_py("2.8.0+cu128", "12.8").data.decode())
    for name, version in WHEELS:
        if version:
            put_distribution(image, name, version, [])
    pins = [f"{n}=={v}" for n, v in WHEELS if n.startswith("nvidia-")]
    put_distribution(image, "torch", "2.8.0", ["torch/__init__.py", "torch/version.py"], pins)
    # The compiler that an image which promises torch.compile has.
    image.put("/usr/bin/g++", file("#!/bin/sh\nexit 0\n", 0o755))
    image.config = {"Env": ENVIRONMENT, "Cmd": ["python3"], "WorkingDir": "/workspace"}
    image.put("/workspace", images.folder(0o1777))
    image.manifest = images.MANIFEST_TEXT.replace("checks:\n", "checks:\n  cold_start: {import_torch: 20s}\n")
    image.wheels = [(n, v or base.numpy) for n, v in WHEELS]
    image.verified = dict(images.VERIFIED)
    return image


# --- The cases -------------------------------------------------------------------------------------

CASES = []


class Case:
    def __init__(self, name, expected, change, says):
        self.name, self.expected, self.change, self.says = name, expected, change, says


def case(expected, says):
    """Registers a function on (image, libraries) as a broken image named after it."""

    def add(function):
        CASES.append(Case(function.__name__.replace("_", "-"), expected, function, says))
        return function

    return add


@case({"LOAD-TORCH": "fail"}, "undefined symbol: cusolver_of_another_release")
def load_torch_function_that_is_nowhere(image, libraries):
    broken = libraries.cc.library("libtorch_cuda_linalg.so", needs=[libraries.torch()], rpath=parts.TORCH_RPATH,
                                  imports=["cusolver_of_another_release"])
    image.put(f"{TORCH}/lib/libtorch_cuda_linalg.so", elf(broken))


@case({"LOAD-TORCH": "fail", "VER-CUDNN": "fail"}, "'cudnnAdvVersionCheck' says so")
def load_torch_part_of_cudnn_missing(image, libraries):
    image.drop(f"{CUDNN}/libcudnn_adv.so.9")


@case({"LOAD-PROV": "fail"}, "'libcudnn_ops.so.9' comes from another file")
def load_prov_part_of_cudnn_of_the_system(image, libraries):
    opened = f'"{SYSTEM}/libcudnn_ops.so.9"'
    image.put(cuda_path("cudnn"), elf(libraries.cuda("cudnn", replace=('"libcudnn_ops.so.9"', opened))))
    image.put(f"{SYSTEM}/libcudnn_ops.so.9", elf(libraries.cudnn_part("ops")))


@case({"VER-CUDART": "fail"}, "12.6")
def ver_cudart_of_another_cuda(image, libraries):
    image.put(cuda_path("cudart"), elf(libraries.cuda("cudart", 12060)))


@case({"VER-CUDNN": "fail"}, "9.7.0")
def ver_cudnn_older_than_torch_was_built_with(image, libraries):
    image.put(cuda_path("cudnn"), elf(libraries.cuda("cudnn", 90700)))


@case({"VER-NCCL": "fail"}, "2.21.5")
def ver_nccl_older(image, libraries):
    image.put(cuda_path("nccl"), elf(libraries.cuda("nccl", 22105)))


@case({"VER-LIBS": "fail"}, "12.6")
def ver_libs_older_nvrtc(image, libraries):
    image.put(cuda_path("nvrtc"), elf(libraries.cuda("nvrtc", 126)))


@case({"VER-LIBS": "fail"}, "kills the process")
def ver_libs_cublas_that_aborts(image, libraries):
    image.put(cuda_path("cublas"), elf(libraries.cuda("cublas", replace=("int all", "__builtin_abort(); int all"))))


@case({"DRV-STATE": "fail"}, "a stub library stands in for the driver")
def drv_state_stub(image, libraries):
    stub = libraries.cc.library("libcuda.so.1", source="int cuInit(unsigned f) { return 34; }\n"
                                                       "int cuDriverGetVersion(int* v) { return 34; }\n")
    image.put(f"{SYSTEM}/libcuda.so.1", elf(stub))


@case({"SDPA-CPU": "fail"}, "gives wrong values")
def sdpa_cpu_not_causal(image, libraries):
    image.put(f"{TORCH}/lib/libtorch_cpu.so", elf(libraries.torch(flags=("-DFAKE_WRONG",))))


@case({"SDPA-CPU": "fail"}, "ends with signal 6")
def sdpa_cpu_kernel_that_aborts(image, libraries):
    image.put(f"{TORCH}/lib/libtorch_cpu.so", elf(libraries.torch(flags=("-DFAKE_DIES",))))


@case({"DIST-CPU": "fail"}, "the ranks cannot work together")
def dist_cpu_sockets_that_do_not_listen(image, libraries):
    hook = libraries.cc.library("libhook.so", source="int listen(int s, int n) { return -1; }\n")
    image.put("/opt/hook/libhook.so", elf(hook))
    image.env("LD_PRELOAD", "/opt/hook/libhook.so")


@case({"COLD-CPU": "fail"}, "takes longer than promised")
def cold_cpu_slow_import(image, libraries):
    put_python(image, "torch/version.py", "import time\ntime.sleep(0.7)\n" + version_py("2.8.0+cu128", "12.8").data.decode())
    image.replace_in_manifest("import_torch: 20s", "import_torch: 600ms")


@case({"COLD-CPU": "warn"}, "compiled at every start")
def cold_cpu_without_bytecode(image, libraries):
    image.drop(cached(f"{TORCH}/version.py"))


@case({"PY-IMPORT": "fail"}, "ImportError: built for another torch")
def py_import_extension_of_another_torch(image, libraries):
    put_python(image, "extension/__init__.py", "raise ImportError('built for another torch')\n")
    put_distribution(image, "extension", "1.0", ["extension/__init__.py"])
    image.wheels.append(("extension", "1.0"))


@case({"PY-IMPORT": "fail"}, "Python does not find 'absent'")
def py_import_package_that_is_not_there(image, libraries):
    image.wheels.append(("absent", "1.0"))


@case({"PY-PIPCHECK": "fail"}, "requirements that are not met")
def py_pipcheck_requirement_not_met(image, libraries):
    put_distribution(image, "needy", "1.0", [], requires=["not-there>=3"])


@case({"PY-NOUSER": "fail"}, "a product of matrices is 84.0, not 83")
def py_nouser_wrong_product(image, libraries):
    source = (HERE / "fake_torch.py").read_text()
    line = "        return numpy.asarray(numpy.asarray(self).sum(axis=dim)).view(Tensor)\n"
    put_python(image, "torch/__init__.py", source.replace(line, line.replace(".sum(axis=dim)", ".sum(axis=dim) + 1")))


@case({"PY-NOUSER": "warn"}, "'user name' fails")
def py_nouser_no_name(image, libraries):
    image.env("USER", None)


@case({"PY-COMPILE": "fail"}, "'torch.compile' does not work")
def py_compile_broken_compiler(image, libraries):
    image.put("/usr/bin/g++", file("#!/bin/sh\nexit 1\n", 0o755))


# --- Running them ----------------------------------------------------------------------------------


def container_checks():
    listed = json.loads(run(imgcheck(), "list", "--json").out)["checks"]
    return [check["id"] for check in listed if check["tier"] == "container"]


def container_report(layout, store, manifest=None, checks=(), expect=(0, 1, 3)):
    command = [imgcheck(), "check", layout, "--tier", "container", "--samples", "1", "--format", "json", "-q",
               "--cache-dir", store]
    command += ["--manifest", manifest] if manifest else []
    command += ["--check", ",".join(checks)] if checks else []
    ran = run(*command, expect=None, timeout=600)
    if ran.code not in expect:
        raise Failure(f"imgcheck could not look\n{ran.describe()}")
    report = json.loads(ran.out)
    return {check["id"]: check for check in report["checks"]}, ran.code, report


class Containers:
    def __init__(self, folder, lock=None):
        self.folder, self.store, self.cache = folder, folder / "store", {}
        self.libraries = Libraries(folder / "libraries")
        self.base = Base(folder, lock)
        self.good = good_image(self.base, self.libraries)
        self.checks = container_checks()

    def write(self, name, image):
        target = self.folder / name
        image.write(target / "layout", self.cache)
        return target / "layout", image.write_manifest(target) if image.manifest else None

    def good_report(self):
        from run import describe
        layout, manifest = self.write("container-good", self.good)
        report, code, _ = container_report(layout, self.store, manifest)
        bad = [check for check, result in report.items() if result["status"] != "pass"]
        need(not bad, f"the good image does not pass\n{describe(report, bad)}")
        need_equal(self.checks, list(report), "checks of the report")
        need_equal(0, code, "exit code")

    def broken(self, one):
        from run import judge
        image = self.good.copy()
        one.change(image, self.libraries)
        layout, manifest = self.write(one.name, image)
        full = os.environ.get("IMG_TEST_FULL")
        checks = [c for c in self.checks if full or c not in SLOW or c in one.expected]
        report, code, _ = container_report(layout, self.store, manifest, checks)
        expected = {check: "pass" for check in checks} | one.expected
        judge(report, code, expected, (next(iter(one.expected)), one.says))

    def without_torch(self):
        """Nothing but Debian and Python: what does not apply is skipped, each check with its reason."""
        image = images.Image()
        self.base.place_under(image)
        image.put("/etc/corpus", file("x"))
        image.config = {"Env": ENVIRONMENT, "Cmd": ["python3"]}
        layout, _ = self.write("container-without-torch", image)
        report, code, _ = container_report(layout, self.store)
        seen = {check: result["reason"] for check, result in report.items() if result["status"] == "skipped"}
        torch = "there is no torch in the image"
        need_equal({"LOAD-TORCH": torch, "LOAD-PROV": torch, "SDPA-CPU": torch,
                    "VER-CUDART": "there is no CUDA runtime in the image", "VER-CUDNN": "there is no cuDNN in the image",
                    "VER-NCCL": "there is no NCCL in the image", "VER-LIBS": "there are no CUDA libraries in the image",
                    "PY-COMPILE": "the image does not promise torch.compile (no C++ compiler)"}, seen, "skipped checks")
        need_equal(0, code, "exit code")


def together(results, tests):
    """Runs tests of (name, function, arguments) two at a time; results in their order."""

    def outcome(function, *args):
        try:
            function(*args)
            return None
        except (Failure, Skip) as problem:
            return problem

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        started = [(name, pool.submit(outcome, function, *args)) for name, function, *args in tests
                   if not results.only or results.only in f"{results.suite}.{name}"]
        for name, future in started:
            def test(future=future):
                problem = future.result()
                if problem is not None:
                    raise problem
            results.run(name, test)


def main(options):
    results = Results("corpus.container", options.only)
    with scratch("corpus-container") as folder:
        try:
            need_program("runc")
            corpus = Containers(folder, options.lock)
        except (Failure, Skip) as problem:
            results.record("skip" if isinstance(problem, Skip) else "fail", "base", str(problem))
            return results.finish()
        results.run("good", corpus.good_report)  # also unpacks the layers that all share
        tests = [("without-torch", corpus.without_torch)]
        tests += [(one.name, corpus.broken, one) for one in CASES]
        together(results, tests)
    return results.finish()

