# SPDX-License-Identifier: Apache-2.0
img_unit_test(lock
  SOURCES lock_file_test.cc staleness_test.cc damage_test.cc
  LIBRARIES img_lock)
