# SPDX-License-Identifier: Apache-2.0
# Runs inside the images of the tests, so it needs nothing from them, and no sanitizer.
add_executable(runner_hostile_probe runner/hostile_probe.cc)
target_compile_options(runner_hostile_probe PRIVATE -Wall -Wextra)
target_link_options(runner_hostile_probe PRIVATE -static)

img_unit_test(runner
  SOURCES safe_folder_test.cc read_ahead_test.cc unpack_layer_test.cc unpack_hostile_test.cc unpacked_store_test.cc
    layer_stack_test.cc skeleton_test.cc runtime_config_test.cc prepared_image_test.cc container_test.cc
    rootless_test.cc
  LIBRARIES img_runner)
target_compile_definitions(runner_test PRIVATE IMG_HOSTILE_PROBE="$<TARGET_FILE:runner_hostile_probe>")
add_dependencies(runner_test runner_hostile_probe)
