# SPDX-License-Identifier: Apache-2.0
"""The broken images: each is the good one with one thing changed, and what every check must say about it."""

import tarfile

import parts
from image import (Entry, cached, dist_info, elf, file, link, metadata, put_module, torch_metadata, version_py, whiteout)

SITE, TORCH, CUDNN, SYSTEM = parts.SITE, parts.TORCH, parts.CUDNN, parts.SYSTEM


class Case:
    def __init__(self, name, expected, change, rest="as good", says=""):
        self.name = name
        self.expected = expected  # check → status
        self.change = change  # function on (image, made)
        self.rest = rest  # what all other checks say: as for the good image, or blocked
        self.says = says  # text that the reason of the first expected check must hold


CASES = []


def case(expected, says, rest="as good"):
    """Registers a function as a broken image named after it."""

    def add(function):
        name = function.__name__.replace("_", "-")
        CASES.append(Case(name, expected, function, rest, says))
        return function

    return add


# --- the image as bytes ---


def edit_blob(number, change):
    """Changes the stored bytes of one layer and leaves its name."""

    def edit(folder, manifest):
        path = folder / "blobs/sha256" / manifest["layers"][number]["digest"][7:]
        data = change(path.read_bytes())
        path.unlink()
        if data is not None:
            path.write_bytes(data)

    return edit


DIGEST = {"IMG-DIGEST": "fail", "IMG-LAYER": "blocked", "IMG-CONFIG": "pass"}


@case(DIGEST, "other bytes than its digest", rest="blocked")
def digest_flipped_byte_in_a_layer(image, made):
    # The name of the operating system in the gzip header: unpacking does not notice it.
    image.edit_layout.append(edit_blob(1, lambda data: data[:9] + bytes([data[9] ^ 1]) + data[10:]))


@case(DIGEST, "other bytes than its digest", rest="blocked")
def digest_flipped_byte_in_the_middle(image, made):
    def flip(data):
        at = len(data) // 2
        return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]

    image.edit_layout.append(edit_blob(1, flip))


@case(DIGEST, "other bytes than its digest", rest="blocked")
def digest_truncated_layer(image, made):
    image.edit_layout.append(edit_blob(0, lambda data: data[:-100]))


@case(DIGEST, "could not be read to its end", rest="blocked")
def digest_missing_layer(image, made):
    image.edit_layout.append(edit_blob(0, lambda data: None))


@case(DIGEST, "other bytes than its DiffID says", rest="blocked")
def digest_wrong_diff_id(image, made):
    def edit(config, manifest):
        config["rootfs"]["diff_ids"][1] = "sha256:" + "1" * 64

    image.edit_documents.append(edit)


LAYER = {"IMG-LAYER": "fail", "IMG-DIGEST": "pass", "IMG-CONFIG": "pass"}


@case(LAYER, "is not a valid layer", rest="blocked")
def layer_path_leaves_the_root(image, made):
    image.extra[1] = [("../outside", file("x"))]


@case(LAYER, "is not a valid layer", rest="blocked")
def layer_path_twice(image, made):
    image.extra[1] = [(f"{TORCH}/version.py".strip("/"), file("x"))]


@case({"IMG-LAYER": "fail"}, "is a device node")
def layer_device_node(image, made):
    image.put("/opt/disk", Entry(mode=0o666, kind=tarfile.BLKTYPE, device=(8, 0)))


@case({"IMG-LAYER": "warn"}, "is a named pipe")
def layer_named_pipe(image, made):
    image.put("/opt/pipe", Entry(kind=tarfile.FIFOTYPE))


# --- config, size, content ---


@case({"IMG-CONFIG": "fail"}, "user is not that of the manifest")
def config_other_user(image, made):
    image.config["User"] = "0"


@case({"IMG-CONFIG": "fail"}, "lies under /proc")
def config_working_directory_of_the_kernel(image, made):
    image.config["WorkingDir"] = "/proc/self/fd/8"


@case({"IMG-CONFIG": "fail"}, "'train' of the command is not on PATH")
def config_command_that_is_not_there(image, made):
    image.config["Cmd"] = ["train"]
    image.replace_in_manifest("cmd: [python3]", "cmd: [train]")


@case({"IMG-SIZE": "fail"}, "too big packed")
def size_above_the_limit(image, made):
    image.replace_in_manifest("compressed: 100MB", "compressed: 10kB")


@case({"IMG-WASTE": "fail"}, "no container sees")
def waste_deleted_in_a_later_layer(image, made):
    image.put("/opt/data.bin", file(b"\0" * (24 << 20)))
    image.layers.append({whiteout("/opt/data.bin"): file("")})


@case({"IMG-WASTE": "warn"}, "under several paths")
def waste_content_twice(image, made):
    image.put("/opt/one.bin", file(b"\1" * (24 << 20)))
    image.put("/opt/two.bin", file(b"\1" * (24 << 20)))


@case({"IMG-LEFTOVER": "fail"}, "lists of apt")
def leftover_lists_of_apt(image, made):
    image.put("/var/lib/apt/lists/mirror_Packages", file("Package: x\n" * 10_000))


@case({"IMG-LEFTOVER": "fail"}, "static archives")
def leftover_static_archive(image, made):
    image.put("/opt/lib/libx.a", file(b"!<arch>\n" + b"\0" * 100_000))


@case({"IMG-LEFTOVER": "warn"}, "logs")
def leftover_small_log(image, made):
    image.put("/var/log/dpkg.log", file("install\n"))


@case({"IMG-SECRET": "fail"}, "/root/.netrc")
def secret_in_a_file(image, made):
    image.put("/root/.netrc", file("machine index.example login me password hunter2\n"))


@case({"IMG-SECRET": "fail"}, "can still be read")
def secret_deleted_in_a_later_layer(image, made):
    image.put("/root/.git-credentials", file("https://me:hunter2@git.example\n"))
    image.layers.append({whiteout("/root/.git-credentials"): file("")})


@case({"IMG-SECRET": "fail"}, "of the history holds")
def secret_in_the_history(image, made):
    image.history.append({"created_by": "|1 API_TOKEN=abcdef /bin/sh -c make", "empty_layer": True})


# --- what loaders do ---


@case({"ELF-CLOSURE": "fail"}, "needs 'libmissing.so.7'")
def closure_missing_library(image, made):
    extension = made.cc.library("", needs=[made.missing["libmissing.so.7"]])
    image.put(f"{SITE}/pkg/_ext.so", elf(extension))


@case({"ELF-CLOSURE": "fail"}, "opens 'libnvrtc-builtins.so.12.8'")
def closure_missing_library_that_is_opened(image, made):
    image.drop(f"{SITE}/nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.8")


@case({"ELF-VERSION": "fail"}, "needs GLIBC_2.99")
def version_glibc_too_old(image, made):
    newer = made.cc.library("libc.so.6", ["corpus_new"], flags=["-nostdlib"],
                            versions="GLIBC_2.99 { global: corpus_new; };\n")
    extension = made.cc.library("", needs=[newer], imports=["corpus_new"], flags=["-nostdlib"])
    image.put(f"{SITE}/pkg/_ext.so", elf(extension))


@case({"ELF-VERSION": "fail"}, "of 'libstdc++.so.6'")
def version_libstdcxx_too_old(image, made):
    newer = made.cc.library("libstdc++.so.6", ["corpus_cxx"], flags=["-nostdlib"],
                            versions="GLIBCXX_3.4.99 { global: corpus_cxx; };\n")
    extension = made.cc.library("", needs=[newer], imports=["corpus_cxx"], flags=["-nostdlib"])
    image.put(f"{SITE}/pkg/_ext.so", elf(extension))


@case({"ELF-SYMS": "fail"}, "'ncclCommRegister', which no library that it loads defines")
def symbols_older_nccl(image, made):
    image.put(f"{SITE}/nvidia/nccl/lib/libnccl.so.2", elf(made.nccl(functions=["ncclAllReduce"])))


@case({"ELF-SYMS": "fail"}, "cudaMalloc@libcudart.so.12")
def symbols_of_another_version(image, made):
    other = made.cc.library("libcudart.so.12", ["cudaMalloc", "cudaFree"],
                            versions=parts.versions_of("libcudart.so.13", "cuda"))
    image.put(f"{SITE}/nvidia/cuda_runtime/lib/libcudart.so.12", elf(other))


@case({"ELF-CXXABI": "fail"}, "does not use the new std::string only")
def cxxabi_old_strings(image, made):
    image.put(f"{TORCH}/lib/libtorch_cpu.so", elf(made.libtorch_cpu(old_symbols=5)))


@case({"LIB-ONECOPY": "fail"}, "a second 'libcudnn.so.9' is reachable")
def onecopy_second_cudnn_of_the_system(image, made):
    image.put(f"{SYSTEM}/libcudnn.so.9", elf(made.cudnn("")))


@case({"LIB-ONECOPY": "fail"}, "(LD_LIBRARY_PATH)")
def onecopy_second_cudart_in_ld_library_path(image, made):
    image.put("/opt/cuda/lib64/libcudart.so.12", elf(made.cudart))
    image.env("LD_LIBRARY_PATH", "/opt/cuda/lib64")
    image.replace_in_manifest("workdir: /workspace", "workdir: /workspace, env: {LD_LIBRARY_PATH: /opt/cuda/lib64}")


@case({"CUDNN-SET": "fail"}, "'libcudnn_adv', which cuDNN opens, is not there")
def cudnn_part_missing(image, made):
    image.drop(f"{CUDNN}/libcudnn_adv.so.9")


@case({"CUDNN-SET": "fail"}, "from another folder")
def cudnn_part_of_the_system_wins(image, made):
    # cuDNN asks for the full version first, and the wheel's file does not have that name. Its soname is one of its own,
    # or else it would be a second copy of the wheel's library too.
    image.put(f"{SYSTEM}/libcudnn_ops.so.9.10.2", elf(made.cc.library("libcudnn_system_ops.so.9", ["cudnn_x"])))


# --- the driver ---


@case({"DRV-NOTBAKED": "fail"}, "is a file of the driver")
def driver_baked_in(image, made):
    image.put("/opt/driver/libcuda.so.535.54.03", elf(made.driver))


@case({"DRV-NOTBAKED": "fail"}, "is an empty file where the toolkit mounts")
def driver_mount_point_committed(image, made):
    image.put(f"{SYSTEM}/libnvidia-ptxjitcompiler.so.535.54.03", file(""))


STUBS = "/usr/local/cuda/lib64/stubs"


@case({"DRV-STUB": "fail"}, "by /etc/ld.so.conf.d/cuda.conf")
def stub_in_ld_so_conf(image, made):
    image.put(f"{STUBS}/libcuda.so", elf(made.driver))
    image.put("/etc/ld.so.conf.d/cuda.conf", file(STUBS + "\n"))


@case({"DRV-STUB": "fail"}, "by default path")
def stub_linked_into_the_system(image, made):
    image.put(f"{STUBS}/libcuda.so", elf(made.driver))
    image.put(f"{SYSTEM}/libcuda.so.1", link(f"{STUBS}/libcuda.so"))


def compat(made, branches):
    text = '{"Format":1,"CUDA Version":"12.8","Driver":[%s],"Device":[1,7]}' % ",".join(map(str, branches))
    return elf(made.cc.library("libcuda.so.1", ["cuInit"], assembly=parts.note(".note.cuda.fwd_compatibility", text)))


@case({"COMPAT-NOTE": "fail"}, "does not serve the promised driver")
def compat_for_other_drivers(image, made):
    image.put("/usr/local/cuda-12.8/compat/libcuda.so.570.86.10", compat(made, [535, 550]))


@case({"COMPAT-NOTE": "fail"}, "several forward-compatibility libcuda files")
def compat_twice(image, made):
    for number in ("12.8", "12.9"):
        image.put(f"/usr/local/cuda-{number}/compat/libcuda.so.570.86.10", compat(made, [525, 535]))


@case({"COMPAT-NOTE": "warn"}, "has no note")
def compat_without_a_note(image, made):
    image.put("/usr/local/cuda-12.8/compat/libcuda.so.570.86.10", elf(made.driver))


@case({"REQ-ENV": "fail"}, "drivers are let in on which CUDA 12 does not run")
def require_too_lax(image, made):
    image.env("NVIDIA_REQUIRE_CUDA", "cuda>=11.8")


@case({"REQ-ENV": "warn"}, "would be refused")
def require_too_strict(image, made):
    image.env("NVIDIA_REQUIRE_CUDA", "cuda>=12.8")


@case({"REQ-ENV": "fail"}, "is no comparison")
def require_that_does_not_parse(image, made):
    image.env("NVIDIA_REQUIRE_CUDA", "cuda=>12.0")


@case({"REQ-ENV": "fail"}, "the driver's compute libraries are not asked for")
def require_no_compute(image, made):
    image.env("NVIDIA_DRIVER_CAPABILITIES", "utility")


@case({"ARCH-LIST": "fail"}, "has no code for B200 (10.0)")
def arch_torch_without_blackwell(image, made):
    image.put(f"{TORCH}/lib/libtorch_cuda.so", elf(made.libtorch_cuda(archs=(70, 75, 80, 86, 90))))


@case({"ARCH-LIST": "fail"}, "'libnccl.so.2' has sm_80 sm_90 sm_100, none for T4 (7.5)")
def arch_nccl_without_turing(image, made):
    image.put(f"{SITE}/nvidia/nccl/lib/libnccl.so.2", elf(made.nccl(archs=(80, 90, 100))))


# --- versions and Python ---


@case({"PAIR-PROMISE": "fail"}, "nccl is not the promised version")
def promise_other_nccl(image, made):
    image.replace_in_manifest('nccl: "2.27"', 'nccl: "2.26"')


@case({"PAIR-PROMISE": "fail", "PAIR-TABLE": "warn"}, "cuda is not the promised version")
def promise_wheel_for_another_cuda(image, made):
    image.put(f"{TORCH}/version.py", version_py("2.8.0+cu126", "12.6"))
    put_module(image.layers[-1], f"{TORCH}/version.py")


@case({"PAIR-TABLE": "fail"}, "'nvidia-nccl-cu12' is not what torch pins")
def table_pin_not_kept(image, made):
    image.put(dist_info("torch", "2.8.0"), torch_metadata(nvidia_nccl_cu12="2.27.5"))


@case({"PAIR-TABLE": "fail", "PAIR-PROMISE": "fail"}, "was not published for CUDA 12.1")
def table_claimed_pair(image, made):
    image.put(f"{TORCH}/version.py", version_py("2.8.0+cu121", "12.1"))
    put_module(image.layers[-1], f"{TORCH}/version.py")


@case({"PY-PACKAGES": "fail"}, "'requests' is installed, but not of the lock")
def packages_besides_the_lock(image, made):
    image.put(dist_info("requests", "2.0"), metadata("requests", "2.0"))


@case({"PY-PACKAGES": "fail"}, "'wheel-that-is-gone' is not installed")
def packages_missing(image, made):
    image.wheels.append(("wheel-that-is-gone", "1.0"))


@case({"PY-BYTECODE": "fail"}, "have no bytecode")
def bytecode_removed(image, made):
    for number in range(10):
        image.drop(cached(f"{TORCH}/module_{number}.py"))


@case({"PY-BYTECODE": "warn"}, "have no bytecode")
def bytecode_of_one_module_removed(image, made):
    image.drop(cached(f"{TORCH}/module_3.py"))


@case({"PY-BYTECODE": "fail"}, "that a changed date makes stale")
def bytecode_with_dates(image, made):
    put_module(image.layers[-1], f"{TORCH}/module_3.py", flags=0)


@case({"PY-BYTECODE": "fail"}, "that their Python does not take")
def bytecode_of_another_python(image, made):
    put_module(image.layers[-1], f"{TORCH}/module_3.py", magic=3531)
