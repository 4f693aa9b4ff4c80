# SPDX-License-Identifier: Apache-2.0
# Runs inside the images of the tests, so it needs nothing from them, and no sanitizer.
add_executable(runner_hostile_probe runner/hostile_probe.cc)
target_compile_options(runner_hostile_probe PRIVATE -Wall -Wextra)
target_link_options(runner_hostile_probe PRIVATE -static)

# A library as a driver has it, and a program that finds it only by the name that a loader looks for.
add_library(runner_fake_driver SHARED runner/fake_driver.cc)
set_target_properties(runner_fake_driver PROPERTIES NO_SONAME ON)
target_link_options(runner_fake_driver PRIVATE -nostdlib LINKER:-soname,libcuda.so.1)
add_executable(runner_driver_user runner/driver_user.cc)
target_compile_options(runner_driver_user PRIVATE -Wall -Wextra)
target_link_options(runner_driver_user PRIVATE -nodefaultlibs)
target_link_libraries(runner_driver_user PRIVATE c)

img_unit_test(runner
  SOURCES safe_folder_test.cc read_ahead_test.cc unpack_layer_test.cc unpack_hostile_test.cc unpacked_store_test.cc
    layer_stack_test.cc skeleton_test.cc runtime_config_test.cc prepared_image_test.cc container_test.cc
    rootless_test.cc cdi_spec_test.cc cdi_devices_test.cc cdi_container_test.cc
  LIBRARIES img_runner)
target_compile_definitions(runner_test PRIVATE IMG_HOSTILE_PROBE="$<TARGET_FILE:runner_hostile_probe>"
  IMG_FAKE_DRIVER="$<TARGET_FILE:runner_fake_driver>" IMG_DRIVER_USER="$<TARGET_FILE:runner_driver_user>")
add_dependencies(runner_test runner_hostile_probe runner_fake_driver runner_driver_user)
