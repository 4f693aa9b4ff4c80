# SPDX-License-Identifier: Apache-2.0
img_unit_test(resolve
  SOURCES
    apt_test.cc
    assign_test.cc
    base_image_test.cc
    packages_test.cc
    promises_test.cc
    pylock_test.cc
    release_test.cc
    requirements_test.cc
    uv_test.cc
  LIBRARIES img_resolve)
# A definition, since __FILE__ is relative under some compiler caches.
target_compile_definitions(resolve_test PRIVATE
  IMG_TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}/resolve/data")
