# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline --progress json >out.txt 2>err.txt
/usr/bin/python3 -c '
import json
lines = open("err.txt").read().splitlines()
assert lines
for line in lines: json.loads(line)'
