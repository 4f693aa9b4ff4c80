# SPDX-License-Identifier: Apache-2.0
img_unit_test(sizing
  SOURCES quantity_test.cc memory_test.cc fit_test.cc cost_test.cc gpus_test.cc
  LIBRARIES img_sizing)
