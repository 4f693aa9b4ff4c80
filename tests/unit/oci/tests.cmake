# SPDX-License-Identifier: Apache-2.0
img_unit_test(oci
  SOURCES digest_test.cc media_type_test.cc image_test.cc
  LIBRARIES img_oci)
