// SPDX-License-Identifier: Apache-2.0
// The checks that need one GPU or several.

#include "validators/judge/catalogue_rows.h"

namespace img {
namespace {

std::vector<CheckInfo> device_rows() {
  return {
      {.id = "DRV-FLOOR",
       .tier = Tier::gpu,
       .severity = Severity::critical,
       .title = "the driver serves the image's CUDA",
       .reads = "answers of cuInit and cuDriverGetVersion, the kernel driver's version from NVML, "
                "and the note of a forward-compatibility libcuda",
       .rule = "cuInit succeeds and the driver is at least the lowest one of the CUDA major that "
               "torch was built with; 34, 803 and 804 fail as the image's fault",
       .why = "below that driver every CUDA call fails, and nothing else asks before the container "
              "is started",
       .incident =
           "NVIDIA/nvidia-container-toolkit#1470: with CDI the requirements that an image "
           "states in NVIDIA_REQUIRE_CUDA are not enforced, so that it starts on any driver",
       .mend = "a newer driver on the host, or a torch that was built for an older CUDA"},
      {.id = "GPU-STATE",
       .tier = Tier::gpu,
       .severity = Severity::high,
       .title = "the GPUs are healthy and fully connected",
       .reads = "what NVML says of each device: uncorrected memory errors, remapped rows, PCIe "
                "generation and width, NVLink, persistence mode, MIG",
       .rule = "no uncorrected error and no failed row remapping since the driver was loaded",
       .why = "a broken GPU makes good images look bad, and every later figure depends on it",
       .incident = "vllm-project/vllm#5222: a model ended with 'uncorrectable ECC error "
                   "encountered' until it was moved to other hardware",
       .mend = "take the machine out of service; nothing in the image can help"},
      {.id = "GPU-MEMORY",
       .tier = Tier::gpu,
       .severity = Severity::medium,
       .title = "the workload's memory can be had on each GPU",
       .reads = "free and total memory of each device, and one allocation that is written to",
       .rule = "the memory that the manifest says the workload needs can be allocated on each GPU",
       .why = "another process, a MIG slice or a smaller model of the GPU is noticed after an hour "
              "of loading",
       .incident =
           "NVIDIA/k8s-device-plugin#323: services shared a T4, one took more and more, and "
           "the next 20 MiB could not be had",
       .mend = "a larger GPU or slice, or end the process that holds the memory"},
      {.id = "CC-KERNEL",
       .tier = Tier::gpu,
       .severity = Severity::critical,
       .title = "a first kernel runs on each GPU",
       .reads =
           "a kernel of ours that the driver compiles from PTX, a matrix product of cuBLAS and "
           "a kernel of torch, on each device",
       .rule = "each runs and every element of its result is right",
       .why = "a wheel without code for the GPU imports well and says that CUDA is available; the "
              "first operation fails",
       .incident =
           "huggingface/text-generation-inference#2703: a published image met a GPU that it "
           "holds no code for: 'no kernel image is available for execution on the device'",
       .mend = "see ARCH-LIST; take a torch whose architecture list has this GPU"},
  };
}

std::vector<CheckInfo> attention_rows() {
  return {
      {.id = "SDPA-FLASH",
       .tier = Tier::gpu,
       .severity = Severity::critical,
       .title = "flash attention on the GPU is right",
       .reads = "torch's flash kernels, called through its C interface, where no other backend can "
                "step in, over a grid of shapes, types and layouts",
       .rule = "they run where this GPU and torch have them; every value is finite and near the "
               "reference in double precision",
       .why = "a kernel that is wrong in silence costs a training run, and one that refuses is "
              "replaced by a slow one without a word",
       .incident = "huggingface/transformers#38690: the flash backend gave NaN for padding tokens "
                   "where math gave zeros, and every later layer became NaN",
       .mend = "take another torch release, and report the case that the evidence names"},
      {.id = "SDPA-EFF",
       .tier = Tier::gpu,
       .severity = Severity::high,
       .title = "memory-efficient attention on the GPU is right",
       .reads = "torch's memory-efficient kernels over the same grid, with masks and float32",
       .rule = "they run on every GPU; every value is finite and near the reference in double "
               "precision",
       .why = "this backend takes what flash cannot: masks, float32 and older GPUs",
       .incident =
           "pytorch/pytorch#124877: with torch 2.2 and 2.3 on H100 the kernel gave NaN when "
           "queries and keys differed in length",
       .mend = "take another torch release, and report the case that the evidence names"},
      {.id = "SDPA-CUDNN",
       .tier = Tier::gpu,
       .severity = Severity::critical,
       .title = "cuDNN's attention on the GPU is right",
       .reads =
           "cuDNN's attention through torch's C interface, over the grid as far as it takes it",
       .rule =
           "it runs where this GPU, torch and cuDNN have it; every value is finite and near the "
           "reference in double precision",
       .why = "a patch of the cuDNN wheel makes it the default on newer GPUs, and its kernels are "
              "made at run time for each shape",
       .incident =
           "pytorch/pytorch#193893: on B200 the default backend gave wrong numbers with few "
           "key heads, without any error",
       .mend = "another cuDNN wheel, or TORCH_CUDNN_SDPA_DEPRIORITIZED=1 in the image"},
      {.id = "SDPA-CHOICE",
       .tier = Tier::gpu,
       .severity = Severity::medium,
       .title = "torch chooses the attention that is meant",
       .reads = "the answer of torch's dispatcher for each kind of shape",
       .rule =
           "it is the backend that this torch, cuDNN and GPU should give, or the manifest names; "
           "never math where a fused kernel exists",
       .why = "the fallback to math takes many times the time and memory, and nobody is told",
       .incident =
           "pytorch/pytorch#138522: torch 2.5.0 chose cuDNN's attention on H100, and with it "
           "wrong results; 2.5.1 took the choice back",
       .mend = "see VER-CUDNN and ARCH-LIST; the evidence names the shape"},
      {.id = "CUDNN-CONV",
       .tier = Tier::gpu,
       .severity = Severity::critical,
       .title = "a convolution of cuDNN runs forward and backward",
       .reads = "cudnnConvolutionForward, …BackwardData and …BackwardFilter on small whole numbers",
       .rule = "each runs and every element is exact",
       .why = "cuDNN is seven libraries that open each other at the first use; a version call does "
              "not touch them",
       .incident =
           "pytorch/pytorch#188892: one sub-library was missing and the system's was taken; "
           "the version was fine, the first convolution was not",
       .mend = "see CUDNN-SET: the whole cuDNN wheel, and no other copy"},
      {.id = "COLD-GPU",
       .tier = Tier::gpu,
       .severity = Severity::medium,
       .title = "the GPU is ready soon",
       .reads =
           "fresh processes: cuInit, context, first allocation, first kernel, first product of "
           "cuBLAS, first attention of torch, on one GPU",
       .rule = "the median up to the first kernel is at most the promised time; modules are loaded "
               "lazily",
       .why = "seconds at every start of every process are paid for on the whole machine",
       .incident = "NVIDIA/nvidia-docker#379: the first container that used the GPU took about "
                   "30 s to start, the next ones almost none",
       .mend = "persistence mode on the host, CUDA_MODULE_LOADING=LAZY in the image"},
      {.id = "NCCL-AR",
       .tier = Tier::multi_gpu,
       .severity = Severity::critical,
       .title = "NCCL's all-reduce is right and fast enough",
       .reads = "an all-reduce over all GPUs, by threads and by processes, from 8 bytes to the "
                "plateau; algorithm and protocol from NCCL's own log",
       .rule = "every element is exact; the bus bandwidth of the largest size is at least nine "
               "tenths of what is known for these GPUs, their number and that size",
       .why = "a wrong topology, a missing /dev/shm or a disabled peer access does not stop a job, "
              "it makes it several times slower",
       .incident = "NVIDIA/nccl#1017: the all-reduce was fast on the machines and slow in a "
                   "container on the same H100 machines",
       .mend = "evidence has the transport and the algorithm; /dev/shm, NVSwitch's fabric manager "
               "and the mounts of the network devices are the usual causes"},
  };
}

}  // namespace

std::vector<CheckInfo> gpu_rows() {
  std::vector<CheckInfo> rows = device_rows();
  const std::vector<CheckInfo> more = attention_rows();
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace img
