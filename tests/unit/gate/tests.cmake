# SPDX-License-Identifier: Apache-2.0
img_unit_test(gate
  SOURCES decide_test.cc policy_test.cc
  LIBRARIES img_gate)
