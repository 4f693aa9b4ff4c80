// SPDX-License-Identifier: Apache-2.0
// The checks that start the image, without a GPU.

#include "validators/judge/catalogue_rows.h"

namespace img {
namespace {

std::vector<CheckInfo> library_rows() {
  return {
      {.id = "LOAD-TORCH",
       .tier = Tier::container,
       .severity = Severity::critical,
       .title = "the libraries of torch load",
       .reads = "dlopen of the whole set with every symbol bound, with the image's LD_LIBRARY_PATH "
                "and without",
       .rule = "both succeed within the time limit",
       .why = "the real loader has the last word; lazy binding hides a missing function until it "
              "is called",
       .incident = "pytorch/pytorch#119072: torch 2.2 ended at import with an undefined symbol on "
                   "machines where another NCCL was found first",
       .mend = "see ELF-CLOSURE and ELF-SYMS: they name the file that is missing or wrong"},
      {.id = "LOAD-PROV",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "each library was mapped from the expected file",
       .reads = "files mapped into a process after loading, against the loader simulation",
       .rule =
           "every library comes from the path that was predicted, for Python and for a C++ program",
       .why = "a version number does not say which copy is loaded; sub-libraries of cuDNN are "
              "opened one by one and can come from elsewhere",
       .incident = "pytorch/pytorch#185512: all cuDNN libraries came from the wheel but one, which "
                   "came from the system, of another version",
       .mend = "remove the other copy; LIB-ONECOPY names it"},
      {.id = "VER-CUDART",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "the CUDA runtime answers with its version",
       .reads = "the answer of cudaRuntimeGetVersion",
       .rule = "equals the version of the file that was read statically, and the promise",
       .why = "several runtimes can be installed side by side, and what answers is what was found "
              "first",
       .incident = "NVIDIA/cuda-python#67: with CUDA 12.3 and 12.4 installed the runtime that "
                   "answered was the one on the search path, not the one in use",
       .mend = "one CUDA runtime in the image; see LIB-ONECOPY"},
      {.id = "VER-CUDNN",
       .tier = Tier::container,
       .severity = Severity::critical,
       .title = "cuDNN answers with a version that torch accepts",
       .reads = "the answers of cudnnGetVersion and cudnnGetCudartVersion",
       .rule =
           "same major and at least the minor that torch was built with; its CUDA major is torch's",
       .why = "torch refuses an older cuDNN when it is first used, not when it is imported",
       .incident = "replicate/cog#815: the container was built without complaint and failed at run "
                   "time: compiled against cuDNN 8.5.0, found 8.1.1",
       .mend = "install the cuDNN wheel that torch pins, and nothing else that brings cuDNN"},
      {.id = "VER-NCCL",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "NCCL answers with its version",
       .reads = "the answer of ncclGetVersion",
       .rule = "equals the installed package and the promise",
       .why = "ranks of one job must agree, and the environment often names another NCCL than the "
              "one that runs",
       .incident = "pytorch/pytorch#122571: official images had NCCL 2.15.5 in their environment "
                   "and ran 2.19.3",
       .mend = "one NCCL in the image, and no variable that names another"},
      {.id = "VER-LIBS",
       .tier = Tier::container,
       .severity = Severity::medium,
       .title = "the other CUDA libraries answer with their versions",
       .reads = "version calls of cuBLAS, cuBLASLt, cuFFT, cuRAND, cuSOLVER, cuSPARSE, NVRTC, "
                "NVJitLink and others, each in a process of its own",
       .rule = "each equals its installed package",
       .why = "cuBLAS opens cuBLASLt by a path of its own, and a system copy of another version "
              "gives wrong arguments instead of an error",
       .incident = "pytorch/pytorch#88882: libcublas of the wheel met the system's libcublasLt, "
                   "and importing torch failed with an undefined symbol",
       .mend = "remove the system's copy; see LIB-ONECOPY"},
      {.id = "DRV-STATE",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "the driver's absence is an honest one",
       .reads = "return codes of cuInit, cuDriverGetVersion and cudaGetDeviceCount",
       .rule =
           "no driver, or no device; stub (34), mismatch (803) and wrong compat library (804) fail",
       .why = "these three codes are made by the image, on every machine",
       .incident = "NVIDIA/nvidia-docker#1515: an image that had worked answered with error 804 "
                   "after an update of the host's toolkit, because of the libcuda it carried",
       .mend = "see DRV-STUB, DRV-NOTBAKED and COMPAT-NOTE"},
  };
}

std::vector<CheckInfo> work_rows() {
  return {
      {.id = "SDPA-CPU",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "attention on the CPU is right",
       .reads = "the CPU flash kernel, called through libtorch's C interface over a grid of "
                "shapes, masks, scales and types",
       .rule = "it runs and differs from a double-precision reference by no more than the type "
               "allows; the choice of the dispatcher is shown",
       .why = "a kernel that is wrong in silence costs a training run; calling it directly leaves "
              "no room for a fallback",
       .incident =
           "pytorch/pytorch#141128: with torch 2.5 the CPU kernel gave zeros where 2.4 gave NaN",
       .mend = "take another torch release, and report the shape that the evidence names"},
      {.id = "DIST-CPU",
       .tier = Tier::container,
       .severity = Severity::medium,
       .title = "an all-reduce over processes is exact",
       .reads = "the harness of the NCCL check, run over shared memory by several processes",
       .rule = "every element is right, the rendezvous works, bandwidth follows from the formula; "
               "it is a stand-in and satisfies no GPU check",
       .why = "processes that cannot find each other or share memory in this image would fail with "
              "NCCL too",
       .incident = "pytorch/pytorch#152300: a sum over two processes on the CPU gave other results "
                   "for a few elements in a hundred thousand",
       .mend = "/dev/shm too small or not writable is the usual cause; evidence has the error"},
      {.id = "COLD-CPU",
       .tier = Tier::container,
       .severity = Severity::medium,
       .title = "the image starts fast",
       .reads = "fresh processes: container start, interpreter, loading libtorch, import torch; "
                "files and bytes touched",
       .rule = "the median of importing torch is at most 'checks.cold_start.import_torch' of the "
               "manifest",
       .why = "on GPUs billed by the second everything before the first step is paid for nothing",
       .incident = "pytorch/pytorch#97106: importing torch took over two seconds, most of it "
                   "opening more than a thousand files",
       .mend = "see PY-BYTECODE; evidence lists the slowest phase and opens that failed"},
  };
}

std::vector<CheckInfo> python_rows() {
  return {
      {.id = "PY-IMPORT",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "every package of the lock can be imported",
       .reads = "import of each top-level module, each in a process of its own",
       .rule = "none raises, none prints a warning on import of torch",
       .why =
           "installed is not usable: extensions are built against another release, data is missing",
       .incident =
           "pytorch/vision#9174: torchvision was installed beside another torch than its own, and "
           "'import torchvision' raised 'operator torchvision::nms does not exist'",
       .mend = "lock packages that belong together in one closure"},
      {.id = "PY-PIPCHECK",
       .tier = Tier::container,
       .severity = Severity::high,
       .title = "pip finds no broken requirement",
       .reads = "'pip check' of the image's own pip",
       .rule = "it prints 'No broken requirements found.'",
       .why =
           "a requirement that does not hold fails in the code that needs it, far from the cause",
       .incident = "invoke-ai/InvokeAI#8047: an image held torch 2.7.0 beside CUDA packages of "
                   "another version than torch requires",
       .mend = "lock again with all requirements in one closure"},
      {.id = "PY-NOUSER",
       .tier = Tier::container,
       .severity = Severity::medium,
       .title = "Python works for a user without a name, on a read-only root",
       .reads = "imports and a small computation as a uid that passwd does not have",
       .rule = "imports and computation succeed",
       .why = "clusters run images as any uid and without a writable root",
       .incident = "pytorch/pytorch#140765: torch asks for the name of the user for its cache "
                   "folder, and raised KeyError for a uid without a passwd entry",
       .mend =
           "set HOME and TORCHINDUCTOR_CACHE_DIR to writable places, or add a user to the image"},
      {.id = "PY-COMPILE",
       .tier = Tier::container,
       .severity = Severity::medium,
       .title = "torch.compile works",
       .reads = "a small function through torch.compile on the CPU",
       .rule = "it compiles and gives the result of the plain function; skipped where the image "
               "has no C++ compiler and promises none",
       .why = "the compiler and the Python headers are needed at run time, and are the first thing "
              "that slim images leave out",
       .incident = "pytorch/pytorch#116696: torch.compile could not be used in the official "
                   "runtime images because there was no compiler",
       .mend = "add the layer 'build-tools'"},
  };
}

}  // namespace

std::vector<CheckInfo> container_rows() {
  std::vector<CheckInfo> rows = library_rows();
  for (const auto& more : {work_rows(), python_rows()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace img
