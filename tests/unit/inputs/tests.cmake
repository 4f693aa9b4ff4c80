# SPDX-License-Identifier: Apache-2.0
img_unit_test(inputs
  SOURCES
  zip_reader_test.cc
  wheel_name_test.cc
  wheel_record_test.cc
  wheel_test.cc
  wheel_install_test.cc
  archive_test.cc
  debian_test.cc
  damage_test.cc
  LIBRARIES img_inputs)
