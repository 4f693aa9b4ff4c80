# SPDX-License-Identifier: Apache-2.0
img_unit_test(manifest
  SOURCES
  LIBRARIES img_manifest)
