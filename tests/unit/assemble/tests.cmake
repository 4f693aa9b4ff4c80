# SPDX-License-Identifier: Apache-2.0
img_unit_test(assemble
  SOURCES debian_root_test.cc bytecode_test.cc
  LIBRARIES img_assemble)
