// SPDX-License-Identifier: Apache-2.0
// LIB-ONECOPY and CUDNN-SET.
#include "tests/unit/checks/fake_image.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::evidence;
using testing::FakeImage;
using testing::good_image;
using ::testing::HasSubstr;
using testing::kSite;
using testing::kSystem;

const std::string kCudnn = kSite + "/nvidia/cudnn/lib/";

TEST(OneCopy, ACopyOnADefaultPathIsARival) {
  FakeImage image = good_image();
  image.elf(kSystem + "/libcudnn.so.9", "libcudnn.so.9");
  EXPECT_THAT(
      complaints(image.run("LIB-ONECOPY")),
      ElementsAre("fail: a second 'libcudnn.so.9' is reachable: '" + kSystem +
                  "/libcudnn.so.9' (default path) | " + kCudnn + "libcudnn.so.9 | " + kSystem +
                  "/libcudnn.so.9 | RPATH of '" + testing::kTorchLib + "/libtorch_cuda.so'"));
}

TEST(OneCopy, ACopyInLdLibraryPathIsARival) {
  FakeImage image = good_image();
  image.elf("/opt/other/libnccl.so.2", "libnccl.so.2");
  EXPECT_EQ(image.run("LIB-ONECOPY").status, Status::pass);
  image.env("LD_LIBRARY_PATH", "/opt/other");
  EXPECT_EQ(image.run("LIB-ONECOPY").reason,
            "a second 'libnccl.so.2' is reachable: '/opt/other/libnccl.so.2' (LD_LIBRARY_PATH)");
}

TEST(OneCopy, ACopyOnNoSearchPathIsTold) {
  FakeImage image = good_image();
  const std::string copy = kSite + "/triton/backends/nvidia/lib/libnccl.so.2";
  image.elf(copy, "libnccl.so.2");
  const CheckResult result = image.run("LIB-ONECOPY");
  EXPECT_EQ(result.status, Status::pass);
  EXPECT_THAT(evidence(result),
              Contains(HasSubstr("libnccl.so.2' alone (RPATH of '" + testing::kTorchLib +
                                 "/libtorch_cuda.so'); on no search path: '" + copy + "'")));
}

TEST(OneCopy, TwoMajorsInOneProcessFail) {
  FakeImage image = good_image();
  image.elf(kSite + "/nvidia/cuda_runtime/lib/libcudart.so.11.0", "libcudart.so.11.0");
  image.facts.elf[testing::kTorchLib + "/libtorch_cpu.so"].needed.push_back("libcudart.so.11.0");
  EXPECT_EQ(image.run("LIB-ONECOPY").reason, "torch's process maps two majors of 'libcudart'");
}

TEST(CudnnSet, NamesEveryPartAndItsRelease) {
  const std::vector<std::string> lines = evidence(good_image().run("CUDNN-SET"));
  EXPECT_EQ(lines.size(), 8u);
  EXPECT_THAT(lines,
              Contains("'libcudnn_ops.so.9' is '" + kCudnn + "libcudnn_ops.so.9' (RUNPATH of '" +
                       testing::kTorchLib + "/../../nvidia/cudnn/lib/libcudnn.so.9')"));
  EXPECT_THAT(lines, Contains("the set is that of nvidia-cudnn-cu12 9.10.2.21"));
}

TEST(CudnnSet, AMissingPartFails) {
  FakeImage image = good_image();
  image.remove(kCudnn + "libcudnn_engines_precompiled.so.9");
  EXPECT_THAT(complaints(image.run("CUDNN-SET")),
              ElementsAre("fail: 'libcudnn_engines_precompiled', which cuDNN opens, is not there | "
                          "in " +
                          kCudnn.substr(0, kCudnn.size() - 1) + " | found nowhere | cuDNN"));
}

TEST(CudnnSet, AMissingPartThatTheSystemHasIsTakenFromThere) {
  FakeImage image = good_image();
  image.remove(kCudnn + "libcudnn_adv.so.9");
  image.elf(kSystem + "/libcudnn_adv.so.9", "libcudnn_adv.so.9");
  EXPECT_EQ(image.run("CUDNN-SET").reason,
            "cuDNN would take 'libcudnn_adv.so.9' from another folder (default path)");
}

TEST(CudnnSet, TheSystemsFullNameBeatsTheWheelsShortOne) {
  FakeImage image = good_image();
  image.elf(kSystem + "/libcudnn_ops.so.9.10.2", "libcudnn_ops.so.9");
  EXPECT_EQ(image.run("CUDNN-SET").reason,
            "cuDNN would take 'libcudnn_ops.so.9.10.2' from another folder (default path)");
}

TEST(CudnnSet, LdLibraryPathBeatsRunpath) {
  FakeImage image = good_image();
  image.elf("/opt/old/libcudnn_graph.so.9", "libcudnn_graph.so.9");
  image.env("LD_LIBRARY_PATH", "/opt/old");
  EXPECT_EQ(image.run("CUDNN-SET").reason,
            "cuDNN would take 'libcudnn_graph.so.9' from another folder (LD_LIBRARY_PATH)");
}

TEST(CudnnSet, TwoDistributionsOfOneFolderFail) {
  FakeImage image = good_image();
  image.package("nvidia-cudnn-cu13", "9.13.0.50");
  EXPECT_EQ(image.run("CUDNN-SET").reason,
            "several distributions own cuDNN's folder, and the last one installed has won");
}

TEST(CudnnSet, PartsThatTheFilesNameCountToo) {
  FakeImage image = good_image();
  image.facts.elf[kCudnn + "libcudnn_graph.so.9"].library_names = {"libcudnn_engines_new.so.9"};
  EXPECT_EQ(image.run("CUDNN-SET").reason,
            "'libcudnn_engines_new', which cuDNN opens, is not there");
}

TEST(CudnnSet, FilesOfTwoReleasesFail) {
  FakeImage image = good_image();
  const std::string lib = "/usr/lib/x86_64-linux-gnu/";
  image = FakeImage();
  testing::add_debian(image);
  image.with_manifest = false;
  image.env("PATH", "/usr/bin");
  for (const char* part : {"", "_graph", "_ops", "_cnn", "_adv", "_heuristic",
                           "_engines_precompiled", "_engines_runtime_compiled"}) {
    const std::string name = std::string("libcudnn") + part + ".so.9";
    const std::string version = std::string(part) == "_cnn" ? ".9.1" : ".10.2";
    image.elf(lib + name + version, name);
    image.link(lib + name, name + version);
  }
  EXPECT_THAT(complaints(image.run("CUDNN-SET")),
              ElementsAre("fail: '" + lib +
                          "libcudnn_cnn.so.9.9.1' is of another version | 9.10.2 "
                          "| 9.9.1 | '" +
                          lib + "libcudnn.so.9.10.2'"));
}

}  // namespace
}  // namespace img
