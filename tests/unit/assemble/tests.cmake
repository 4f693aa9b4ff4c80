# SPDX-License-Identifier: Apache-2.0
img_unit_test(assemble
  SOURCES
    base_image_test.cc
    bytecode_test.cc
    content_report_test.cc
    debian_root_test.cc
    files_tree_test.cc
    image_document_test.cc
    image_user_test.cc
    layer_tree_test.cc
    layout_of_test.cc
    ownership_test.cc
    plan_test.cc
  LIBRARIES img_assemble)
