# SPDX-License-Identifier: Apache-2.0
img_unit_test(base
  SOURCES
    error_test.cc
    text_test.cc
    stream_test.cc
    file_test.cc
    hash_test.cc
    http_test.cc
    json_test.cc
    process_test.cc
    progress_test.cc
    thread_pool_test.cc
    yaml_test.cc
    damage_test.cc
  LIBRARIES img_base)
