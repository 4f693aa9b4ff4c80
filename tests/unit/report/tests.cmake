# SPDX-License-Identifier: Apache-2.0
img_unit_test(report
  SOURCES json_test.cc render_test.cc
  LIBRARIES img_report)

add_executable(report_dump report/dump_reports.cc)
target_link_libraries(report_dump PRIVATE img_report)
add_test(NAME unit.report.formats
  COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/unit/report/formats_test.py $<TARGET_FILE:report_dump>)
set_tests_properties(unit.report.formats PROPERTIES TIMEOUT 120 LABELS unit)
