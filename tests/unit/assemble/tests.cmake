# SPDX-License-Identifier: Apache-2.0
img_unit_test(assemble
  SOURCES debian_root_test.cc bytecode_test.cc plan_test.cc image_document_test.cc files_tree_test.cc
  LIBRARIES img_assemble)
