# SPDX-License-Identifier: Apache-2.0
img_unit_test(layer
  SOURCES
    entry_path_test.cc
    content_test.cc
    tree_test.cc
    tar_writer_test.cc
    fixed_huffman_test.cc
    deflate_tail_test.cc
    gzip_splice_test.cc
    zstd_sink_test.cc
    async_sink_test.cc
    layer_format_test.cc
    layer_writer_test.cc
    decompress_test.cc
    tar_reader_test.cc
    tar_reader_hostile_test.cc
    outside_readers_test.cc
    golden_test.cc
    damage_test.cc
  LIBRARIES img_layer)
target_compile_definitions(layer_test PRIVATE IMG_GOLDEN_DIR="${CMAKE_SOURCE_DIR}/tests/golden")
