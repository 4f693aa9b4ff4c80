# SPDX-License-Identifier: Apache-2.0
# Only what is asked for; the report goes to the file, its text to standard output.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
imgcheck check image -q --manifest image.yaml --tier static --check img-digest,IMG-LAYER -o report.json |
  sed "s/[0-9.]* s)/TIME)/"
/usr/bin/python3 -c "
import json
report = json.load(open(\"report.json\"))
print(report[\"manifest\"][\"name\"], report[\"tiers\"], [c[\"id\"] for c in report[\"checks\"]], report[\"image\"][\"reference\"])"
