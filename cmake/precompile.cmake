# SPDX-License-Identifier: Apache-2.0
# Precompiled headers for builds that only judge (sanitizers): parsing them is most of what such a build does. The other
# builds go without, so a source that does not include what it uses is noticed.

function(collect_targets folder result)
  get_property(here DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(sub IN LISTS below)
    collect_targets(${sub} more)
    list(APPEND here ${more})
  endforeach()
  set(${result} ${here} PARENT_SCOPE)
endfunction()

# Every library and program below the folders.
function(precompile_headers_of)
  if(NOT IMG_PRECOMPILE)
    return()
  endif()
  add_library(common_headers OBJECT tests/support/empty.cc)
  target_link_libraries(common_headers PRIVATE img_options nlohmann_json::nlohmann_json)
  target_precompile_headers(common_headers PRIVATE <nlohmann/json.hpp> <algorithm> <filesystem> <functional> <map> <memory>
    <optional> <set> <string> <variant> <vector>)
  foreach(folder IN LISTS ARGN)
    collect_targets(${CMAKE_SOURCE_DIR}/${folder} targets)
    foreach(target IN LISTS targets)
      get_target_property(type ${target} TYPE)
      get_target_property(sources ${target} SOURCES)
      if(type MATCHES "STATIC_LIBRARY|EXECUTABLE" AND sources MATCHES "\\.cc" AND NOT target STREQUAL "imgcheck_enter")
        target_precompile_headers(${target} REUSE_FROM common_headers)
      endif()
    endforeach()
  endforeach()
endfunction()
