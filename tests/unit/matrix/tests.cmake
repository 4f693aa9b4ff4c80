# SPDX-License-Identifier: Apache-2.0
img_unit_test(matrix
  SOURCES
    collect_test.cc
    rules_test.cc
    forms_test.cc
  LIBRARIES img_matrix)
