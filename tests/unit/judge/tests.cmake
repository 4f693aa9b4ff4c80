# SPDX-License-Identifier: Apache-2.0
img_unit_test(judge
  SOURCES catalogue_test.cc observation_test.cc expectations_test.cc container_tier_test.cc gpu_tier_test.cc
  LIBRARIES img_judge)
