# SPDX-License-Identifier: Apache-2.0
img_unit_test(lock
  SOURCES
  LIBRARIES img_lock)
