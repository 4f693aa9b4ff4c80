# SPDX-License-Identifier: Apache-2.0
# A tier of which nothing can run here: each of its checks is there, blocked, with the same reason; never a pass.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
code=0
imgcheck check image -q --require-tier gpu --require-tier multi-gpu --format json -o report.json >/dev/null || code=$?
/usr/bin/python3 -c "
import json
checks = json.load(open(\"report.json\"))[\"checks\"]
assert len(checks) == 11, len(checks)
assert {c[\"status\"] for c in checks} == {\"blocked\"}, checks
assert len({c[\"reason\"] for c in checks}) == 1 and checks[0][\"reason\"], checks"
exit "$code"
