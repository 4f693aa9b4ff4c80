# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
imgbuild show image | sed -E 's/  [0-9a-f]{12}  /  HEX  /'
imgbuild show image --json >image.json
/usr/bin/python3 -c 'import json; print(*sorted(json.load(open("image.json"))))'
