# SPDX-License-Identifier: Apache-2.0
img_unit_test(fetch
  SOURCES store_test.cc fetch_test.cc index_page_test.cc sources_test.cc
  LIBRARIES img_fetch)
