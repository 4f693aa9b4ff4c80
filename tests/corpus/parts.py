# SPDX-License-Identifier: Apache-2.0
"""Files of a small image: real ELF files with the sonames, symbols, run paths and GPU code of torch's wheels.

Everything is made by the machine's compiler from a few lines each; libc, libstdc++ and their like are the machine's own.
"""

import importlib.util
import marshal
import pathlib
import struct
import subprocess

SYSTEM = "/usr/lib/x86_64-linux-gnu"
SITE = "/opt/venv/lib/python3.11/site-packages"
TORCH = SITE + "/torch"
CUDNN = SITE + "/nvidia/cudnn/lib"
WHEEL_PARTS = ("cublas", "cuda_nvrtc", "cuda_runtime", "cudnn", "cufile", "nccl")
TORCH_RPATH = ":".join(f"$ORIGIN/../../nvidia/{part}/lib" for part in WHEEL_PARTS) + ":$ORIGIN"
CUDNN_PARTS = ("graph", "ops", "cnn", "adv", "heuristic", "engines_precompiled", "engines_runtime_compiled")
MAGIC_311 = 3495
ALL_ARCHS = (70, 75, 80, 86, 90, 100, 120)


def fat_binary(archs, copies=3, ptx=()):
    """Fat binaries as nvcc writes them: a header, then for each architecture a 64-byte entry and its code."""
    entries = b""
    for kind, numbers in ((2, archs), (1, ptx)):
        for arch in numbers:
            code = b"\0" * 64
            entries += struct.pack("<HHIQIIHHIIIQQQ", kind, 0x0101, 64, len(code), 0, 0, 8, 1, arch, 0, 0, 0x11, 0, 0)
            entries += code
    return (struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries) * copies


def note(name, text):
    """An ELF note as assembler lines."""
    data = text.encode() + b"\0"
    values = ",".join(str(b) for b in data)
    return (f'.section {name},"a",@note\n.balign 4\n.long 19, {len(data)}, 1\n'
            f'.asciz "NVIDIA Corporation"\n.balign 4\n.byte {values}\n.balign 4\n')


class Compiler:
    """Makes ELF files in one folder; the same request is compiled once."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made = {}
        self.number = 0

    def library(self, soname, functions=(), needs=(), imports=(), rpath="", runpath="", versions="", gpu=b"", names=(),
                source="", language="c", flags=(), assembly=""):
        """Path of a shared library. `needs`: libraries (paths) that become NEEDED by their sonames."""
        key = (soname, tuple(functions), tuple(map(str, needs)), tuple(imports), rpath, runpath, versions, gpu,
               tuple(names), source, language, tuple(flags), assembly)
        if key not in self.made:
            self.made[key] = self._compile(*key)
        return self.made[key]

    def _compile(self, soname, functions, needs, imports, rpath, runpath, versions, gpu, names, source, language, flags,
                 assembly):
        self.number += 1
        base = self.folder / f"{self.number:03}"
        lines = [f"int {f}(void) {{ return 0; }}" for f in functions]
        lines += [f"extern int {f}(void);" for f in imports]
        if imports:
            lines.append("int corpus_calls(void) { return " + " + ".join(f"{f}()" for f in imports) + "; }")
        for at, name in enumerate(names):
            lines.append(f'__attribute__((used)) const char corpus_name_{at}[] = "{name}";')
        code = base.with_suffix(".cc" if language == "c++" else ".c")
        code.write_text("\n".join(lines) + "\n" + source + "\n")
        inputs = [str(code)]
        if gpu or assembly:
            data = base.with_suffix(".bin")
            data.write_bytes(gpu)
            extra = base.with_suffix(".s")
            text = assembly + '.section .note.GNU-stack,"",@progbits\n'
            if gpu:
                text += f'.section .nv_fatbin,"a",@progbits\n.balign 8\n.incbin "{data}"\n'
            extra.write_text(text)
            inputs.append(str(extra))
        out = base.with_suffix(".so")
        command = ["g++" if language == "c++" else "gcc", "-shared", "-fPIC", "-O1", "-s", "-o", str(out), *inputs,
                   *flags, "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", "-Wl,--hash-style=gnu"]
        if soname:
            command.append(f"-Wl,-soname,{soname}")
        if versions:
            script = base.with_suffix(".map")
            script.write_text(versions)
            command.append(f"-Wl,--version-script={script}")
        if rpath:
            command.append(f"-Wl,--disable-new-dtags,-rpath,{rpath}")
        if runpath:
            command.append(f"-Wl,--enable-new-dtags,-rpath,{runpath}")
        run(command + [str(n) for n in needs])
        return out

    def program(self, flags=()):
        """Path of a program that needs the C library and does nothing."""
        key = ("program", tuple(flags))
        if key not in self.made:
            self.number += 1
            out = self.folder / f"{self.number:03}-program"
            code = out.with_suffix(".c")
            code.write_text("#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n")
            run(["gcc", "-O1", "-s", "-o", str(out), str(code), *flags])
            self.made[key] = out
        return self.made[key]


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}")


def versions_of(name, prefix):
    return f"{name} {{ global: {prefix}*; local: *; }};\n"


def string_functions(count, old=False):
    """C++ functions of torch's namespaces that take a std::string, for one of its two ABIs."""
    define = "#define _GLIBCXX_USE_CXX11_ABI 0\n" if old else ""
    body = "".join(f"unsigned long take{'_old' if old else ''}{i}(const std::string& s) {{ return s.size() + {i}; }}\n"
                   for i in range(count))
    return f"{define}#include <string>\nnamespace c10 {{\n{body}}}\n"


def machine_library(name):
    """A library of this machine's C and C++ runtime."""
    for folder in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"):
        path = pathlib.Path(folder) / name
        if path.exists():
            return path.resolve()
    raise SystemExit(f"no '{name}' on this machine")


class Parts:
    """Every library of the good image, by what changes between images."""

    def __init__(self, folder):
        self.cc = Compiler(folder)
        self.driver = self.cc.library("libcuda.so.1", ["cuInit", "cuModuleLoadData"])
        self.missing = {name: self.cc.library(name) for name in
                        ("libmlx5.so.1", "librdmacm.so.1", "libibverbs.so.1", "libmissing.so.7")}
        self.cudart = self.cc.library("libcudart.so.12", ["cudaMalloc", "cudaFree"],
                                      versions=versions_of("libcudart.so.12", "cuda"))
        self.cublas_lt = self.cc.library("libcublasLt.so.12", ["cublasLtCreate"], runpath="$ORIGIN",
                                         versions=versions_of("libcublasLt.so.12", "cublas"),
                                         gpu=fat_binary((70, 80, 90, 100, 120)))
        self.cublas = self.cc.library("libcublas.so.12", ["cublasCreate_v2"], [self.cublas_lt], ["cublasLtCreate"],
                                      runpath="$ORIGIN", versions=versions_of("libcublas.so.12", "cublas"),
                                      gpu=fat_binary((70, 80, 90, 100, 120)))
        self.nvrtc = self.cc.library("libnvrtc.so.12", ["nvrtcVersion"], runpath="$ORIGIN",
                                     names=["libnvrtc-builtins.so.12.8"])
        self.builtins = self.cc.library("libnvrtc-builtins.so.12.8", ["corpus_builtins"])
        self.cufile = self.cc.library("libcufile.so.0", ["cuFileGetVersion"], runpath="$ORIGIN")
        self.cufile_rdma = self.cc.library(
            "libcufile_rdma.so.1", ["corpus_rdma"],
            [self.missing[n] for n in ("libmlx5.so.1", "librdmacm.so.1", "libibverbs.so.1")], runpath="$ORIGIN")
        self.c10 = self.cc.library("libc10.so", source=string_functions(20), language="c++", rpath=TORCH_RPATH)
        self.torch_cpu = self.libtorch_cpu()
        self.nccl_full = self.nccl()
        self.cudnn_front = self.cudnn("")
        self.torch_cuda = self.libtorch_cuda()

    def nccl(self, functions=("ncclAllReduce", "ncclCommRegister"), archs=(70, 80, 90, 100, 120)):
        return self.cc.library("libnccl.so.2", functions, gpu=fat_binary(archs))

    def cudnn(self, part, archs=(70, 80, 90, 100, 120), names=()):
        if not part:
            wanted = names or [f"libcudnn_{p}.so" for p in ("graph", "ops", "cnn", "adv")]
            return self.cc.library("libcudnn.so.9", ["cudnnCreate", "cudnnGetVersion"], runpath="$ORIGIN", names=wanted,
                                   versions=versions_of("libcudnn.so.9", "cudnn"))
        gpu = fat_binary(archs) if part in ("ops", "cnn", "adv", "engines_precompiled") else b""
        return self.cc.library(f"libcudnn_{part}.so.9", [f"cudnn_{part}_entry"], runpath="$ORIGIN", gpu=gpu)

    def libtorch_cpu(self, old_symbols=0):
        needs = [self.c10]
        if old_symbols:
            old = self.cc.folder / "old_abi.cc"
            old.write_text(string_functions(old_symbols, old=True))
            return self.cc.library("libtorch_cpu.so", needs=needs, source=string_functions(150), language="c++",
                                   rpath=TORCH_RPATH, flags=[str(old)])
        return self.cc.library("libtorch_cpu.so", needs=needs, source=string_functions(150), language="c++",
                               rpath=TORCH_RPATH)

    def libtorch_cuda(self, archs=ALL_ARCHS):
        return self.cc.library(
            "libtorch_cuda.so",
            needs=[self.torch_cpu, self.c10, self.cudart, self.cublas, self.cudnn_front, self.nccl_full, self.cufile],
            imports=["cudaMalloc", "cublasCreate_v2", "cudnnCreate", "ncclAllReduce", "ncclCommRegister"],
            rpath=TORCH_RPATH, gpu=fat_binary(archs), names=["libtorch_cuda_linalg.so", "libcaffe2_nvrtc.so"])

    def libraries(self):
        """Path in the image → file, for all of torch and CUDA."""
        nvidia = SITE + "/nvidia"
        found = {
            f"{nvidia}/cuda_runtime/lib/libcudart.so.12": self.cudart,
            f"{nvidia}/cublas/lib/libcublasLt.so.12": self.cublas_lt,
            f"{nvidia}/cublas/lib/libcublas.so.12": self.cublas,
            f"{nvidia}/cuda_nvrtc/lib/libnvrtc.so.12": self.nvrtc,
            f"{nvidia}/cuda_nvrtc/lib/libnvrtc-builtins.so.12.8": self.builtins,
            f"{nvidia}/cufile/lib/libcufile.so.0": self.cufile,
            f"{nvidia}/cufile/lib/libcufile_rdma.so.1": self.cufile_rdma,
            f"{nvidia}/nccl/lib/libnccl.so.2": self.nccl_full,
            f"{CUDNN}/libcudnn.so.9": self.cudnn_front,
            f"{TORCH}/lib/libc10.so": self.c10,
            f"{TORCH}/lib/libtorch_cpu.so": self.torch_cpu,
            f"{TORCH}/lib/libtorch_cuda.so": self.torch_cuda,
            f"{TORCH}/lib/libtorch_cuda_linalg.so": self.cc.library(
                "libtorch_cuda_linalg.so", needs=[self.torch_cuda], rpath=TORCH_RPATH),
            f"{TORCH}/lib/libcaffe2_nvrtc.so": self.cc.library(
                "libcaffe2_nvrtc.so", needs=[self.nvrtc, self.driver], imports=["cuInit", "nvrtcVersion"],
                rpath=TORCH_RPATH),
            f"{TORCH}/lib/libtorch_python.so": self.cc.library(
                "libtorch_python.so", needs=[self.torch_cuda, self.torch_cpu, self.cudart, self.cudnn_front],
                rpath=TORCH_RPATH),
        }
        for part in CUDNN_PARTS:
            found[f"{CUDNN}/libcudnn_{part}.so.9"] = self.cudnn(part)
        return found


def bytecode(source, path, flags=3, magic=MAGIC_311):
    """A .pyc of Python 3.11: PEP 552 header and code."""
    if flags:
        tail = importlib.util.source_hash(source)
    else:
        tail = struct.pack("<II", 1577836800, len(source))
    return struct.pack("<HH", magic, 0x0A0D) + struct.pack("<I", flags) + tail + \
        marshal.dumps(compile(source, path, "exec"))
