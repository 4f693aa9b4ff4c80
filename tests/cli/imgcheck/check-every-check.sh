# SPDX-License-Identifier: Apache-2.0
# The report of a tier holds each of its checks once, in the order of the list.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
imgcheck check image -q --manifest image.yaml --format json >report.json || true
/usr/bin/python3 -c "
import json, subprocess
report = json.load(open(\"report.json\"))
listed = json.loads(subprocess.run([\"imgcheck\", \"list\", \"--json\"], stdout=subprocess.PIPE).stdout)[\"checks\"]
assert [c[\"id\"] for c in report[\"checks\"]] == [c[\"id\"] for c in listed if c[\"tier\"] in report[\"tiers\"]]
assert all(c[\"reason\"] for c in report[\"checks\"] if c[\"status\"] != \"pass\")
assert all(c[\"findings\"] for c in report[\"checks\"] if c[\"status\"] == \"pass\")"
