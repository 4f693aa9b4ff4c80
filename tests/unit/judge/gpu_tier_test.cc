// SPDX-License-Identifier: Apache-2.0
// Tests of the GPU tiers: plans, and each check on runs that are good, bad, absent or simulated.
#include "validators/judge/gpu_tier.h"

#include "tests/unit/judge/gpu_runs.h"
#include "validators/judge/catalogue.h"
#include "validators/judge/nccl_floors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace img {
namespace {

std::string verdict(const CheckResult& result) {
  return std::string(to_string(result.status)) + ": " + result.reason;
}

CheckResult judge_gpu_check(const std::string& id, const std::vector<ProbeRun>& runs,
                            const Expectations& expectations = gpu_expectations()) {
  ContainerPlanOptions options = two_samples();
  options.only = {id};
  return judge_gpu(expectations, options, runs).at(0);
}

/// The verdict on good runs with one of them replaced.
std::string with(const std::string& id, const std::string& label,
                 const std::vector<std::string>& events,
                 const Expectations& expectations = gpu_expectations()) {
  std::vector<ProbeRun> runs = good_gpu_runs();
  for (ProbeRun& run : runs) {
    if (run.label == label) run = probe_run(label, events);
  }
  return verdict(judge_gpu_check(id, runs, expectations));
}

std::vector<std::string> plan_labels(const Expectations& expectations,
                                     const ContainerPlanOptions& options) {
  std::vector<std::string> found;
  for (const ProbeCall& call : gpu_plan(expectations, options)) found.push_back(call.label);
  return found;
}

using Labels = std::vector<std::string>;

TEST(GpuPlan, AsksForTheStateFirstAndForEachRunOnce) {
  EXPECT_EQ(plan_labels(gpu_expectations(), two_samples()),
            (Labels{"gpu_state", "gpu_kernel", "gpu_sdpa", "gpu_conv", "gpu_coldstart:1",
                    "gpu_coldstart:2", "nccl_allreduce:threads", "nccl_allreduce:processes"}));
}

TEST(GpuPlan, LeavesOutWhatAnImageDoesNotHave) {
  EXPECT_EQ(plan_labels({}, two_samples()),
            (Labels{"gpu_state", "gpu_kernel", "gpu_conv", "gpu_coldstart:1", "gpu_coldstart:2",
                    "nccl_allreduce:threads", "nccl_allreduce:processes"}));
  ContainerPlanOptions options = two_samples();
  options.only = {"sdpa-flash"};
  EXPECT_EQ(plan_labels({}, options), Labels{"gpu_state"});
  options.only = {"DIST-CPU"};
  EXPECT_EQ(plan_labels(gpu_expectations(), options), Labels{});
}

TEST(GpuPlan, JoinsOthersWhereItIsOneOfMany) {
  ContainerPlanOptions options = two_samples();
  options.only = {"NCCL-AR"};
  options.one_of_many = true;
  EXPECT_EQ(plan_labels(gpu_expectations(), options),
            (Labels{"gpu_state", "nccl_allreduce:environment"}));
}

TEST(GpuTier, KnowsTheChecksOfTheCatalogue) {
  std::set<std::string> expected, found;
  for (const CheckInfo& info : catalogue()) {
    if (info.tier == Tier::gpu || info.tier == Tier::multi_gpu) {
      expected.insert(std::string(info.id));
    }
  }
  for (const CheckResult& result : judge_gpu({}, {}, {})) {
    found.insert(result.id);
    EXPECT_EQ(result.tier, find_check(result.id)->tier) << result.id;
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(found.size(), 11u);
}

TEST(GpuTier, PassesAGoodMachine) {
  for (const CheckResult& result : judge_gpu(gpu_expectations(), two_samples(), good_gpu_runs())) {
    EXPECT_EQ(verdict(result), "pass: ") << result.id;
    EXPECT_FALSE(result.findings.empty()) << result.id;
    EXPECT_FALSE(result.simulated) << result.id;
  }
}

TEST(GpuTier, IsBlockedWithTheReasonWhereThereIsNoGpu) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"event":"library","library":"cuda","path":"","error":"libcuda.so.1: cannot open shared object file: No such file or directory"})",
       "there is no GPU driver here: libcuda.so.1: cannot open shared object file: No such file or "
       "directory"},
      {R"({"event":"call","library":"cuda","function":"cuInit","rc":100,"error":"CUDA_ERROR_NO_DEVICE"})",
       "cuInit answers 100: there is a driver library and no device"},
      {R"({"event":"call","library":"cuda","function":"cuInit","rc":999,"error":"CUDA_ERROR_UNKNOWN"})",
       "cuInit answers 999: CUDA_ERROR_UNKNOWN"},
  };
  for (const auto& [event, reason] : cases) {
    std::vector<std::string> events{event};
    if (event.find("cuInit") != std::string::npos) events = {state_events(1)[0], event};
    const std::vector<ProbeRun> runs{probe_run("gpu_state", events)};
    EXPECT_EQ(why_no_gpu(runs[0]), reason);
    for (const CheckResult& result : judge_gpu(gpu_expectations(), two_samples(), runs)) {
      EXPECT_EQ(verdict(result), "blocked: " + reason) << result.id;
    }
  }
  for (const CheckResult& result : judge_gpu(gpu_expectations(), two_samples(), {})) {
    EXPECT_EQ(verdict(result), "blocked: probe run 'gpu_state' was not made") << result.id;
  }
}

TEST(GpuTier, IsBlockedByRunsThatSayNothing) {
  std::vector<ProbeRun> silent = good_gpu_runs();
  for (ProbeRun& run : silent) {
    if (run.label != "gpu_state") run = probe_run(run.label, {});
  }
  for (const CheckResult& result : judge_gpu(gpu_expectations(), two_samples(), silent)) {
    const bool of_state =
        result.id == "DRV-FLOOR" || result.id == "GPU-STATE" || result.id == "GPU-MEMORY";
    EXPECT_EQ(result.status, of_state ? Status::pass : Status::blocked)
        << result.id << " " << result.reason;
  }
}

TEST(GpuTier, CallsWhatAStandInAnsweredSimulated) {
  std::vector<ProbeRun> runs = good_gpu_runs();
  runs[0] = probe_run("gpu_state",
                      replaced(state_events(8), R"("stand_in":false)", R"("stand_in":true)"));
  for (const CheckResult& result : judge_gpu(gpu_expectations(), two_samples(), runs)) {
    EXPECT_TRUE(result.simulated) << result.id;
    EXPECT_EQ(result.status, Status::pass) << result.id;
  }
  runs = good_gpu_runs();
  runs[6] = probe_run("nccl_allreduce:threads",
                      replaced(nccl_events(), R"("stand_in":false)", R"("stand_in":true)"));
  for (const CheckResult& result : judge_gpu(gpu_expectations(), two_samples(), runs)) {
    EXPECT_EQ(result.simulated, result.id == "NCCL-AR") << result.id;
  }
}

TEST(GpuTier, AProbeThatIsKilledBlocksItsOwnChecksOnly) {
  std::vector<ProbeRun> runs = good_gpu_runs();
  runs[2].end = RunEnd::timed_out;
  runs[2].reason = "600 s";
  EXPECT_EQ(verdict(judge_gpu_check("SDPA-EFF", runs)),
            "blocked: probe run 'gpu_sdpa' was killed at its time limit: 600 s");
  EXPECT_EQ(verdict(judge_gpu_check("CC-KERNEL", runs)), "pass: ");
}

std::string state_with(const std::string& from, const std::string& to, const std::string& id,
                       const Expectations& expectations = gpu_expectations()) {
  return with(id, "gpu_state", replaced(state_events(1), from, to), expectations);
}

TEST(DriverFloor, TellsTheImagesFaultFromTheHosts) {
  EXPECT_EQ(state_with(R"("cuInit","rc":0)", R"("cuInit","rc":34)", "DRV-FLOOR"),
            "fail: a stub library stands in for the driver");
  EXPECT_EQ(state_with(R"("cuInit","rc":0)", R"("cuInit","rc":803)", "DRV-FLOOR"),
            "fail: the driver library and the kernel module differ: the image brings a driver "
            "library");
  EXPECT_EQ(state_with(R"("cuInit","rc":0)", R"("cuInit","rc":804)", "DRV-FLOOR"),
            "fail: the image brings a compatibility driver that does not serve this GPU");
  EXPECT_EQ(state_with(R"("cuInit","rc":0)", R"("cuInit","rc":804)", "CC-KERNEL"),
            "blocked: cuInit answers 804: the image brings a compatibility driver that does not "
            "serve this GPU");
}

TEST(DriverFloor, HoldsTheDriverAgainstTorchsCuda) {
  EXPECT_EQ(state_with("570.124.06", "470.57.02", "DRV-FLOOR"),
            "fail: the kernel's driver is too old for this CUDA");
  EXPECT_EQ(state_with(R"("value":12080)", R"("value":11040)", "DRV-FLOOR"),
            "fail: the driver serves an older CUDA than torch's");
  EXPECT_EQ(state_with(R"("value":12080)", R"("value":12020)", "DRV-FLOOR"),
            "warn: the driver works in limited mode: it cannot compile PTX of this CUDA");
  Expectations promised = gpu_expectations();
  promised.driver = "575.10";
  EXPECT_EQ(state_with("x", "x", "DRV-FLOOR", promised),
            "warn: this machine's driver is older than the lowest one that the manifest promises");
}

TEST(DriverFloor, LetsACompatibilityLibraryServeAnOldDriver) {
  std::vector<std::string> events = replaced(state_events(1), "570.124.06", "470.57.02");
  events.push_back(
      R"({"event":"compat","path":"/usr/local/cuda/compat/libcuda.so.1","note":"{}"})");
  EXPECT_EQ(with("DRV-FLOOR", "gpu_state", events),
            "warn: the kernel's driver is too old and served by a compatibility library");
}

TEST(DriverFloor, FailsWhenAskingKills) {
  std::vector<std::string> events{state_events(1)[0]};
  events.push_back(R"({"event":"child","of":"cuda","end":"signalled","code":6,"seconds":1})");
  EXPECT_EQ(with("DRV-FLOOR", "gpu_state", events),
            "fail: asking the driver ('cuda') ends with signal 6 in 'gpu_state'");
  EXPECT_EQ(with("GPU-STATE", "gpu_state", events),
            "blocked: the driver library gives no answer to cuInit");
}

TEST(GpuState, NamesEachIllness) {
  EXPECT_EQ(state_with(R"("ecc_uncorrected":0)", R"("ecc_uncorrected":2)", "GPU-STATE"),
            "fail: uncorrected memory errors on GPU 0 (NVIDIA H100 80GB HBM3)");
  EXPECT_EQ(state_with(R"("remap_failed":false)", R"("remap_failed":true)", "GPU-STATE"),
            "fail: a row of memory could not be remapped on GPU 0 (NVIDIA H100 80GB HBM3)");
  EXPECT_EQ(state_with(R"("pcie_width":16)", R"("pcie_width":4)", "GPU-STATE"),
            "warn: PCIe of GPU 0 (NVIDIA H100 80GB HBM3) is narrower than it can be");
  EXPECT_EQ(state_with(R"("persistence":true)", R"("persistence":false)", "GPU-STATE"),
            "warn: persistence mode is off on GPU 0 (NVIDIA H100 80GB HBM3): first uses take "
            "seconds longer");
  EXPECT_EQ(state_with(R"("rc":0,"persistence")", R"("rc":6,"persistence")", "GPU-STATE"),
            "blocked: NVML says nothing of GPU 0 (NVIDIA H100 80GB HBM3): return code 6");
}

TEST(GpuState, IsBlockedWithoutNvml) {
  std::vector<std::string> events =
      replaced(state_events(1), R"("path":"/usr/lib/libnvidia-ml.so.1","error":"")",
               R"("path":"","error":"libnvidia-ml.so.1: cannot open")");
  EXPECT_EQ(with("GPU-STATE", "gpu_state", events),
            "blocked: there is no NVML here, which NCCL needs too: NVIDIA_DRIVER_CAPABILITIES "
            "lacks 'utility' (libnvidia-ml.so.1: cannot open)");
}

TEST(GpuMemory, HoldsItAgainstTheNeed) {
  EXPECT_EQ(
      state_with(R"("rc":0,"free_bytes":84000000000)",
                 R"("rc":2,"error":"cuMemAlloc_v2: out","free_bytes":84000000000)", "GPU-MEMORY"),
      "fail: the memory cannot be had on GPU 0 (NVIDIA H100 80GB HBM3)");
  EXPECT_EQ(state_with(R"("asked_bytes":1000000)", R"("asked_bytes":1)", "GPU-MEMORY"),
            "blocked: not every GPU was asked for its memory");
  EXPECT_EQ(state_with("x", "x", "GPU-MEMORY", good_expectations()),
            "skipped: nothing says how much GPU memory the workload needs");
}

std::string kernel_with(const std::string& from, const std::string& to) {
  std::vector<std::string> events = kernel_events(8);
  events[0] = replaced({events[0]}, from, to)[0];
  return with("CC-KERNEL", "gpu_kernel", events);
}

TEST(FirstKernel, TellsNoKernelImageFromEveryOtherFailure) {
  EXPECT_EQ(kernel_with(R"("rc":0)", R"("rc":209,"error":"CUDA_ERROR_NO_BINARY_FOR_GPU")"),
            "fail: a kernel from PTX on GPU 0 has no code for this GPU ('no kernel image')");
  EXPECT_EQ(kernel_with(R"("ptx","rc":0)", R"("cublas","rc":8,"error":"status 8")"),
            "fail: a product of cuBLAS on GPU 0 has no code for this GPU ('no kernel image')");
  EXPECT_EQ(kernel_with(R"("ptx","rc":0)",
                        R"("torch","rc":1,"error":"CUDA error: no kernel image is available")"),
            "fail: a kernel of torch on GPU 0 has no code for this GPU ('no kernel image')");
  EXPECT_EQ(
      kernel_with(R"("rc":0)", R"("rc":222,"error":"x")"),
      "fail: a kernel from PTX on GPU 0 cannot be compiled: the driver is older than the PTX");
  EXPECT_EQ(kernel_with(R"("rc":0)", R"("rc":700,"error":"x")"),
            "fail: a kernel from PTX on GPU 0 does not run");
  EXPECT_EQ(kernel_with(R"("wrong":0)", R"("wrong":1)"),
            "fail: a kernel from PTX on GPU 0 gives wrong numbers");
  EXPECT_EQ(kernel_with(R"("elements":100)", R"("elements":0)"),
            "fail: a kernel from PTX on GPU 0: no element was compared");
}

TEST(FirstKernel, MustRunOnEachGpu) {
  EXPECT_EQ(with("CC-KERNEL", "gpu_kernel", kernel_events(7)),
            "blocked: a kernel of torch was not run on GPU 7");
}

TEST(Convolution, RunsInAllDirections) {
  EXPECT_EQ(with("CUDNN-CONV", "gpu_conv",
                 replaced(convolution_events(), R"("rc":0)",
                          R"("rc":1008,"function":"cudnnConvolutionForward","error":"x")")),
            "fail: cuDNN's convolution, forward, does not run (and 2 more)");
  EXPECT_EQ(with("CUDNN-CONV", "gpu_conv", {convolution_events()[0]}),
            "blocked: the convolution was not run: backward filter");
  EXPECT_EQ(with("CUDNN-CONV", "gpu_conv",
                 {R"({"event":"library","library":"cudnn","path":"","error":"x"})"}),
            "skipped: there is no cuDNN in the image");
  std::vector<std::string> crashed = convolution_events();
  crashed.push_back(R"({"event":"child","of":"forward","end":"signalled","code":6})");
  EXPECT_EQ(with("CUDNN-CONV", "gpu_conv", crashed),
            "fail: a convolution ('forward') ends with signal 6 in 'gpu_conv'");
}

std::string attention_with(const std::string& id, const std::string& from, const std::string& to,
                           const Expectations& expectations = gpu_expectations()) {
  return with(id, "gpu_sdpa", replaced(gpu_attention_events(), from, to), expectations);
}

TEST(GpuAttention, FindsWrongAndInfiniteValues) {
  EXPECT_EQ(attention_with("SDPA-FLASH", R"("max_error":1e-4)", R"("max_error":0.5)"),
            "fail: case 'a case' gives wrong values (and 1 more)");
  EXPECT_EQ(attention_with("SDPA-EFF", R"("not_finite":0)", R"("not_finite":1)"),
            "fail: case 'a case' gives values that are no numbers (and 2 more)");
}

TEST(GpuAttention, MustRunWhereTheGpuHasIt) {
  EXPECT_EQ(attention_with("SDPA-CUDNN", R"("rc":0,"elements")",
                           R"("rc":1,"error":"No available kernel","elements")"),
            "fail: case 'a case' does not run (and 1 more)");
  EXPECT_EQ(attention_with("SDPA-CUDNN", R"("backend":"cudnn")", R"("backend":"other")"),
            "blocked: the probe computed no attention");
  EXPECT_EQ(attention_with("SDPA-FLASH", R"("type":"bfloat16")", R"("type":"float16")"),
            "blocked: no case with 'bfloat16' came to a right result");
}

/// All runs on a T4.
std::vector<ProbeRun> on_t4(const std::vector<std::string>& attention) {
  std::vector<ProbeRun> runs = good_gpu_runs();
  runs[0] = probe_run("gpu_state", replaced(state_events(1), R"("9.0")", R"("7.5")"));
  runs[2] = probe_run("gpu_sdpa", attention);
  return runs;
}

TEST(GpuAttention, IsSkippedWhereTheGpuHasNone) {
  const std::vector<ProbeRun> refused = on_t4(replaced(
      gpu_attention_events(), R"("rc":0,"elements")", R"("rc":1,"error":"only sm80","elements")"));
  EXPECT_EQ(verdict(judge_gpu_check("SDPA-FLASH", refused)),
            "skipped: not to be had on compute capability 7.5 with this torch: only sm80");
  // Wrong numbers fail even where nobody expected any.
  const std::vector<ProbeRun> wrong =
      on_t4(replaced(gpu_attention_events(), R"("max_error":1e-4)", R"("max_error":0.5)"));
  EXPECT_EQ(verdict(judge_gpu_check("SDPA-FLASH", wrong)),
            "fail: case 'a case' gives wrong values (and 1 more)");
}

TEST(GpuAttention, FollowsTheManifestWhereItNamesBackends) {
  Expectations without_cudnn = gpu_expectations();
  without_cudnn.attention_backends = {"flash", "efficient"};
  EXPECT_EQ(attention_with("SDPA-CUDNN", R"("rc":0,"elements")",
                           R"("rc":1,"error":"off","elements")", without_cudnn),
            "skipped: not to be had on compute capability 9.0 with this torch: off");
}

TEST(GpuAttention, ACrashIsItsOwnBackends) {
  std::vector<std::string> events = gpu_attention_events();
  events.push_back(
      R"({"event":"child","of":"cudnn: float16 b1","end":"signalled","code":11,"seconds":1})");
  EXPECT_EQ(with("SDPA-CUDNN", "gpu_sdpa", events),
            "fail: attention on the GPU ('cudnn: float16 b1') ends with signal 11 in 'gpu_sdpa'");
  EXPECT_EQ(with("SDPA-FLASH", "gpu_sdpa", events), "pass: ");
}

TEST(GpuAttention, AMissingFunctionFailsWhereItShouldBe) {
  std::vector<std::string> events = gpu_attention_events();
  events.push_back(R"({"event":"missing","backend":"cudnn","symbol":"aoti_x"})");
  EXPECT_EQ(with("SDPA-CUDNN", "gpu_sdpa", events), "fail: this torch has no 'aoti_x'");
  Expectations old = gpu_expectations();
  old.torch_version = "2.4.1+cu121";
  EXPECT_EQ(with("SDPA-CUDNN", "gpu_sdpa", events, old), "skipped: this torch has no 'aoti_x'");
}

/// What is expected for a plain shape of a half type.
std::string expected_default(const std::string& capability, const std::string& torch,
                             const std::string& cuda, const std::string& cudnn) {
  std::vector<ProbeRun> runs = good_gpu_runs();
  runs[0] = probe_run("gpu_state", replaced(state_events(1), "\"9.0\"", "\"" + capability + "\""));
  runs[2] = probe_run(
      "gpu_sdpa", replaced(gpu_attention_events(), R"("version":91002)", R"("version":)" + cudnn));
  Expectations expectations = gpu_expectations();
  expectations.torch_version = torch;
  expectations.torch_cuda = cuda;
  for (const Finding& finding : judge_gpu_check("SDPA-CHOICE", runs, expectations).findings) {
    if (finding.message.find("'plain'") != std::string::npos) return finding.expected;
  }
  return "nothing";
}

TEST(AttentionChoice, KnowsTheDefaultOfEachTorchAndGpu) {
  EXPECT_EQ(expected_default("7.5", "2.8.0", "12.8", "91002"), "efficient");
  EXPECT_EQ(expected_default("8.0", "2.8.0", "12.8", "91002"), "flash");
  EXPECT_EQ(expected_default("8.9", "2.11.0", "13.0", "91900"), "flash");
  EXPECT_EQ(expected_default("9.0", "2.4.1", "12.4", "90100"), "flash");
  EXPECT_EQ(expected_default("9.0", "2.5.0", "12.4", "90100"), "cudnn");
  EXPECT_EQ(expected_default("9.0", "2.5.1", "12.4", "90100"), "flash");
  EXPECT_EQ(expected_default("9.0", "2.8.0+cu128", "12.8", "91002"), "flash");
  EXPECT_EQ(expected_default("9.0", "2.11.0", "12.6", "91002"), "flash");
  EXPECT_EQ(expected_default("9.0", "2.11.0", "13.0", "91900"), "cudnn");
  EXPECT_EQ(expected_default("10.0", "2.11.0", "13.0", "91900"), "cudnn");
  EXPECT_EQ(expected_default("12.0", "2.11.0", "13.0", "91900"), "flash");
  EXPECT_EQ(expected_default("9.0", "2.10.0", "12.8", "91002"), "cudnn or flash");
}

TEST(AttentionChoice, FailsWhenMathIsChosen) {
  EXPECT_EQ(attention_with("SDPA-CHOICE", R"("plain","rc":0,"backend":1)",
                           R"("plain","rc":0,"backend":0)"),
            "fail: the choice for 'plain' is not the one to expect");
  EXPECT_EQ(attention_with("SDPA-CHOICE", R"("kind":"grouped")", R"("kind":"other")"),
            "blocked: the dispatcher was not asked about 'grouped'");
  Expectations promised = gpu_expectations();
  promised.attention_default = "cudnn";
  EXPECT_EQ(attention_with("SDPA-CHOICE", "x", "x", promised),
            "fail: the choice for 'plain' is not the one to expect (and 1 more)");
}

TEST(GpuColdStart, HoldsTheMedianUpToTheFirstKernelAgainstThePromise) {
  Expectations promised = gpu_expectations();
  promised.cold_gpu_seconds = 0.9;
  EXPECT_EQ(with("COLD-GPU", "x", {}, promised),
            "fail: from nothing to the first kernel takes longer than promised");
  EXPECT_EQ(
      with("COLD-GPU", "gpu_coldstart:2", replaced(gpu_cold_events(), "\"lazy\"", "\"eager\"")),
      "warn: modules are loaded eagerly: set CUDA_MODULE_LOADING=LAZY");
  EXPECT_EQ(with("COLD-GPU", "gpu_coldstart:2", {}),
            "blocked: fewer than 2 samples of a cold start");
  EXPECT_EQ(with("COLD-GPU", "gpu_coldstart:2",
                 replaced(gpu_cold_events(), R"("ok":true)", R"("ok":false)")),
            "fail: 'cuInit' of a cold start fails in 'gpu_coldstart:2' (and 5 more)");
}

std::string nccl_with(const std::vector<std::string>& events,
                      const Expectations& expectations = gpu_expectations()) {
  return with("NCCL-AR", "nccl_allreduce:threads", events, expectations);
}

TEST(NcclAllReduce, FindsWrongSumsAndSlowLinks) {
  EXPECT_EQ(nccl_with(replaced(nccl_events(), R"("wrong":0,"rank":3)", R"("wrong":1,"rank":3)")),
            "fail: rank 3 has wrong sums at 8 GiB in 'nccl_allreduce:threads'");
  EXPECT_EQ(nccl_with(nccl_events(R"("seconds_median":0.04,"algorithm_bandwidth":214748364800,)"
                                  R"("bus_bandwidth":375809638400)")),
            "fail: bus bandwidth of 8 ranks at 8 GiB in 'nccl_allreduce:threads' is too low");
  EXPECT_EQ(nccl_with(nccl_events(R"("seconds_median":0.04,"algorithm_bandwidth":214748364800,)"
                                  R"("bus_bandwidth":475809638400)")),
            "fail: the bandwidths do not follow from bytes, time and ranks in "
            "'nccl_allreduce:threads'");
}

TEST(NcclAllReduce, TakesThePromisedBandwidthInPlaceOfTheTable) {
  Expectations promised = gpu_expectations();
  promised.all_reduce_gigabytes = 470;
  EXPECT_EQ(nccl_with(nccl_events(), promised),
            "fail: bus bandwidth of 8 ranks at 8 GiB in 'nccl_allreduce:threads' is too low "
            "(and 1 more)");
  promised.all_reduce_gigabytes = 469;
  EXPECT_EQ(nccl_with(nccl_events(), promised), "pass: ");
}

TEST(NcclAllReduce, FailsWhenRanksCannotMeet) {
  EXPECT_EQ(nccl_with({R"({"event":"failure","rank":1,"error":"rank 1: unhandled system error"})"}),
            "fail: the all-reduce does not work in 'nccl_allreduce:threads'");
  EXPECT_EQ(nccl_with({R"({"event":"devices","count":8})"}),
            "blocked: no rank came to a result in 'nccl_allreduce:threads'");
}

TEST(NcclAllReduce, DoesNotApplyToOneGpu) {
  EXPECT_EQ(with("NCCL-AR", "gpu_state", state_events(1)),
            "skipped: there is one GPU: an all-reduce needs two");
}

TEST(NcclAllReduce, WarnsWhereNoReferenceIsKnown) {
  EXPECT_EQ(with("NCCL-AR", "gpu_state",
                 replaced(state_events(8), "NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 3060")),
            "warn: no bandwidth is known to hold this against: bus bandwidth of 8 ranks at 8 "
            "GiB in 'nccl_allreduce:threads' on 'NVIDIA GeForce RTX 3060' (and 1 more)");
}

TEST(BandwidthReferences, AreFoundByNameRanksAndSize) {
  constexpr std::uint64_t kGiB = 1ull << 30;
  const auto gigabytes = [](std::string_view gpu, int ranks, int nodes, std::uint64_t bytes) {
    const BandwidthReference* const one = find_reference(gpu, ranks, nodes, bytes);
    return one == nullptr ? 0 : one->bus_gigabytes;
  };
  EXPECT_EQ(gigabytes("NVIDIA H200", 8, 1, 8 * kGiB), 473);
  EXPECT_EQ(gigabytes("NVIDIA H200", 4, 1, 16 * kGiB), 363);
  EXPECT_EQ(gigabytes("NVIDIA H200", 8, 1, kGiB), 0);
  EXPECT_EQ(gigabytes("NVIDIA B200", 8, 1, kGiB), 646);
  EXPECT_EQ(gigabytes("NVIDIA B200", 16, 2, 8 * kGiB), 250);
  EXPECT_EQ(gigabytes("NVIDIA GB200", 8, 2, 8 * kGiB), 160);
  EXPECT_EQ(gigabytes("NVIDIA GB200", 8, 1, 8 * kGiB), 0);
  EXPECT_EQ(gigabytes("NVIDIA H100 PCIe", 2, 1, kGiB), 116);
  for (const BandwidthReference& one : bandwidth_references()) {
    EXPECT_GE(one.source.size(), 10u) << one.gpu;
    EXPECT_GT(one.bus_gigabytes, 1) << one.gpu;
    EXPECT_GE(one.ranks, 2) << one.gpu;
  }
}

}  // namespace
}  // namespace img
