# SPDX-License-Identifier: Apache-2.0
img_unit_test(fetch
  SOURCES
  LIBRARIES img_fetch)
