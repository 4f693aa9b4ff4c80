// SPDX-License-Identifier: Apache-2.0
// Runs of GPU probes as a good machine gives them, for tests to break one thing at a time.
#pragma once

#include "tests/unit/judge/probe_runs.h"
#include "validators/judge/gpu_tier.h"

#include <string>
#include <vector>

namespace img {

inline std::string device_event(int index) {
  return R"({"event":"device","index":)" + std::to_string(index) +
         R"(,"name":"NVIDIA H100 80GB HBM3","capability":"9.0","memory_bytes":85899345920})";
}

inline std::vector<std::string> state_events(int gpus) {
  std::vector<std::string> events{
      R"({"event":"library","library":"cuda","path":"/usr/lib/libcuda.so.1","error":"","stand_in":false})",
      R"({"event":"call","library":"cuda","function":"cuDriverGetVersion","rc":0,"value":12080})",
      R"({"event":"call","library":"cuda","function":"cuInit","rc":0})",
      R"({"event":"library","library":"nvml","path":"/usr/lib/libnvidia-ml.so.1","error":"","stand_in":false})",
      R"({"event":"driver","version":"570.124.06"})"};
  for (int gpu = 0; gpu < gpus; ++gpu) {
    const std::string index = std::to_string(gpu);
    events.push_back(device_event(gpu));
    events.push_back(
        R"({"event":"health","index":)" + index +
        R"(,"rc":0,"persistence":true,"mig":false,"ecc_uncorrected":0,)"
        R"("remap_pending":false,"remap_failed":false,"pcie_generation":5,)"
        R"("pcie_generation_max":5,"pcie_width":16,"pcie_width_max":16,"nvlinks":18})");
    events.push_back(R"({"event":"memory","index":)" + index +
                     R"(,"rc":0,"free_bytes":84000000000,"asked_bytes":1000000})");
  }
  return events;
}

inline std::vector<std::string> kernel_events(int gpus) {
  std::vector<std::string> events;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    for (const char* step : {"ptx", "cublas", "torch"}) {
      events.push_back(R"({"event":"kernel","device":)" + std::to_string(gpu) + R"(,"step":")" +
                       step + R"(","rc":0,"elements":100,"wrong":0,"seconds":0.5})");
    }
  }
  return events;
}

inline std::vector<std::string> gpu_attention_events() {
  std::vector<std::string> events{R"({"event":"open","path":"/x","ok":true,"error":""})",
                                  R"({"event":"cudnn","version":91002})"};
  for (const char* backend : {"flash", "efficient", "cudnn"}) {
    for (const char* type : {"float16", "bfloat16", "float32"}) {
      if (std::string(type) == "float32" && std::string(backend) != "efficient") continue;
      events.push_back(std::string(R"({"event":"case","backend":")") + backend +
                       R"(","name":"a case","type":")" + type +
                       R"(","causal":true,"mask":true,"scale":true,"strided":true,"grouped":true,)"
                       R"("rc":0,"elements":10,"not_finite":0,"max_error":1e-4})");
    }
  }
  const auto choice = [&](const char* kind, int backend) {
    events.push_back(std::string(R"({"event":"choice","kind":")") + kind + R"(","name":")" + kind +
                     R"(","rc":0,"backend":)" + std::to_string(backend) + "}");
  };
  choice("plain", 1);
  choice("causal", 1);
  choice("mask", 2);
  choice("grouped", 1);
  choice("float32", 2);
  return events;
}

inline std::vector<std::string> convolution_events() {
  std::vector<std::string> events;
  for (const char* step : {"forward", "backward data", "backward filter"}) {
    events.push_back(
        std::string(R"({"event":"conv","device":0,"rc":0,"elements":9,"wrong":0,"seconds":1,)") +
        R"("step":")" + step + "\"}");
  }
  return events;
}

inline std::vector<std::string> gpu_cold_events() {
  std::vector<std::string> events{R"({"event":"devices","count":1,"visible":"0"})",
                                  R"({"event":"loading","mode":"lazy"})"};
  for (const char* phase : {"init", "context", "allocation", "kernel", "cublas", "attention"}) {
    events.push_back(
        std::string(R"({"event":"sample","ok":true,"error":"","seconds":0.25,"phase":")") + phase +
        "\"}");
  }
  return events;
}

/// 8 ranks; 8 GiB in 40 ms: 214.7 GB/s of the algorithm, 375.8 GB/s on the bus.
inline std::vector<std::string> nccl_events(
    const std::string& bandwidths = R"("seconds_median":0.032,"algorithm_bandwidth":268435456000,)"
                                    R"("bus_bandwidth":469762048000)") {
  std::vector<std::string> events{
      R"({"event":"library","library":"nccl","path":"/x/libnccl.so.2","error":"","stand_in":false})"};
  for (int rank = 0; rank < 8; ++rank) {
    events.push_back(R"({"event":"rank","ranks":8,"bytes":8589934592,"elements":2147483648,)"
                     R"("wrong":0,"rank":)" +
                     std::to_string(rank) + "}");
  }
  events.push_back(R"({"event":"result","mode":"threads","ranks":8,"nodes":1,"bytes":8,)"
                   R"("seconds_median":0.00002,"seconds_p99":0.00003,"algorithm_bandwidth":400000,)"
                   R"("bus_bandwidth":700000,"algorithm":"RING","protocol":"LL"})");
  events.push_back(R"({"event":"result","mode":"threads","ranks":8,"nodes":1,"bytes":8589934592,)"
                   R"("seconds_p99":0.041,"algorithm":"NVLS","protocol":"SIMPLE",)" +
                   bandwidths + "}");
  return events;
}

/// Of a machine with eight GPUs.
inline std::vector<ProbeRun> good_gpu_runs() {
  return {probe_run("gpu_state", state_events(8)),
          probe_run("gpu_kernel", kernel_events(8)),
          probe_run("gpu_sdpa", gpu_attention_events()),
          probe_run("gpu_conv", convolution_events()),
          probe_run("gpu_coldstart:1", gpu_cold_events()),
          probe_run("gpu_coldstart:2", gpu_cold_events()),
          probe_run("nccl_allreduce:threads", nccl_events()),
          probe_run("nccl_allreduce:processes", nccl_events())};
}

inline Expectations gpu_expectations() {
  Expectations expectations = good_expectations();
  expectations.gpu_memory = 1'000'000;
  expectations.cold_gpu_seconds = 2;
  return expectations;
}

}  // namespace img
