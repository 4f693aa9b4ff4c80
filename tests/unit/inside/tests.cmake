# SPDX-License-Identifier: Apache-2.0
img_unit_test(inside
  SOURCES options_test.cc run_call_test.cc
  LIBRARIES img_inside)
