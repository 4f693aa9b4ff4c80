// SPDX-License-Identifier: Apache-2.0
// Writes sample reports in every form into a folder, with the schema, for formats_test.py.
#include "builder/base/file.h"
#include "tests/unit/report/sample_report.h"

#include <map>

int main(int, char** argv) {
  const std::map<std::string, img::Report> reports{{"sample", img::sample_report()},
                                                   {"hostile", img::hostile_report()},
                                                   {"empty", img::Report{}},
                                                   {"big", img::big_report(300, 100)}};
  const img::fs::path folder(argv[1]);
  img::write_file(folder / "schema.json", img::report_json_schema());
  for (const auto& [name, report] : reports) {
    for (const std::string& format : img::report_format_names()) {
      img::write_file(folder / (name + "." + format),
                      img::render(report, *img::parse_report_format(format)));
    }
  }
}
