# SPDX-License-Identifier: Apache-2.0
# The container tier is required, and this bundle has no probes.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
printf "schema: imgpolicy/v1\nrequire_tiers: [static, container]\nallow_skipped: [\"*\"]\n" >policy.yaml
mkdir empty
code=0
imgcheck gate image -q --policy policy.yaml --bundle empty --format json >report.json || code=$?
/usr/bin/python3 -c "
import json
report = json.load(open(\"report.json\"))
check = next(c for c in report[\"checks\"] if c[\"id\"] == \"LOAD-TORCH\")
print(check[\"status\"], check[\"reason\"]); print(report[\"verdict\"][\"allowed\"])"
exit $code
