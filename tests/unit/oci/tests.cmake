# SPDX-License-Identifier: Apache-2.0
img_unit_test(oci
  SOURCES
  LIBRARIES img_oci)
