# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q --json | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)
index = json.load(open("image/index.json"))
assert d["digest"] == index["manifests"][0]["digest"]
assert d["schemaVersion"] == 1 and d["seconds"] >= 0
print(*sorted(d)); print(*sorted(d["layers"][0]))'
