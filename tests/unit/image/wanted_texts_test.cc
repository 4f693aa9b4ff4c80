// SPDX-License-Identifier: Apache-2.0
// Which files are kept as text.
#include "validators/image/wanted_texts.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(WantedTexts, AreWhatChecksRead) {
  const std::string site = "/opt/venv/lib/python3.11/site-packages/";
  for (const std::string& path : std::vector<std::string>{
           "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d/cuda.conf", "/etc/passwd",
           "/var/lib/dpkg/status", site + "torch-2.8.0.dist-info/METADATA",
           site + "torch-2.8.0.dist-info/WHEEL", site + "torch/version.py", site + "x.pth",
           "/usr/local/cuda-12.8/version.json", "/opt/venv/pyvenv.cfg",
           "/usr/include/cudnn_version.h"}) {
    EXPECT_TRUE(is_text_wanted(path)) << path;
  }
}

TEST(WantedTexts, AreNothingElse) {
  const std::string site = "/opt/venv/lib/python3.11/site-packages/";
  for (const std::string& path :
       std::vector<std::string>{"/etc/ld.so.conf.bak", "/home/etc/passwd", site + "torch/METADATA",
                                site + "numpy/version.py", site + "torch-2.8.0.dist-info/RECORD",
                                "/data/model.pth", "/app/version.json", "/METADATA", ""}) {
    EXPECT_FALSE(is_text_wanted(path)) << path;
  }
}

}  // namespace
}  // namespace img
