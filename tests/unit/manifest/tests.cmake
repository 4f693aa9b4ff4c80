# SPDX-License-Identifier: Apache-2.0
img_unit_test(manifest
  SOURCES
    checksum_test.cc
    compatibility_test.cc
    family_test.cc
    load_test.cc
    recipe_test.cc
    requirement_test.cc
    rules_test.cc
    shipped_test.cc
  LIBRARIES img_manifest)
target_compile_definitions(manifest_test PRIVATE IMG_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

add_executable(manifest_dump_yaml manifest/dump_yaml.cc)
target_link_libraries(manifest_dump_yaml PRIVATE img_manifest)
add_test(NAME unit.manifest.schema
  COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/unit/manifest/schema_test.py
    $<TARGET_FILE:manifest_dump_yaml> ${CMAKE_SOURCE_DIR})
set_tests_properties(unit.manifest.schema PROPERTIES TIMEOUT 120 LABELS unit)
