# SPDX-License-Identifier: Apache-2.0
img_unit_test(resolve
  SOURCES
    apt_test.cc
    assign_test.cc
    packages_test.cc
    promises_test.cc
    pylock_test.cc
    release_test.cc
    requirements_test.cc
    uv_test.cc
  LIBRARIES img_resolve)
