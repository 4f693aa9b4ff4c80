// SPDX-License-Identifier: Apache-2.0
// Runs of probes as a good image gives them, for tests to break one thing at a time.
#pragma once

#include "validators/judge/container_tier.h"
#include "validators/judge/observation.h"

#include <algorithm>
#include <string>
#include <vector>

namespace img {

inline const std::string kTorch = "/opt/venv/lib/python3.11/site-packages/torch";
inline const std::string kNvidia = "/opt/venv/lib/python3.11/site-packages/nvidia";

/// A run that went from start to end with these events (text of JSON objects) in between.
inline ProbeRun probe_run(const std::string& label, const std::vector<std::string>& events) {
  ProbeRun run;
  run.probe = label.substr(0, label.find(':'));
  run.label = label;
  run.end = RunEnd::exited;
  run.seconds = 1;
  std::string text = R"({"event":"start","probe":"x","monotonic_ns":1})"
                     "\n";
  for (const std::string& event : events) text += event + "\n";
  read_events(text + R"({"event":"end"})"
                     "\n",
              run);
  return run;
}

inline Expectations good_expectations() {
  Expectations expectations;
  expectations.manifest_name = "pytorch-cuda:2.8.0";
  expectations.versions = {
      {"torch", "2.8.0"}, {"cuda", "12.8"}, {"cudnn", "9.10"}, {"nccl", "2.27"}};
  expectations.import_torch_seconds = 8;
  expectations.packages = {{"numpy", "2.4.6"}, {"nvidia-cublas-cu12", "12.8.4.1"}};
  expectations.python = "/opt/venv/bin/python3";
  expectations.compile = true;
  expectations.torch_folder = kTorch;
  expectations.torch_version = "2.8.0+cu128";
  expectations.torch_cuda = "12.8";
  expectations.libraries = {{"libcudnn.so.9", kNvidia + "/cudnn/lib/libcudnn.so.9"}};
  expectations.library_versions = {{"cudart", "12.8.90"}};
  return expectations;
}

inline std::vector<std::string> load_events(bool python) {
  const std::string first = python
                                ? R"({"event":"import","module":"torch","ok":true,"seconds":1.5})"
                                : R"({"event":"open","path":")" + kTorch +
                                      R"(/lib/libtorch.so","ok":true,"error":"","seconds":0.4})";
  std::vector<std::string> events{
      first,
      R"({"event":"mapped","path":")" + kTorch + R"(/lib/libtorch_cpu.so"})",
      R"({"event":"mapped","path":")" + kNvidia + R"(/cudnn/lib/libcudnn.so.9"})",
      R"({"event":"mapped","path":")" + kNvidia + R"(/cudnn/lib/libcudnn_graph.so.9"})",
      R"({"event":"mapped","path":"/usr/lib/x86_64-linux-gnu/libc.so.6"})",
      R"({"event":"call","function":"cudnnGraphVersionCheck","rc":0})",
      R"({"event":"child","of":"x","end":"exited","code":0,"seconds":2})"};
  if (python) {
    events.push_back(R"({"event":"torch","folder":")" + kTorch + R"(","cudnn_compiled":90800})");
  }
  return events;
}

inline std::vector<std::string> version_events() {
  const auto library = [](const std::string& name, const std::string& path) {
    return R"({"event":"library","library":")" + name + R"(","path":")" + path +
           R"(","found":"argument","error":"","stand_in":false})";
  };
  return {
      library("cudart", kNvidia + "/cuda_runtime/lib/libcudart.so.12"),
      R"({"event":"call","library":"cudart","function":"cudaRuntimeGetVersion","rc":0,"value":12080})",
      R"({"event":"call","library":"cudart","function":"cudaDriverGetVersion","rc":0,"value":0})",
      R"({"event":"call","library":"cudart","function":"cudaGetDeviceCount","rc":35,"value":-1})",
      library("cudnn", kNvidia + "/cudnn/lib/libcudnn.so.9"),
      R"({"event":"call","library":"cudnn","function":"cudnnGetVersion","rc":0,"value":91002})",
      R"({"event":"call","library":"cudnn","function":"cudnnGetCudartVersion","rc":0,"value":12090})",
      R"({"event":"call","library":"cudnn","function":"cudnnOpsVersionCheck","rc":0})",
      library("nccl", kNvidia + "/nccl/lib/libnccl.so.2"),
      R"({"event":"call","library":"nccl","function":"ncclGetVersion","rc":0,"value":22703})",
      library("cublas", kNvidia + "/cublas/lib/libcublas.so.12"),
      R"({"event":"call","library":"cublas","function":"cublasGetProperty","rc":0,"version":"12.8.4"})",
      R"({"event":"library","library":"cuda","path":"","found":"nowhere","error":"libcuda.so.1: cannot open shared object file","stand_in":false})"};
}

inline std::vector<std::string> attention_events() {
  std::vector<std::string> events{
      R"({"event":"open","path":"/x/libtorch_cpu.so","ok":true,"error":"","seconds":0.2})"};
  for (const char* type : {"float32", "float64", "float16", "bfloat16"}) {
    events.push_back(std::string(R"({"event":"case","name":"a case","route":"flash","type":")") +
                     type +
                     R"(","causal":true,"mask":true,"scale":true,"strided":true,"rc":0,)"
                     R"("elements":10,"not_finite":0,"max_error":1e-15})");
  }
  events.push_back(R"({"event":"choice","name":"a case","rc":0,"backend":1})");
  return events;
}

inline std::vector<std::string> all_reduce_events() {
  return {R"({"event":"result","transport":"shared memory","stand_in":true,"ranks":4,)"
          R"("type":"float32","bytes":1000,"elements_checked":250,"wrong":0,"iterations":20,)"
          R"("seconds_median":0.001,"algorithm_bandwidth":1000000.0,"bus_bandwidth":1500000.0})"};
}

inline std::vector<std::string> cold_start_events() {
  std::vector<std::string> events;
  for (const char* phase : {"interpreter", "libtorch", "import"}) {
    events.push_back(std::string(R"({"event":"sample","ok":true,"seconds":1.5,"phase":")") + phase +
                     R"(","cpu_seconds":1.25,"read_bytes":0,"error":""})");
  }
  return events;
}

/// One good run for each call of the plan of good_expectations() with two cold samples.
inline std::vector<ProbeRun> good_runs() {
  std::vector<ProbeRun> runs{
      probe_run("load:cpp", load_events(false)),
      probe_run("load:cpp-clean", load_events(false)),
      probe_run("load:python", load_events(true)),
      probe_run("load:python-clean", load_events(true)),
      probe_run("versions", version_events()),
      probe_run("sdpa", attention_events()),
      probe_run("allreduce:file", all_reduce_events()),
      probe_run("allreduce:tcp", all_reduce_events()),
      probe_run("coldstart:1", cold_start_events()),
      probe_run("coldstart:2", cold_start_events()),
      probe_run("coldstart:detail",
                {R"({"event":"detail","modules":968,"opened":1104,"failed_opens":19,)"
                 R"("mapped_files":74,"mapped_bytes":4280000000,"resident_bytes":297000000,)"
                 R"("missing_bytecode":0,"missing_example":""})",
                 R"({"event":"loader","tries":642,"misses":604})"}),
      probe_run(
          "python:import",
          {R"({"event":"package","name":"numpy","version":"2.4.6"})",
           R"({"event":"package","name":"nvidia-cublas-cu12","version":"12.8.4.1"})",
           R"({"event":"import","distribution":"numpy","module":"numpy","ok":true,"seconds":0.2,"error":""})"}),
      probe_run(
          "python:pip-check",
          {R"({"event":"outcome","ok":true,"available":true,"output":"No broken requirements found.\n","seconds":1})"}),
      probe_run(
          "python:nouser",
          {R"({"event":"circumstances","uid":65532,"passwd_entry":false,"root_writable":false})",
           R"({"event":"step","name":"threads","ok":true,"value":"3"})"}),
      probe_run(
          "python:compile",
          {R"({"event":"outcome","ok":true,"max_error":1e-7,"compiled":1,"output":"","seconds":20})"})};
  return runs;
}

inline ContainerPlanOptions two_samples() {
  ContainerPlanOptions options;
  options.cold_samples = 2;
  return options;
}

/// The result of one check over these runs.
inline CheckResult judge(const std::string& id, const Expectations& expectations,
                         const std::vector<ProbeRun>& runs) {
  ContainerPlanOptions options = two_samples();
  options.only = {id};
  return judge_container(expectations, options, runs).at(0);
}

/// good_runs() with one of them replaced.
inline std::vector<ProbeRun> with_run(ProbeRun changed) {
  std::vector<ProbeRun> runs = good_runs();
  for (ProbeRun& run : runs) {
    if (run.label == changed.label) run = changed;
  }
  return runs;
}

/// Events with every `from` in them made `to`.
inline std::vector<std::string> replaced(std::vector<std::string> events, const std::string& from,
                                         const std::string& to) {
  for (std::string& event : events) {
    for (std::size_t at = event.find(from); at != std::string::npos;
         at = event.find(from, at + to.size())) {
      event.replace(at, from.size(), to);
    }
  }
  return events;
}

}  // namespace img
