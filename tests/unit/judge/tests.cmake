# SPDX-License-Identifier: Apache-2.0
img_unit_test(judge
  SOURCES catalogue_test.cc
  LIBRARIES img_judge)
