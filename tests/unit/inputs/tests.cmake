# SPDX-License-Identifier: Apache-2.0
img_unit_test(inputs
  SOURCES
  LIBRARIES img_inputs)
