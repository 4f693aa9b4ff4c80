// SPDX-License-Identifier: Apache-2.0
// Tests of the container tier: its plan, and each check on runs that are good, bad or made up.
#include "validators/judge/container_tier.h"

#include "tests/unit/judge/probe_runs.h"
#include "validators/judge/catalogue.h"
#include "validators/judge/version_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace img {
namespace {

/// "status: reason", what a reader sees first.
std::string verdict(const CheckResult& result) {
  return std::string(to_string(result.status)) + ": " + result.reason;
}

std::string verdict(const std::string& id, const std::vector<ProbeRun>& runs,
                    const Expectations& expectations = good_expectations()) {
  return verdict(judge(id, expectations, runs));
}

std::vector<std::string> labels(const Expectations& expectations,
                                const ContainerPlanOptions& options) {
  std::vector<std::string> found;
  for (const ProbeCall& call : container_plan(expectations, options)) found.push_back(call.label);
  return found;
}

TEST(ContainerPlan, AsksForEachRunOnce) {
  const std::vector<std::string> expected{
      "load:cpp",         "load:cpp-clean", "load:python",      "load:python-clean",
      "versions",         "sdpa",           "allreduce:file",   "allreduce:tcp",
      "coldstart:1",      "coldstart:2",    "coldstart:detail", "python:import",
      "python:pip-check", "python:nouser",  "python:compile"};
  EXPECT_EQ(labels(good_expectations(), two_samples()), expected);
}

TEST(ContainerPlan, HasACallForEachColdPhase) {
  ContainerPlanOptions options = two_samples();
  options.only = {"cold-cpu"};
  options.drop_page_cache = true;
  const std::vector<std::string> expected{"coldstart:interpreter:1", "coldstart:libtorch:1",
                                          "coldstart:import:1",      "coldstart:interpreter:2",
                                          "coldstart:libtorch:2",    "coldstart:import:2",
                                          "coldstart:detail"};
  EXPECT_EQ(labels(good_expectations(), options), expected);
}

TEST(ContainerPlan, LeavesOutWhatAnImageDoesNotHave) {
  const std::vector<std::string> nothing{"versions", "allreduce:file", "allreduce:tcp"};
  EXPECT_EQ(labels({}, two_samples()), nothing);
}

TEST(ContainerPlan, TakesLibraryPathAwayForTheCleanCalls) {
  for (const ProbeCall& call : container_plan(good_expectations(), two_samples())) {
    const bool clean = call.label.ends_with("-clean");
    EXPECT_EQ(call.unset,
              clean ? std::vector<std::string>{"LD_LIBRARY_PATH"} : std::vector<std::string>{});
  }
}

TEST(ContainerTier, KnowsTheChecksOfTheCatalogue) {
  std::set<std::string> expected, found;
  for (const CheckInfo& info : catalogue()) {
    if (info.tier == Tier::container) expected.insert(std::string(info.id));
  }
  for (const CheckResult& result : judge_container({}, {}, {})) found.insert(result.id);
  EXPECT_EQ(found, expected);
}

TEST(ContainerTier, PassesAGoodImage) {
  for (const CheckResult& result :
       judge_container(good_expectations(), two_samples(), good_runs())) {
    EXPECT_EQ(verdict(result), "pass: ") << result.id;
    EXPECT_FALSE(result.findings.empty()) << result.id;
    EXPECT_GT(result.seconds, 0) << result.id;
  }
}

TEST(ContainerTier, IsBlockedWithoutRuns) {
  for (const CheckResult& result : judge_container(good_expectations(), two_samples(), {})) {
    EXPECT_EQ(result.status, Status::blocked) << result.id;
    EXPECT_TRUE(result.reason.ends_with("was not made")) << result.reason;
  }
}

TEST(ContainerTier, IsBlockedByRunsThatSayNothing) {
  std::vector<ProbeRun> silent = good_runs();
  for (ProbeRun& run : silent) run = probe_run(run.label, {});
  for (const CheckResult& result : judge_container(good_expectations(), two_samples(), silent)) {
    const bool fails = result.id == "VER-CUDART" || result.id == "VER-CUDNN" ||
                       result.id == "VER-NCCL" || result.id == "PY-IMPORT";
    // A promised library or package that nobody saw is a failure, not a riddle.
    if (fails) {
      EXPECT_EQ(result.status, Status::fail) << result.id;
    } else if (result.id == "VER-LIBS") {
      EXPECT_EQ(result.status, Status::skipped);
    } else {
      EXPECT_EQ(result.status, Status::blocked) << result.id << " " << result.reason;
    }
  }
}

TEST(ContainerTier, SkipsWhatDoesNotApply) {
  EXPECT_EQ(verdict("LOAD-TORCH", {}, {}), "skipped: there is no torch in the image");
  EXPECT_EQ(verdict("PY-IMPORT", {}, {}), "skipped: no Python interpreter is known in the image");
  EXPECT_EQ(verdict("COLD-CPU", {}, {}),
            "skipped: there is neither a Python interpreter nor torch in the image");
  EXPECT_EQ(verdict("PY-COMPILE", {}, {}),
            "skipped: the image does not promise torch.compile (no C++ compiler)");
  Expectations none;
  EXPECT_EQ(verdict("VER-NCCL", {probe_run("versions", {})}, none),
            "skipped: there is no NCCL in the image");
}

TEST(ContainerTier, LetsAFailureWinOverABlockedRun) {
  std::vector<ProbeRun> runs = with_run(
      probe_run("load:cpp", replaced(load_events(false), "\"ok\":true,\"error\":\"\"",
                                     "\"ok\":false,\"error\":\"undefined symbol: ncclX\"")));
  runs.erase(runs.begin() + 1);
  EXPECT_EQ(verdict("LOAD-TORCH", runs), "fail: 'libtorch.so' cannot be loaded in 'load:cpp'");
  EXPECT_EQ(verdict("LOAD-PROV", runs), "blocked: probe run 'load:cpp-clean' was not made");
}

TEST(LoadTorch, FailsWhenLoadingKillsTheProcess) {
  const auto runs = with_run(probe_run(
      "load:cpp-clean",
      replaced(load_events(false), "\"end\":\"exited\",\"code\":0",
               "\"end\":\"signalled\",\"code\":6,\"stderr\":\"could not load libcudnn_graph\"")));
  const CheckResult result = judge("LOAD-TORCH", good_expectations(), runs);
  EXPECT_EQ(verdict(result), "fail: loading torch ('x') ends with signal 6 in 'load:cpp-clean'");
  EXPECT_EQ(result.findings.front().actual, "could not load libcudnn_graph");
}

TEST(LoadTorch, FailsWhenCudnnDisagreesWithItself) {
  const auto runs =
      with_run(probe_run("load:python", replaced(load_events(true), "\"rc\":0", "\"rc\":1002")));
  EXPECT_EQ(verdict("LOAD-TORCH", runs),
            "fail: cuDNN's sub-libraries do not fit together: 'cudnnGraphVersionCheck' says so in "
            "'load:python'");
}

TEST(LoadTorch, NamesTheFileThatEndsTheProcess) {
  const auto runs = with_run(probe_run(
      "load:cpp", {R"({"event":"opening","path":"/t/lib/libtorch.so"})",
                   R"({"event":"child","of":"libtorch","end":"signalled","code":7,"stderr":""})"}));
  const CheckResult result = judge("LOAD-TORCH", good_expectations(), runs);
  ASSERT_EQ(
      verdict(result),
      "fail: loading torch ('libtorch') ends with signal 7 (a mapped file is shorter than its "
      "headers say) in 'load:cpp' (and 1 more)");
  EXPECT_EQ(result.findings[1].message,
            "'libtorch.so' or a library that it needs ends the process that loads it in "
            "'load:cpp'");
  EXPECT_EQ(result.findings[1].path, "/t/lib/libtorch.so");
}

TEST(LoadTorch, LoadsOnceWhereThereIsNoLibraryPath) {
  ContainerPlanOptions options = two_samples();
  options.only = {"LOAD-TORCH"};
  options.library_path = false;
  EXPECT_EQ(labels(good_expectations(), options),
            (std::vector<std::string>{"load:cpp", "load:python"}));
}

TEST(ColdStart, IsNotRepeatedOnceASampleFailed) {
  const ProbeRun good =
      probe_run("coldstart:1", {R"({"event":"sample","phase":"import","ok":true,"seconds":1})"});
  const ProbeRun bad = probe_run(
      "coldstart:2",
      {R"({"event":"sample","phase":"import","ok":false,"error":"does not end in time"})"});
  const ProbeCall again{.label = "coldstart:3", .probe = "coldstart"};
  EXPECT_FALSE(is_pointless(again, {good}));
  EXPECT_TRUE(is_pointless(again, {good, bad}));
  EXPECT_FALSE(is_pointless({.label = "sdpa", .probe = "sdpa"}, {good, bad}));
}

TEST(Versions, DoNotAskWhatNeedsADriver) {
  auto events = version_events();
  events.push_back(
      R"({"event":"library","library":"cupti","path":"/n/libcupti.so.13","error":""})");
  EXPECT_EQ(verdict("VER-LIBS", with_run(probe_run("versions", events))),
            "fail: 'cupti' answers no question about its version");
  events.push_back(R"({"event":"not_asked","library":"cupti","reason":"no driver"})");
  const CheckResult result =
      judge("VER-LIBS", good_expectations(), with_run(probe_run("versions", events)));
  EXPECT_EQ(verdict(result), "pass: ");
  EXPECT_EQ(result.findings.back().message, "'cupti' loads; its version is not asked for");
  EXPECT_EQ(result.findings.back().actual, "no driver");
}

TEST(Imports, WarnOfWhatTorchWarnsOf) {
  auto events = std::vector<std::string>{
      R"({"event":"package","name":"numpy","version":"2.4.6"})",
      R"({"event":"package","name":"nvidia-cublas-cu12","version":"12.8.4.1"})",
      R"({"event":"import","distribution":"numpy","module":"numpy","ok":true,"warning":"x.py:1: DeprecationWarning: old"})",
      R"({"event":"import","distribution":"torch","module":"torch","ok":true,"warning":"t.py:2: UserWarning: Failed to initialize NumPy"})"};
  const CheckResult result =
      judge("PY-IMPORT", good_expectations(), with_run(probe_run("python:import", events)));
  EXPECT_EQ(verdict(result), "warn: 'import torch' works and warns");
}

TEST(LoadProvenance, FailsForAnotherFile) {
  const auto runs = with_run(
      probe_run("load:cpp", replaced(load_events(false), kNvidia + "/cudnn/lib/", "/usr/lib/")));
  const CheckResult result = judge("LOAD-PROV", good_expectations(), runs);
  EXPECT_EQ(verdict(result), "fail: 'libcudnn.so.9' comes from another file in 'load:cpp'");
  EXPECT_EQ(result.findings.front().expected, kNvidia + "/cudnn/lib/libcudnn.so.9");
  EXPECT_EQ(result.findings.front().actual, "/usr/lib/libcudnn.so.9");
}

TEST(LoadProvenance, FailsForTwoCopies) {
  std::vector<std::string> events = load_events(false);
  events.push_back(R"({"event":"mapped","path":"/usr/lib/libcudnn_graph.so.9.10.2"})");
  const auto runs = with_run(probe_run("load:cpp", events));
  EXPECT_EQ(verdict("LOAD-PROV", runs),
            "fail: 'libcudnn_graph' is mapped from 2 files in 'load:cpp' (and 1 more)");
}

TEST(LoadProvenance, FailsForAnotherTorch) {
  const auto runs =
      with_run(probe_run("load:python", replaced(load_events(true), "\"folder\":\"" + kTorch,
                                                 "\"folder\":\"/root/.local/torch")));
  EXPECT_EQ(verdict("LOAD-PROV", runs), "fail: 'import torch' takes another torch");
}

TEST(Versions, FailWhenALibraryIsNotWhatWasPromised) {
  const auto changed = [](const std::string& from, const std::string& to) {
    return with_run(probe_run("versions", replaced(version_events(), from, to)));
  };
  EXPECT_EQ(verdict("VER-CUDART", changed("12080", "12060")),
            "fail: the CUDA runtime is of another version (and 2 more)");
  EXPECT_EQ(verdict("VER-CUDNN", changed("91002", "90700")),
            "fail: cuDNN is of another version (and 1 more)");  // and older than torch wants
  EXPECT_EQ(verdict("VER-CUDNN", changed("12090", "13000")),
            "fail: cuDNN is built for another CUDA major");
  EXPECT_EQ(verdict("VER-NCCL", changed("22703", "22803")), "fail: NCCL is of another version");
  EXPECT_EQ(verdict("VER-LIBS", changed("12.8.4\"", "12.6.4\"")),
            "fail: 'cublas' is of another version");
}

TEST(Versions, FailWhenAPromisedLibraryIsNotThere) {
  const auto runs = with_run(probe_run("versions", {}));
  EXPECT_EQ(verdict("VER-CUDNN", runs), "fail: cuDNN is not found");
}

TEST(Versions, FailWhenACallFailsOrKills) {
  auto events =
      replaced(version_events(), "\"cudnnGetVersion\",\"rc\":0", "\"cudnnGetVersion\",\"rc\":7");
  EXPECT_EQ(verdict("VER-CUDNN", with_run(probe_run("versions", events))),
            "fail: 'cudnnGetVersion' gives no version");
  events = version_events();
  events.push_back(R"({"event":"child","of":"nccl","end":"signalled","code":11})");
  EXPECT_EQ(verdict("VER-NCCL", with_run(probe_run("versions", events))),
            "fail: asking NCCL for its version kills the process");
}

TEST(Versions, TakeNoTextThatIsNoVersion) {
  Expectations expectations = good_expectations();
  expectations.torch_cuda = "none";  // read from a file of the image: it may hold anything
  auto runs = with_run(
      probe_run("versions", replaced(version_events(), "\"cudaRuntimeGetVersion\"", "\"other\"")));
  EXPECT_EQ(verdict("VER-CUDNN", runs, expectations), "pass: ");
  EXPECT_EQ(verdict("VER-CUDART", good_runs(), expectations),
            "fail: torch is built for another CUDA runtime");
}

TEST(Versions, SayWhenAStandInAnswered) {
  const auto runs = with_run(
      probe_run("versions", replaced(version_events(), "\"stand_in\":false", "\"stand_in\":true")));
  EXPECT_TRUE(judge("VER-CUDNN", good_expectations(), runs).simulated);
  EXPECT_FALSE(judge("VER-CUDNN", good_expectations(), good_runs()).simulated);
}

TEST(Versions, UnpackTheIntegersOfEachLibrary) {
  EXPECT_EQ(cuda_version_of(12080), "12.8");
  EXPECT_EQ(cuda_version_of(13020), "13.2");
  EXPECT_EQ(cuda_version_of(0), std::nullopt);
  EXPECT_EQ(cudnn_version_of(91002), "9.10.2");
  EXPECT_EQ(cudnn_version_of(8907), "8.9.7");
  EXPECT_EQ(nccl_version_of(22703), "2.27.3");
  EXPECT_EQ(nccl_version_of(2804), "2.8.4");
  EXPECT_EQ(nccl_version_of(-1), std::nullopt);
  EXPECT_TRUE(versions_agree("9.10", "9.10.2"));
  EXPECT_FALSE(versions_agree("9.1", "9.10.2"));
  EXPECT_FALSE(versions_agree("", "9.10.2"));
}

std::string driver_verdict(const std::string& path, int rc) {
  std::vector<std::string> events{
      R"({"event":"library","library":"cuda","error":"","path":")" + path + "\"}",
      R"({"event":"call","library":"cuda","function":"cuInit","rc":)" + std::to_string(rc) + "}"};
  return verdict("DRV-STATE", {probe_run("versions", events)});
}

TEST(DriverState, KnowsTheCodesThatMeanABrokenImage) {
  const std::string driver = "/usr/lib/libcuda.so.1";
  EXPECT_EQ(driver_verdict(driver, 0), "pass: ");
  EXPECT_EQ(driver_verdict(driver, 100), "pass: ");
  EXPECT_EQ(driver_verdict(driver, 34), "fail: 'cuInit': a stub library stands in for the driver");
  EXPECT_EQ(driver_verdict(driver, 803),
            "fail: 'cuInit': the driver library and the kernel module differ: the image brings a "
            "driver library");
  EXPECT_EQ(driver_verdict(driver, 804),
            "fail: 'cuInit': the image brings a compatibility driver that does not serve this GPU");
  EXPECT_EQ(driver_verdict(driver, 35),
            "warn: 'cuInit': the host's driver is older than the CUDA runtime");
  EXPECT_EQ(driver_verdict(driver, 999), "blocked: 'cuInit': a state that is not known (999)");
  EXPECT_EQ(driver_verdict("/usr/local/cuda/lib64/stubs/libcuda.so", 100),
            "fail: a stub of the driver library is what the loader finds");
}

std::string attention_verdict(const std::string& from, const std::string& to) {
  return verdict("SDPA-CPU", with_run(probe_run("sdpa", replaced(attention_events(), from, to))));
}

TEST(CpuAttention, FailsForValuesThatAreWrongOrNoNumbers) {
  EXPECT_EQ(attention_verdict("1e-15", "0.5"),
            "fail: case 'a case' gives wrong values (and 3 more)");
  EXPECT_EQ(attention_verdict("1e-15", "null"),
            "fail: case 'a case' gives values that are no numbers (and 3 more)");
  EXPECT_EQ(attention_verdict("1e-15", "-1"),
            "fail: case 'a case' gives values that are no numbers (and 3 more)");
  EXPECT_EQ(attention_verdict("\"not_finite\":0", "\"not_finite\":3"),
            "fail: case 'a case' gives values that are no numbers (and 3 more)");
  EXPECT_EQ(attention_verdict("\"elements\":10", "\"elements\":0"),
            "fail: case 'a case' gives values that are no numbers (and 3 more)");
  EXPECT_EQ(attention_verdict("true,\"rc\":0", "true,\"rc\":1"),
            "fail: case 'a case' does not run (and 3 more)");
}

TEST(CpuAttention, HoldsEachTypeToItsOwnTolerance) {
  // Half precision may be this far off, single precision may not.
  const CheckResult result =
      judge("SDPA-CPU", good_expectations(),
            with_run(probe_run("sdpa", replaced(attention_events(), "1e-15", "0.001"))));
  EXPECT_EQ(verdict(result), "fail: case 'a case' gives wrong values (and 1 more)");
}

TEST(CpuAttention, IsBlockedByAGridWithHoles) {
  EXPECT_EQ(attention_verdict("\"strided\":true", "\"strided\":false"),
            "blocked: the grid of cases has none with 'strided'");
}

TEST(CpuAttention, IsSkippedWhereTorchHasNoEntryPoint) {
  const auto runs = with_run(
      probe_run("sdpa", {R"({"event":"open","path":"/x","ok":true})",
                         R"({"event":"missing","symbol":"aoti_torch_x","consequence":"y"})"}));
  EXPECT_EQ(verdict("SDPA-CPU", runs),
            "skipped: this torch has no C entry point for attention on the CPU");
}

std::string all_reduce_verdict(const std::string& from, const std::string& to) {
  return verdict("DIST-CPU",
                 with_run(probe_run("allreduce:tcp", replaced(all_reduce_events(), from, to))));
}

TEST(CpuAllReduce, FailsForOneWrongElement) {
  EXPECT_EQ(all_reduce_verdict("\"wrong\":0", "\"wrong\":1"),
            "fail: wrong sums: 4 ranks, 1000 bytes of float32 in 'allreduce:tcp'");
}

TEST(CpuAllReduce, FailsForBandwidthsThatDoNotFollow) {
  EXPECT_EQ(all_reduce_verdict("1500000.0", "2000000.0"),
            "fail: the bandwidths do not follow from bytes, time and ranks: 4 ranks, 1000 bytes of "
            "float32 in 'allreduce:tcp'");
}

TEST(CpuAllReduce, IsBlockedByOneRank) {
  const auto runs = with_run(probe_run(
      "allreduce:tcp",
      replaced(replaced(all_reduce_events(), "\"ranks\":4", "\"ranks\":1"), "1500000.0", "0")));
  EXPECT_EQ(verdict("DIST-CPU", runs),
            "blocked: no all-reduce over two or more ranks in 'allreduce:tcp'");
}

TEST(ColdStart, FailsAboveThePromisedMedian) {
  std::vector<ProbeRun> runs = good_runs();
  for (ProbeRun& run : runs) {
    if (run.label == "coldstart:1" || run.label == "coldstart:2") {
      run = probe_run(run.label, replaced(cold_start_events(), "1.5,\"phase\":\"import\"",
                                          "9.25,\"phase\":\"import\""));
    }
  }
  const CheckResult result = judge("COLD-CPU", good_expectations(), runs);
  EXPECT_EQ(verdict(result), "fail: 'import', warm page cache takes longer than promised");
  EXPECT_EQ(result.findings.front().expected, "median at most 8.00 s");
  EXPECT_EQ(result.findings.front().actual,
            "median 9.25 s, from 9.25 s to 9.25 s in 2 samples, 1.25 s of CPU");
}

TEST(ColdStart, WarnsOfMissingBytecode) {
  const auto runs = with_run(probe_run(
      "coldstart:detail",
      {R"({"event":"detail","modules":9,"missing_bytecode":3,"missing_example":"torch.fx"})"}));
  EXPECT_EQ(verdict("COLD-CPU", runs),
            "warn: modules are compiled at every start because their bytecode is missing");
}

TEST(ColdStart, IsBlockedByTooFewSamples) {
  const auto runs = with_run(probe_run("coldstart:2", {}));
  EXPECT_EQ(verdict("COLD-CPU", runs), "blocked: fewer than 2 samples of a cold start");
}

TEST(Imports, FailForAPackageThatIsNotThereOrDoesNotImport) {
  const auto import = [](const std::string& package, const std::string& event) {
    return with_run(probe_run(
        "python:import",
        {package, R"({"event":"package","name":"nvidia-cublas-cu12","version":"12.8.4.1"})",
         event}));
  };
  const std::string numpy = R"({"event":"package","name":"numpy","version":"2.4.6"})";
  EXPECT_EQ(
      verdict(
          "PY-IMPORT",
          import(
              numpy,
              R"({"event":"import","distribution":"numpy","module":"numpy","ok":false,"error":"ImportError: x"})")),
      "fail: 'import numpy' of 'numpy' fails");
  const std::string good =
      R"({"event":"import","distribution":"numpy","module":"numpy","ok":true})";
  EXPECT_EQ(
      verdict("PY-IMPORT", import(R"({"event":"package","name":"scipy","version":"1"})", good)),
      "fail: Python does not find 'numpy'");
  EXPECT_EQ(
      verdict("PY-IMPORT", import(R"({"event":"package","name":"numpy","version":"1.26"})", good)),
      "fail: Python finds another version of 'numpy'");
}

TEST(PipCheck, FailsWithPipsOwnWords) {
  const auto runs = with_run(probe_run(
      "python:pip-check",
      {R"({"event":"outcome","ok":false,"available":true,"output":"torch 2.8.0 requires sympy"})"}));
  const CheckResult result = judge("PY-PIPCHECK", good_expectations(), runs);
  EXPECT_EQ(verdict(result), "fail: 'pip check' finds requirements that are not met");
  EXPECT_EQ(result.findings.front().actual, "torch 2.8.0 requires sympy");
}

TEST(PipCheck, IsSkippedWithoutPip) {
  const auto runs = with_run(
      probe_run("python:pip-check", {R"({"event":"outcome","ok":false,"available":false})"}));
  EXPECT_EQ(verdict("PY-PIPCHECK", runs), "skipped: there is no pip in the image");
}

TEST(NoUser, ProvesNothingUnderOtherCircumstances) {
  const auto as = [](const std::string& circumstances, const std::string& step) {
    return with_run(probe_run("python:nouser", {circumstances, step}));
  };
  const std::string right =
      R"({"event":"circumstances","uid":65532,"passwd_entry":false,"root_writable":false})";
  const std::string good = R"({"event":"step","name":"threads","ok":true})";
  EXPECT_EQ(
      verdict("PY-NOUSER",
              as(R"({"event":"circumstances","uid":0,"passwd_entry":true,"root_writable":false})",
                 good)),
      "skipped: the process has a passwd entry here");
  EXPECT_EQ(
      verdict("PY-NOUSER",
              as(R"({"event":"circumstances","uid":0,"passwd_entry":false,"root_writable":true})",
                 good)),
      "skipped: the root file system is writable here");
  const std::string late = R"({"event":"child","of":"nouser","end":"timed_out","code":9})";
  EXPECT_EQ(
      verdict("PY-NOUSER",
              as(R"({"event":"circumstances","uid":0,"passwd_entry":true,"root_writable":true})",
                 late)),
      "skipped: the process has a passwd entry here");
  EXPECT_EQ(verdict("PY-NOUSER", as(right, late)),
            "fail: Python as an unknown user ('nouser') does not end in time in 'python:nouser'");
  EXPECT_EQ(verdict("PY-NOUSER",
                    as(right, R"({"event":"step","name":"threads","ok":false,"error":"x"})")),
            "fail: 'threads' fails as uid 65532 on a read-only root");
  EXPECT_EQ(
      verdict(
          "PY-NOUSER",
          as(right,
             R"({"event":"step","name":"user name","ok":false,"advice":true,"error":"KeyError"})")),
      "warn: 'user name' fails as uid 65532");
}

TEST(Compile, FailsWithoutACompiledGraphOrWithOtherValues) {
  const auto outcome = [](const std::string& members) {
    return with_run(probe_run("python:compile", {R"({"event":"outcome",)" + members + "}"}));
  };
  EXPECT_EQ(verdict("PY-COMPILE", outcome(R"("ok":false,"output":"no g++")")),
            "fail: 'torch.compile' does not work");
  EXPECT_EQ(verdict("PY-COMPILE", outcome(R"("ok":true,"max_error":0.1,"compiled":1)")),
            "fail: a compiled function gives other values than the plain one");
  EXPECT_EQ(verdict("PY-COMPILE", outcome(R"("ok":true,"max_error":0,"compiled":0)")),
            "fail: 'torch.compile' ran the function without compiling it");
}

/// Every value of every event of every run becomes a lie, one at a time.
TEST(Hostile, NoLieEndsTheProgram) {
  const std::vector<Json> lies{Json(),
                               Json(true),
                               Json("x"),
                               Json(-1),
                               Json(1e308),
                               Json(-1e308),
                               Json(18446744073709551615u),
                               Json(std::int64_t{1} << 62),
                               Json::array({1}),
                               Json::object({{"event", "end"}})};
  const Expectations expectations = good_expectations();
  std::size_t tried = 0;
  const std::vector<ProbeRun> good = good_runs();
  for (std::size_t run = 0; run < good.size(); ++run) {
    for (std::size_t event = 0; event < good[run].events.size(); ++event) {
      for (const auto& [key, unused] : good[run].events[event].items()) {
        for (const Json& lie : lies) {
          std::vector<ProbeRun> runs = good;
          runs[run].events[event][key] = lie;
          const auto results = judge_container(expectations, two_samples(), runs);
          EXPECT_EQ(results.size(), 14u);
          ++tried;
        }
      }
    }
  }
  EXPECT_GT(tried, 1000u);
}

/// A value that is missing never helps.
TEST(Hostile, AMissingMemberOfWhatDecidesIsNoPass) {
  const auto without = [](const std::string& label, const std::string& event, const char* key) {
    std::vector<ProbeRun> runs = good_runs();
    for (ProbeRun& run : runs) {
      if (run.label != label) continue;
      for (Json& one : run.events) {
        if (one["event"] == event) one.erase(key);
      }
    }
    return runs;
  };
  const auto status = [](const std::string& id, const std::vector<ProbeRun>& runs) {
    return std::string(to_string(judge(id, good_expectations(), runs).status));
  };
  EXPECT_EQ(status("LOAD-TORCH", without("load:cpp", "open", "ok")), "fail");
  EXPECT_EQ(status("LOAD-TORCH", without("load:cpp", "call", "rc")), "fail");
  EXPECT_EQ(status("LOAD-TORCH", without("load:cpp", "child", "end")), "fail");
  EXPECT_EQ(status("LOAD-PROV", without("load:cpp", "mapped", "path")), "blocked");
  EXPECT_EQ(status("VER-CUDNN", without("versions", "call", "rc")), "fail");
  EXPECT_EQ(status("VER-NCCL", without("versions", "call", "value")), "fail");
  EXPECT_EQ(status("DRV-STATE", without("versions", "library", "library")), "blocked");
  EXPECT_EQ(status("SDPA-CPU", without("sdpa", "case", "max_error")), "fail");
  EXPECT_EQ(status("SDPA-CPU", without("sdpa", "case", "rc")), "fail");
  EXPECT_EQ(status("DIST-CPU", without("allreduce:tcp", "result", "wrong")), "fail");
  EXPECT_EQ(status("DIST-CPU", without("allreduce:tcp", "result", "ranks")), "fail");
  EXPECT_EQ(status("COLD-CPU", without("coldstart:1", "sample", "seconds")), "fail");
  EXPECT_EQ(status("PY-IMPORT", without("python:import", "import", "ok")), "fail");
  EXPECT_EQ(status("PY-PIPCHECK", without("python:pip-check", "outcome", "ok")), "fail");
  EXPECT_EQ(status("PY-NOUSER", without("python:nouser", "circumstances", "passwd_entry")),
            "skipped");
  EXPECT_EQ(status("PY-COMPILE", without("python:compile", "outcome", "max_error")), "fail");
}

}  // namespace
}  // namespace img
