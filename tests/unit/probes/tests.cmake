# SPDX-License-Identifier: Apache-2.0
img_unit_test(probes
  SOURCES events_test.cc child_test.cc attention_test.cc ring_test.cc
  LIBRARIES img_probes nlohmann_json::nlohmann_json)
