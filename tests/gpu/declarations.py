#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every C function that the GPU probes declare against the headers in NVIDIA's and torch's wheels, and has ptxas
assemble their kernel for each GPU generation."""

import json
import os
import pathlib
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "support"))
from harness import ROOT, Results, Skip, need, need_equal, run, scratch  # noqa: E402

PROBES = ROOT / "validators/probes"
LOCK = ROOT / "manifests/pytorch-2.8.0-cu128-py311.lock.json"

# struct → source of its find() lines, headers that declare its functions
TABLES = {
    "CudaDriver": ("cuda_driver", ["cuda.h"]),
    "Nvml": ("nvml", ["nvml.h"]),
    "Cublas": ("cublas", ["cublas_v2.h"]),
    "Cudnn": ("cudnn", ["cudnn.h"]),
    "Nccl": ("nccl", ["nccl.h"]),
}

# What the probes write as numbers.
CONSTANTS = {
    "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR": 75, "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR": 76,
    "CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT": 16, "CU_DEVICE_ATTRIBUTE_COMPUTE_MODE": 20,
    "CU_DEVICE_ATTRIBUTE_ECC_ENABLED": 32, "CU_JIT_ERROR_LOG_BUFFER": 5, "CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES": 6,
    "CU_MODULE_EAGER_LOADING": 1, "CU_MODULE_LAZY_LOADING": 2, "CUDA_ERROR_STUB_LIBRARY": 34,
    "CUDA_ERROR_NO_DEVICE": 100, "CUDA_ERROR_NO_BINARY_FOR_GPU": 209, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION": 222,
    "CUDA_ERROR_SYSTEM_NOT_READY": 802, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH": 803,
    "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE": 804, "CUBLAS_STATUS_ARCH_MISMATCH": 8, "CUBLAS_OP_N": 0,
    "CUDNN_DATA_FLOAT": 0, "CUDNN_TENSOR_NCHW": 0, "CUDNN_CROSS_CORRELATION": 1,
    "CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM": 0, "CUDNN_CONVOLUTION_BWD_DATA_ALGO_1": 1,
    "CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1": 1, "CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED": 1008, "ncclFloat32": 7,
    "ncclFloat64": 8, "ncclSum": 0, "ncclMax": 2, "NVML_MEMORY_ERROR_TYPE_UNCORRECTED": 1, "NVML_VOLATILE_ECC": 0,
    "NVML_NVLINK_MAX_LINKS": 18, "NCCL_UNIQUE_ID_BYTES": 128,
}

COMPARE = """
#include <type_traits>
namespace {
template <typename A, typename B>
constexpr bool same_place() {
  constexpr bool pointers = std::is_pointer_v<A> && std::is_pointer_v<B>;
  constexpr bool numbers = (std::is_integral_v<A> || std::is_enum_v<A>) && (std::is_integral_v<B> || std::is_enum_v<B>);
  constexpr bool bytes = std::is_class_v<A> && std::is_class_v<B> && std::is_trivially_copyable_v<A>;
  if constexpr (std::is_void_v<A> || std::is_void_v<B>) return std::is_same_v<A, B>;
  else return (pointers || numbers || bytes || std::is_same_v<A, B>) && sizeof(A) == sizeof(B);
}
template <typename A, typename B> struct Same : std::false_type {};
template <typename R, typename... A, typename S, typename... B>
struct Same<R (*)(A...), S (*)(B...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(A) == sizeof...(B)) return same_place<R, S>() && (same_place<A, B>() && ...);
    else return false;
  }();
};
}
"""


def blob(name):
    """A wheel of the committed lock, from the store of imgbuild."""
    sha256 = next(w["sha256"] for w in json.loads(LOCK.read_text())["wheels"] if w["name"] == name)
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")))
    path = cache / "imgbuild/blobs/sha256" / sha256
    if not path.exists():
        raise Skip(f"the wheel of {name} is not in the store of imgbuild")
    return path


def extract(wheel, folder, wanted):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if wanted(name):
                archive.extract(name, folder)


class Headers:
    """Include folders of the wheels, in a folder of this run."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12", "nvidia-nccl-cu12", "nvidia-cublas-cu12"):
            extract(blob(name), folder, lambda n: "/include/" in n)
        extract(blob("torch"), folder, lambda n: "/inductor/aoti_torch/" in n and n.endswith(".h"))
        downloads = folder / "downloads"
        ran = run(ROOT / ".tools/bin/python" if (ROOT / ".tools/bin/python").exists() else "/usr/bin/python3", "-m", "pip",
                  "download", "--quiet", "--no-deps", "--require-hashes", "-d", downloads, "-r", HERE / "headers.txt",
                  expect=None)
        if ran.code != 0:
            raise Skip("the wheels of tests/gpu/headers.txt cannot be had: " + ran.err.strip().splitlines()[-1])
        for wheel in downloads.iterdir():
            extract(wheel, folder, lambda n: "/include/" in n or n.endswith("/bin/ptxas"))

    def flags(self):
        return [f"-I{path}" for path in sorted(self.folder.glob("nvidia/*/include"))]


HEADERS = None


def found_in(source):
    """(symbol, member) of each find() line."""
    return re.findall(r'find\(\w+, "(\w+)", (\w+)\);', (PROBES / f"{source}.cc").read_text())


def compile_text(text, expect=0):
    source = HEADERS.folder / "declarations.cc"
    source.write_text(text)
    return run("g++", "-std=c++20", "-fsyntax-only", "-w", f"-I{ROOT}", *HEADERS.flags(), source, expect=expect)


def assertions(change=None):
    lines = [f"#include <{header}>" for _, headers in TABLES.values() for header in headers]
    lines += [f'#include "validators/probes/{source}.h"' for source, _ in TABLES.values()]
    lines += [COMPARE]
    count = 0
    for struct, (source, _) in TABLES.items():
        for symbol, member in found_in(source):
            # The headers give most functions their versioned names by macros.
            ours = f"decltype(probe::{struct}::{member})" if symbol != change else "int (*)(double)"
            plain = re.sub(r"_v\d+$", "", symbol)
            theirs = plain if struct == "CudaDriver" and plain != symbol else symbol
            lines.append(f'static_assert(Same<decltype(&::{theirs}), {ours}>::value, "{symbol}");')
            count += 1
    lines += [f'static_assert(static_cast<int>({name}) == {value}, "{name}");' for name, value in CONSTANTS.items()]
    lines += ["static_assert(sizeof(ncclUniqueId) == sizeof(probe::NcclId) && sizeof(CUuuid) == 16);"]
    return "\n".join(lines), count


def declarations_are_those_of_nvidias_headers():
    text, count = assertions()
    need(count >= 60, f"only {count} functions are declared")
    compile_text(text)
    # The comparison itself: a declaration that differs does not compile.
    ran = compile_text(assertions(change="ncclAllReduce")[0], expect=1)
    need("ncclAllReduce" in ran.err and ran.err.count("static assertion failed") == 1, ran.err)


def declarations_are_those_of_torchs_headers():
    """GPU functions of the shim as the locked wheel declares them, parameter by parameter."""
    folder = HEADERS.folder / "torch/include/torch/csrc/inductor/aoti_torch"
    headers = "".join((folder / name).read_text() for name in ("c/shim.h", "generated/c_shim_cuda.h"))
    headers = re.sub(r"//[^\n]*", "", headers)
    ours = (PROBES / "gpu_torch.h").read_text()
    canonical = {"AtenTensorHandle": "TensorHandle", "std::int32_t": "i32", "std::int64_t": "i64", "int32_t": "i32",
                 "int64_t": "i64"}

    def types_of(parameters):
        types = []
        for parameter in filter(None, (p.strip() for p in parameters.split(","))):
            text = re.sub(r"\s*\b\w+$", "", parameter) if re.search(r"[\s*]\w+$", parameter) else parameter
            for old, new in canonical.items():
                text = text.replace(old, new)
            types.append(re.sub(r"\s*\*", "*", re.sub(r"\s+", " ", text)).strip())
        return [t for t in types if t != "void"]

    compared = 0
    for symbol, member in found_in("gpu_torch"):
        theirs = re.search(r"\b" + symbol + r"\(([^)]*)\)", headers)
        need(theirs, f"torch's headers do not declare {symbol}")
        mine = re.search(r"\(\*" + member + r"\)\(([^)]*)\)", ours)
        need(mine, f"gpu_torch.h does not declare {member}")
        need_equal(types_of(theirs.group(1)), types_of(mine.group(1)), f"parameters of {symbol}")
        compared += 1
    need_equal(6, compared, "number of declarations compared")


def the_kernel_assembles_for_each_gpu():
    text = (PROBES / "cuda_driver.cc").read_text()
    ptx = HEADERS.folder / "kernel.ptx"
    ptx.write_text(re.search(r'R"ptx\(\n(.*?)\)ptx"', text, re.S).group(1))
    ptxas = next(HEADERS.folder.glob("nvidia/*/bin/ptxas"))
    ptxas.chmod(0o755)
    for target in ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"):
        out = HEADERS.folder / f"{target}.cubin"
        run(ptxas, f"-arch={target}", "-Werror", ptx, "-o", out)
        need(out.stat().st_size > 1000, f"{target}: no code")


def main():
    global HEADERS
    results = Results("gpu-declarations")
    tests = (declarations_are_those_of_nvidias_headers, declarations_are_those_of_torchs_headers,
             the_kernel_assembles_for_each_gpu)
    with scratch("declarations") as folder:
        try:
            HEADERS = Headers(folder)
        except Skip as reason:
            for test in tests:
                results.record("skip", test.__name__, str(reason))
            return results.finish()
        for test in tests:
            results.run(test.__name__, test)
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
