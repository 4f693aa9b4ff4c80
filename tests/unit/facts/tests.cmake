# SPDX-License-Identifier: Apache-2.0
img_unit_test(facts
  SOURCES
    compare_test.cc
    gpu_payload_filter_test.cc
    metadata_test.cc
    torch_index_test.cc
    wheel_members_test.cc
  LIBRARIES img_facts)
