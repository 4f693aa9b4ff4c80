// SPDX-License-Identifier: Apache-2.0
// The rows, in the order of the catalogue.

#include "validators/commands/check_outcomes.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::string_view kNoTorch = "no torch in the image";
constexpr std::string_view kNoCuda = "no CUDA libraries in the image";
constexpr std::string_view kNoPython = "no Python interpreter in the image";

constexpr std::array<CheckOutcomes, 47> kRows{{
    {"IMG-DIGEST", "", "", "a layer is no archive, so that its DiffID cannot be told"},
    {"IMG-LAYER", "a named pipe", "", "the bytes of a layer are not those that the image names"},
    {"IMG-CONFIG", "PATH is not set; a variable is set twice; LD_PRELOAD is set", "", ""},
    {"IMG-SIZE", "", "no manifest, or one without 'checks.size'", ""},
    {"IMG-WASTE",
     "hidden bytes above 1 MiB and 0.2 % of the image (a failure above 16 MiB and 2 %); equal "
     "contents above 16 MiB and 5 %",
     "", ""},
    {"IMG-LEFTOVER", "leftovers of one kind below 64 KiB", "", ""},
    {"IMG-SECRET", "", "", "a layer cannot be read and the others hold nothing"},
    {"ELF-CLOSURE", "a file with the name of a library is no readable ELF file",
     "no dynamically linked x86-64 file in the image", ""},
    {"ELF-VERSION", "the need is weak: the loader goes on", "no file needs a versioned symbol", ""},
    {"ELF-SYMS", "", "no CUDA libraries in the image, or no file that takes a function from one",
     ""},
    {"ELF-CXXABI", "", kNoTorch, "torch's libraries show fewer than 100 symbols with a string"},
    {"LIB-ONECOPY", "", kNoCuda, ""},
    {"CUDNN-SET", "", "no cuDNN in the image", ""},
    {"DRV-NOTBAKED", "", kNoCuda, ""},
    {"DRV-STUB", "", "neither stubs nor CUDA libraries in the image", ""},
    {"COMPAT-NOTE", "a forward-compatibility libcuda without a note", kNoCuda, ""},
    {"REQ-ENV",
     "drivers that work would be refused; no NVIDIA_REQUIRE_CUDA, or CUDA_VERSION alone; "
     "capabilities or devices are left to the engine; NVIDIA_DISABLE_REQUIRE is set",
     kNoCuda, ""},
    {"ARCH-LIST", "code that cannot be read could cover the GPU",
     "no manifest, or one that promises no GPU; no CUDA libraries in the image",
     "the fat binaries of libtorch_cuda cannot be read"},
    {"PAIR-PROMISE", "the promise is more exact than what the files say",
     "no manifest, or one that promises no version", ""},
    {"PAIR-TABLE",
     "the table does not have this torch; cuDNN is newer, or another library another version, than "
     "the table's; torch has no metadata",
     "no torch in the image, or one without CUDA", ""},
    {"PY-PACKAGES", "", "no Python packages in the image", ""},
    {"PY-BYTECODE",
     "bytecode is missing for more than 0.1 % of the modules (a failure above 1 %); it hides edits "
     "of the source; it is dated, in an image that imgbuild did not make",
     "no modules in a site-packages folder", ""},
    {"LOAD-TORCH", "", kNoTorch, "the probe does not say what it loaded"},
    {"LOAD-PROV", "", kNoTorch, "torch did not load, so nothing was mapped"},
    {"VER-CUDART", "", "no CUDA runtime in the image, and none promised", ""},
    {"VER-CUDNN", "", "no cuDNN in the image, and none promised", ""},
    {"VER-NCCL", "", "no NCCL in the image, and none promised", ""},
    {"VER-LIBS", "", "no other CUDA libraries in the image", ""},
    {"DRV-STATE", "the host's driver is older than the CUDA runtime, or too old for a call", "",
     "the driver answers with a code that is not known"},
    {"SDPA-CPU", "the dispatcher does not say what it chooses",
     "no torch in the image, or one without a C entry point for attention",
     "the grid of cases is not complete"},
    {"DIST-CPU", "", "", "no all-reduce over two or more ranks came to its end"},
    {"COLD-CPU", "modules are compiled at every start because their bytecode is missing",
     "neither Python nor torch in the image", "fewer samples than were asked for"},
    {"PY-IMPORT", "", kNoPython, "the probe imported nothing"},
    {"PY-PIPCHECK", "", "no Python interpreter or no pip in the image", ""},
    {"PY-NOUSER", "'~' stands for no folder, or the user has no name: some programs ask for them",
     "no Python interpreter in the image; the user has a passwd entry after all, or the root can "
     "be written",
     "the probe does not say as whom it ran"},
    {"PY-COMPILE", "", "no C++ compiler, no torch or no Python in the image", ""},
    {"DRV-FLOOR",
     "limited mode: the driver is older than the toolkit and cannot compile its PTX; the driver is "
     "older than the manifest promises; NVML does not say which driver there is",
     "", "no driver, no device, or another answer of cuInit that is not the image's fault"},
    {"GPU-STATE",
     "rows wait to be remapped; PCIe is narrower than it can be; persistence mode is off", "",
     "no NVML here, or it does not know each GPU"},
    {"GPU-MEMORY", "", "nothing says how much GPU memory the workload needs",
     "not every GPU was asked"},
    {"CC-KERNEL", "", "", "a kernel was not run on each GPU"},
    {"SDPA-FLASH", "",
     "no torch in the image; flash is not to be had on this GPU with this torch, and refuses",
     "the grid of cases is not complete"},
    {"SDPA-EFF", "", kNoTorch, "the grid of cases is not complete"},
    {"SDPA-CUDNN", "",
     "no torch in the image; cuDNN's attention is not to be had on this GPU with this torch, and "
     "refuses",
     "the grid of cases is not complete"},
    {"SDPA-CHOICE", "", "no torch in the image, or one without a C entry point for the dispatcher",
     "the dispatcher was not asked about every kind of shape"},
    {"CUDNN-CONV", "", "no cuDNN in the image", "one of the three steps was not run"},
    {"COLD-GPU", "modules are loaded eagerly", "", "fewer samples than were asked for"},
    {"NCCL-AR", "no bandwidth is known for these GPUs, their number and this size",
     "one GPU, or no NCCL in the image", "no rank came to a result"},
}};

}  // namespace

const CheckOutcomes& outcomes_of(std::string_view id) {
  static constexpr CheckOutcomes kNone{};
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [id](const CheckOutcomes& one) { return one.id == id; });
  return row == kRows.end() ? kNone : *row;
}

}  // namespace img
