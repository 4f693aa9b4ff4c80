# SPDX-License-Identifier: Apache-2.0
img_unit_test(checks
  SOURCES tier_test.cc bytes_test.cc config_test.cc content_test.cc loading_test.cc cuda_test.cc driver_test.cc
    requirement_test.cc gpu_arch_test.cc pairing_test.cc python_test.cc
  LIBRARIES img_checks)
