# SPDX-License-Identifier: Apache-2.0
img_unit_test(assemble
  SOURCES
  LIBRARIES img_assemble)
