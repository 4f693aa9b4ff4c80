// SPDX-License-Identifier: Apache-2.0
// The checks that read an image's bytes and start nothing.

#include "validators/judge/catalogue_rows.h"

namespace img {
namespace {

std::vector<CheckInfo> image_rows() {
  return {
      {.id = "IMG-DIGEST",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "every byte is what its digest says",
       .reads = "size and sha256 of every blob, and the sha256 of every layer once unpacked",
       .rule = "each size and digest equals its descriptor, each plain layer the DiffID that the "
               "config claims for it",
       .why = "an engine refuses a layer whose DiffID is wrong only when it is pulled, and a "
              "registry stores whatever it is given; until then nobody notices",
       .incident = "buildpacks/lifecycle#1662: a library update wrote compressed digests where "
                   "DiffIDs belong; images were pushed without complaint and containerd refused "
                   "every one of them at pull",
       .mend = "build the image again; when the digest of a stored blob is wrong, find out who "
               "changed the file before anything else"},
      {.id = "IMG-LAYER",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "every layer is a valid and harmless archive",
       .reads = "every entry of every layer: path, type, links, whiteouts, end of the archive",
       .rule = "paths stay inside the root, no path twice in one layer, no whiteout that hides a "
               "file of its own layer, no device nodes, no bytes after the end",
       .why = "engines disagree about odd entries: the same layer gives other files on another "
              "engine, or writes outside the root of one that is careless",
       .incident = "opencontainers/umoci#27: entries with '..' and entries that went through a "
                   "symlink of the same layer were written onto the host",
       .mend = "make the layer with a tool that writes canonical archives; 'imgbuild build' does"},
      {.id = "IMG-CONFIG",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "the image config is the manifest's, and sane",
       .reads = "platform, environment, user, entrypoint, command, working directory, volumes",
       .rule = "all equal the manifest; with or without one: no working directory under /proc, "
               "/sys or /dev, PATH is not empty, the user resolves in the image's passwd",
       .why = "a wrong user or PATH makes the first start fail on a machine that is paid by the "
              "second; a working directory under /proc has let containers out",
       .incident = "opencontainers/runc CVE-2024-21626: a working directory of /proc/self/fd/N "
                   "gave the container the host's file system",
       .mend = "correct 'config' in the manifest and build again"},
      {.id = "IMG-SIZE",
       .tier = Tier::image,
       .severity = Severity::medium,
       .title = "the image is no bigger than the manifest allows",
       .reads = "sizes of the layers, packed and unpacked",
       .rule = "both sums are at most 'checks.size' of the manifest",
       .why = "every gigabyte is pulled and unpacked before the first step of training, and growth "
              "comes unseen with an update",
       .incident = "triton-inference-server/server#7335: the image grew from 8.5 to 18.5 GB from "
                   "one release to another, found by users",
       .mend = "'imgbuild show' says what costs bytes and what could be dropped; or raise the "
               "limit on purpose"},
      {.id = "IMG-WASTE",
       .tier = Tier::image,
       .severity = Severity::medium,
       .title = "no bytes that no container sees, and none twice",
       .reads =
           "files that an upper layer hides or replaces, and equal contents under several paths",
       .rule = "hidden and duplicated bytes stay within the limit that the evidence names",
       .why = "a file that a later layer deletes is still pulled by everybody; CUDA libraries that "
              "came from both the base and the wheels cost gigabytes",
       .incident = "IBM/text-generation-inference#50: the CUDA runtime of the base image repeated "
                   "what the wheels had brought, 2.3 GB",
       .mend = "delete in the layer that makes the file; take CUDA from the wheels or from the "
               "base, not from both"},
      {.id = "IMG-LEFTOVER",
       .tier = Tier::image,
       .severity = Severity::low,
       .title = "nothing is left over from building",
       .reads = "paths of package caches, apt lists, logs, temporary files, static archives",
       .rule = "none of them is in the image",
       .why = "they are pulled at every start and used by nothing; lists and logs also make two "
              "builds differ",
       .incident = "twosixlabs/armory#456: package archives that conda had left behind were 1.12 "
                   "GB of a PyTorch image, the pip cache 174 MB more",
       .mend = "leave them out where they are made ('drop:' of a recipe), not in a later layer"},
      {.id = "IMG-SECRET",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "no credentials in any layer",
       .reads =
           "credential files (netrc, registry auth, apt auth, pip and uv configuration), private "
           "keys and well-known token forms in small files, the environment and the history",
       .rule = "none is found, not even in a file that an upper layer hides",
       .why = "whoever can pull the image can read them, for ever: a deleted file is still in its "
              "layer",
       .incident = "frappe/frappe_docker#1860: access tokens that were passed as a build argument "
                   "stood readable in the metadata of every image",
       .mend = "revoke the credential now, then pass it as a short-lived mount of the fetch only"},
  };
}

std::vector<CheckInfo> loader_rows() {
  return {
      {.id = "ELF-CLOSURE",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "every library finds what it needs",
       .reads =
           "NEEDED, RPATH and RUNPATH of every ELF file, ld.so.conf and its cache, LD_LIBRARY_PATH",
       .rule = "a simulated loader resolves every name; only libraries of the GPU driver, which "
               "the host brings, may be missing",
       .why = "a missing library shows at the import, or at the first call that needs it, hours "
              "into a job",
       .incident = "pytorch/pytorch#144433: a release candidate of torch 2.6.0 could not be "
                   "imported because libcusparseLt.so.0 was not on any path it looked in",
       .mend = "add the package that brings the library; evidence names the file that asks for it "
               "and where it was looked for"},
      {.id = "ELF-VERSION",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "glibc and libstdc++ are new enough",
       .reads = "symbol versions GLIBC, GLIBCXX and CXXABI that files need and that the image's "
                "libc and libstdc++ define",
       .rule = "every needed version is defined by the file that would be loaded",
       .why = "a wheel built for a newer distribution installs without complaint and does not load",
       .incident = "pytorch/pytorch#157709: the system's libstdc++ was loaded instead of a newer "
                   "one and has no GLIBCXX_3.4.30, so torch could not be imported",
       .mend = "take a newer base, or a wheel with an older platform tag"},
      {.id = "ELF-SYMS",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "every GPU library function exists where it is looked for",
       .reads = "undefined nccl*, cudnn*, cublas*, cuda* … symbols and their versions against the "
                "libraries that would be loaded",
       .rule = "each is defined by a library of the loaded set",
       .why = "NCCL has no rule for which versions fit together: the first sign of a wrong pair is "
              "an undefined symbol",
       .incident = "pytorch/pytorch#119932: another package had brought an older NCCL, and "
                   "importing torch ended with 'undefined symbol: ncclCommRegister'",
       .mend = "install the version that the torch wheel pins, and one package only that brings "
               "the library"},
      {.id = "ELF-CXXABI",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "torch speaks one C++ string ABI",
       .reads = "old- and new-ABI std::string in the symbols of libc10 and libtorch",
       .rule =
           "the ABI is the one that the compatibility table has for this release and CUDA variant",
       .why = "an extension compiled for the other ABI fails with an undefined symbol that no one "
              "can read",
       .incident = "pytorch/pytorch#148411: torch 2.6.0 for CUDA 12.6 had another ABI than its "
                   "12.4 build, and extensions compiled for one did not load with the other",
       .mend = "use wheels and extensions of one ABI; for a release that has both, choose the "
               "variant on purpose"},
      {.id = "LIB-ONECOPY",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "one reachable copy of each CUDA library",
       .reads = "all files with the soname of cudart, cuDNN, cuBLAS, NCCL and their like, and the "
                "paths on which a loader finds them",
       .rule = "one copy of each is reachable, and LD_LIBRARY_PATH, ld.so.conf and default paths "
               "hold no rival",
       .why = "which copy wins depends on a path variable; the loser is gigabytes of waste, the "
              "wrong winner a crash",
       .incident = "pytorch/pytorch#80637: wheels built with RUNPATH let LD_LIBRARY_PATH win, and "
                   "torch ran with the cuDNN 8.0.3 that lay there instead of its own 8.3.2",
       .mend = "remove the second copy, or take its folder off the search paths"},
      {.id = "CUDNN-SET",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "cuDNN is complete, from one release, in one folder",
       .reads = "libcudnn*.so.9, their versions, and the bare names that they dlopen",
       .rule = "every sub-library that cuDNN opens is beside it and has its version",
       .why = "a missing sub-library is taken from wherever the loader finds one; cudnnGetVersion "
              "is fine then, and the first convolution crashes",
       .incident =
           "pytorch/pytorch#188892: the wheel that torch pins lacked an engine library that its "
           "own cuDNN opens by name; with another cuDNN on the machine the two mixed and failed",
       .mend = "install one cuDNN wheel that has the whole set; remove other cuDNN files from "
               "search paths"},
      {.id = "DRV-NOTBAKED",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "no driver library is baked in",
       .reads =
           "libcuda, libnvidia-ml, libnvidia-ptxjitcompiler and their like outside a compat folder",
       .rule = "no such file is in the image",
       .why = "the driver's user part must be the host's, to the version; a copy in the image wins "
              "or loses against it at random and ends in error 803",
       .incident = "NVIDIA/nvidia-docker#1256: 'system has unsupported display driver / cuda "
                   "driver combination', what a libcuda of another version than the kernel's gives",
       .mend =
           "remove packages that bring driver libraries; the container toolkit mounts the host's"},
      {.id = "DRV-STUB",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "no stub library on a search path",
       .reads = "folders named stubs, and libcuda or libnvidia-ml files that define nothing but "
                "entry points, against LD_LIBRARY_PATH, ld.so.conf and run paths",
       .rule = "no loader finds a stub",
       .why = "a stub answers every call with error 34, and looks like a machine without a GPU",
       .incident = "NVIDIA/warp#219: the folder with the toolkit's stub was searched before the "
                   "driver's, so no driver version could be read",
       .mend = "take the stubs folder off the search paths, or leave it out of the image"},
      {.id = "COMPAT-NOTE",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "forward-compatibility libcuda fits the promised drivers",
       .reads = "libcuda files in compat folders and their note .note.cuda.fwd_compatibility",
       .rule = "at most one; its driver branches cover the manifest's driver, or there is none",
       .why = "it works on data-centre GPUs and listed branches only, and breaks everything "
              "elsewhere with error 804",
       .incident = "NVIDIA/nvidia-container-toolkit#291: an image with a compat libcuda stopped "
                   "working with error 804 when the host's toolkit was updated",
       .mend = "leave cuda-compat out; minor-version compatibility of the driver is enough within "
               "a CUDA major"},
      {.id = "REQ-ENV",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "NVIDIA_REQUIRE_* asks for what is needed, not more",
       .reads =
           "NVIDIA_REQUIRE_*, NVIDIA_DRIVER_CAPABILITIES, NVIDIA_VISIBLE_DEVICES, CUDA_VERSION",
       .rule = "they parse; the floor is that of the CUDA major; compute and utility are asked "
               "for; stricter is a warning",
       .why = "too strict refuses drivers that work, too lax starts where nothing runs, and a bare "
              "CUDA_VERSION implies a floor that nobody wrote",
       .incident = "NVIDIA/nvidia-container-toolkit#940: 'cuda>=12.8' refused a 12.7 driver on "
                   "which the image would have run",
       .mend = "let imgbuild write it: the floor follows from the wheel's CUDA major"},
      {.id = "ARCH-LIST",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "GPU code for every promised GPU",
       .reads = "architectures in the fat binaries of libtorch_cuda, NCCL and cuDNN",
       .rule = "each GPU of the manifest is covered by machine code or by PTX that it can compile",
       .why = "the image starts everywhere and fails at the first kernel: 'no kernel image is "
              "available'",
       .incident = "NVIDIA/personaplex#23: an image with torch for CUDA 12.4 on an RTX 5090: its "
                   "code ends at sm_90, the card needs sm_120",
       .mend = "choose the CUDA variant whose wheels have the architecture, or take the GPU off "
               "'supports.gpus'"},
  };
}

std::vector<CheckInfo> content_rows() {
  return {
      {.id = "PAIR-PROMISE",
       .tier = Tier::image,
       .severity = Severity::critical,
       .title = "the promised versions are the installed ones",
       .reads = "versions of python, torch, CUDA, cuDNN and NCCL as files and metadata have them",
       .rule = "each equals 'versions' of the manifest",
       .why = "a tag says cu128, the resolver took another variant, and everything else works",
       .incident = "pytorch/pytorch#125879: images named after a CUDA version held a CPU build of "
                   "torch, for days",
       .mend = "correct the promise or the requirement, lock again"},
      {.id = "PAIR-TABLE",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "torch, CUDA, cuDNN and NCCL are a pair that was built",
       .reads = "the same versions, the pins of the torch wheel, and the compatibility table",
       .rule = "the table has this release with this CUDA; installed wheels are what torch pins; "
               "cuDNN has the major it was built with and at least its minor",
       .why = "published pairing tables are wrong in places, and a pair that nobody tested fails "
              "in its own way",
       .incident = "replicate/cog#390: a matrix of torch and CUDA that was fixed at release time "
                   "knew nothing of newer torch and refused to build",
       .mend =
           "take a row of manifests/compatibility.yaml; evidence shows claim, truth and source"},
      {.id = "PY-PACKAGES",
       .tier = Tier::image,
       .severity = Severity::high,
       .title = "the Python packages are the lock's, each once",
       .reads = "every *.dist-info and the lock",
       .rule = "same names and versions, none missing, none besides, none twice",
       .why = "two distributions that own one library overwrite each other, and the last one "
              "installed wins",
       .incident = "pytorch/pytorch#186591: NCCL for CUDA 12 and for CUDA 13 were both installed "
                   "into one folder, and torch met the older of the two",
       .mend = "lock again, or remove what was installed beside the lock"},
      {.id = "PY-BYTECODE",
       .tier = Tier::image,
       .severity = Severity::medium,
       .title = "every module has bytecode that stays valid",
       .reads = "the first bytes of .pyc files beside each .py of site-packages",
       .rule = "each is there, for the image's Python, and hash-based rather than dated",
       .why = "on a read-only root missing bytecode is compiled at every single start, and dated "
              "bytecode is stale as soon as a layer changes the dates",
       .incident = "topoteretes/cognee#3051: an image without bytecode took 15.5 s to import, 7.1 "
                   "s with it",
       .mend = "compile with --invalidation-mode checked-hash in the layer that installs; imgbuild "
               "does"},
  };
}

}  // namespace

std::vector<CheckInfo> static_rows() {
  std::vector<CheckInfo> rows = image_rows();
  for (const auto& more : {loader_rows(), content_rows()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace img
