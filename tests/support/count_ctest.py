#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns ctest's JUnit file into results of ci/test:  count_ctest.py PRESET JUNIT LOG"""

import pathlib
import sys
import xml.etree.ElementTree as xml

from harness import Results


def main():
    preset, junit, log = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    results = Results(preset)
    if not junit.exists():
        results.record("fail", "ctest", "ctest wrote no results:\n" + "\n".join(log.read_text().splitlines()[-40:]))
        return results.finish()
    passed = 0
    for case in xml.parse(junit).getroot().iter("testcase"):
        output = (case.findtext("system-out") or "").strip()
        if case.find("failure") is not None or case.get("status") == "fail":
            results.record("fail", case.get("name"), "\n".join(output.splitlines()[-40:]))
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            results.record("skip", case.get("name"), (output.splitlines() or ["no reason given"])[-1])
        else:
            passed += 1
            results.count("pass", case.get("name"))
    print(f"  {passed} tests of the {preset} build pass")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
