# SPDX-License-Identifier: Apache-2.0
img_unit_test(base
  SOURCES
  LIBRARIES img_base)
