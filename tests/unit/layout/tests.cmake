# SPDX-License-Identifier: Apache-2.0
img_unit_test(layout
  SOURCES image_diff_test.cc read_layout_test.cc write_layout_test.cc
  LIBRARIES img_layout)
