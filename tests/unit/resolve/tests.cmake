# SPDX-License-Identifier: Apache-2.0
img_unit_test(resolve
  SOURCES
  LIBRARIES img_resolve)
