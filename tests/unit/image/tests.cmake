# SPDX-License-Identifier: Apache-2.0
img_unit_test(image
  SOURCES
    resolve_test.cc
    merged_view_test.cc
    inspect_test.cc
    secrets_test.cc
    wanted_texts_test.cc
    ld_cache_test.cc
    loader_test.cc
    loader_against_ld_so_test.cc
    layers_against_tar_test.cc
  LIBRARIES img_image ${ZSTD_LIBRARY})
