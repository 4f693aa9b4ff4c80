# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
printf "schema: imgpolicy/v1\nrequire_tiers: [static]\nallow_skipped: [\"*\"]\nwaivers:\n  - {check: IMG-CONFIG, reason: a test, expiry: 2999-12-31}\n" >policy.yaml
code=0
imgcheck gate image -q --manifest image.yaml --policy policy.yaml --format json >report.json || code=$?
/usr/bin/python3 -c "
import json
print(json.load(open(\"report.json\"))[\"verdict\"])"
exit $code
