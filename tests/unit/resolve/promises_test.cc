// SPDX-License-Identifier: Apache-2.0
// Promised versions against what the artifacts say of themselves.
#include "builder/resolve/promises.h"

#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* kVersionPy =
    "from typing import Optional\n\n__all__ = ['__version__', 'debug', 'cuda']\n"
    "__version__ = '2.8.0+cu128'\ndebug = False\ncuda: Optional[str] = '12.8'\n"
    "git_version = 'a1cb3cc0'\nhip: Optional[str] = None\n";

/// An image of torch 2.8.0 and its libraries on Debian's Python.
class Promises : public testing::Test {
 protected:
  Promises() {
    DebianSpec debian;
    debian.python = PythonSpec{"/usr/bin/python3.11", "3.11"};
    manifest_.recipes.push_back({.name = "base", .spec = debian});
    LockedDeb deb{.sha256 = Digest::of("")};
    deb.package = "python3.11-minimal";
    deb.version = "3.11.2-6+deb12u6";
    lock_.debs.push_back(deb);
    add("nvidia-cuda-runtime-cu12", "12.8.90");
    add("nvidia-cudnn-cu12", "9.10.2.21");
    add("nvidia-nccl-cu12", "2.27.3");
    add("numpy", "2.4.6");
    add("torch", "2.8.0");
  }

  void add(const std::string& name, const std::string& version) {
    LockedWheel wheel{.sha256 = Digest::of("")};
    wheel.name = name;
    wheel.version = version;
    wheel.file = name + "-" + version + "-py3-none-any.whl";
    wheel.index = "pypi";
    lock_.wheels.push_back(wheel);
  }

  void remove(const std::string& name) {
    std::erase_if(lock_.wheels, [&](const LockedWheel& wheel) { return wheel.name == name; });
  }

  std::map<std::string, std::string> prove(std::map<std::string, std::string> versions) {
    manifest_.versions = std::move(versions);
    int line = 3;
    for (const auto& [name, version] : manifest_.versions) {
      manifest_.version_positions[name] = {.file = "m.yaml", .line = line++, .column = 17};
    }
    PromiseEvidence evidence;
    evidence.lock = &lock_;
    evidence.read = [this](const LockedWheel&, const std::string& member) {
      return member == "torch/version.py" ? version_py_ : std::nullopt;
    };
    evidence.cuda_variants = [this](const std::string& torch) {
      return torch == "2.8.0" ? variants_ : std::vector<std::string>{};
    };
    return prove_promises(manifest_, evidence);
  }

  std::string refusal(std::map<std::string, std::string> versions) {
    return error_of<ManifestError>([&] { prove(std::move(versions)); });
  }

  BuildManifest manifest_;
  LockFile lock_;
  std::optional<std::string> version_py_ = kVersionPy;
  std::vector<std::string> variants_ = {"12.6", "12.8", "12.9"};
};

TEST_F(Promises, AreProvenOnTheArtifacts) {
  EXPECT_THAT(prove({{"python", "3.11"},
                     {"torch", "2.8.0"},
                     {"cuda", "12.8"},
                     {"cudnn", "9.10"},
                     {"nccl", "2.27"},
                     {"numpy", "2.4"}}),
              UnorderedElementsAre(Pair("python", "3.11.2"), Pair("torch", "2.8.0+cu128"),
                                   Pair("cuda", "12.8"), Pair("cudnn", "9.10.2.21"),
                                   Pair("nccl", "2.27.3"), Pair("numpy", "2.4.6")));
}

TEST_F(Promises, ACudaThatTheTorchWheelIsNotBuiltForNamesTheRealOneAndThoseThatExist) {
  EXPECT_EQ(
      refusal({{"cuda", "12.1"}}),
      "error: m.yaml:3:17: torch 2.8.0 of the PyPI index is built for CUDA 12.8, not 12.1\n"
      "  expected: 12.1   (versions.cuda)\n"
      "  got:      12.8   (torch/version.py in wheel 'torch-2.8.0-py3-none-any.whl')\n"
      "hint: torch 2.8.0 exists for CUDA 12.6, 12.8, 12.9; the recipe's `index:` chooses which");
}

TEST_F(Promises, WorkWithoutACompatibilityTable) {
  variants_.clear();
  EXPECT_TRUE(
      refusal({{"cuda", "12.1"}})
          .ends_with("hint: promise the CUDA version that the wheel has, or choose another torch"));
}

TEST_F(Promises, ATorchWithoutCudaIsNotForAnyCuda) {
  version_py_ = "__version__ = '2.8.0+cpu'\ncuda: Optional[str] = None\n";
  EXPECT_TRUE(
      refusal({{"cuda", "12.8"}})
          .starts_with("error: m.yaml:3:17: torch 2.8.0 of the PyPI index is built without CUDA, "
                       "not for CUDA 12.8\n"));
}

TEST_F(Promises, AWheelOfAnotherVersionIsNamed) {
  EXPECT_EQ(refusal({{"cudnn", "9.1"}}),
            "error: m.yaml:3:17: the image has cudnn 9.10.2.21, not 9.1\n"
            "  expected: 9.1   (versions.cudnn)\n"
            "  got:      9.10.2.21   (wheel 'nvidia-cudnn-cu12-9.10.2.21-py3-none-any.whl')\n"
            "hint: promise the version that is there, or require another one");
}

TEST_F(Promises, TorchIsComparedWithItsFileNameAndWithWhatIsInside) {
  EXPECT_NE(refusal({{"torch", "2.7.0"}}).find("the image has torch 2.8.0, not 2.7.0"),
            std::string::npos);
  version_py_ = "__version__ = '2.7.1+cu128'\ncuda = '12.8'\n";
  EXPECT_NE(refusal({{"torch", "2.8.0"}}).find("the image has torch 2.7.1+cu128, not 2.8.0"),
            std::string::npos);
  version_py_ = std::nullopt;
  EXPECT_EQ(refusal({{"torch", "2.8.0"}}),
            "error: m.yaml:3:17: wheel 'torch-2.8.0-py3-none-any.whl' does not say in "
            "torch/version.py what it is");
}

TEST_F(Promises, WithoutTorchTheCudaRuntimeSpeaks) {
  remove("torch");
  EXPECT_THAT(prove({{"cuda", "12.8"}}), UnorderedElementsAre(Pair("cuda", "12.8.90")));
  remove("nvidia-cuda-runtime-cu12");
  add("nvidia-cuda-runtime", "13.2.75");
  EXPECT_THAT(prove({{"cuda", "13.2"}}), UnorderedElementsAre(Pair("cuda", "13.2.75")));
  remove("nvidia-cuda-runtime");
  EXPECT_EQ(refusal({{"cuda", "12.8"}}),
            "error: m.yaml:3:17: cuda 12.8 is promised, but the image has no torch and no wheel "
            "'nvidia-cuda-runtime'\nhint: require it in a recipe, or remove the promise");
}

TEST_F(Promises, PythonIsTheOneOfTheDebs) {
  EXPECT_NE(
      refusal({{"python", "3.12"}})
          .find("the image has python 3.11.2, not 3.12\n  expected: 3.12   (versions.python)\n"
                "  got:      3.11.2   (package 'python3.11-minimal' 3.11.2-6+deb12u6)"),
      std::string::npos);
  manifest_.recipes.clear();
  EXPECT_NE(refusal({{"python", "3.11"}}).find("no recipe brings a Python"), std::string::npos);
}

TEST_F(Promises, AnUnknownNameIsAnErrorWithAGuess) {
  EXPECT_EQ(refusal({{"numpi", "2"}}),
            "error: m.yaml:3:17: 'numpi' is promised, but no wheel of the image has that name\n"
            "hint: did you mean 'numpy'?");
}

TEST(KeepsPromise, ComparesWholeParts) {
  EXPECT_TRUE(keeps_promise("9.10", "9.10.2.21"));
  EXPECT_TRUE(keeps_promise("2.8.0", "2.8.0+cu128"));
  EXPECT_TRUE(keeps_promise("2.8.0", "2.8.0"));
  EXPECT_FALSE(keeps_promise("9.1", "9.10.2"));
  EXPECT_FALSE(keeps_promise("9.10.2", "9.10"));
  EXPECT_FALSE(keeps_promise("2.8", "12.8"));
}

TEST(TorchVersionText, NeedsBothAssignments) {
  const auto real = parse_torch_version(kVersionPy);
  ASSERT_TRUE(real);
  EXPECT_EQ(real->version, "2.8.0+cu128");
  EXPECT_EQ(real->cuda, "12.8");
  EXPECT_FALSE(parse_torch_version("__version__ = '2.8.0'\n"));
  EXPECT_FALSE(parse_torch_version("cuda = '12.8'\n"));
  EXPECT_FALSE(parse_torch_version("__version__ = version()\ncuda = '12.8'\n"));
}

}  // namespace
}  // namespace img
