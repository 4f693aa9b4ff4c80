# SPDX-License-Identifier: Apache-2.0
img_unit_test(layout
  SOURCES
  LIBRARIES img_layout)
