# SPDX-License-Identifier: Apache-2.0
img_unit_test(layer
  SOURCES
  LIBRARIES img_layer)
