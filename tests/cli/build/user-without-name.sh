# SPDX-License-Identifier: Apache-2.0
# The image can be run, so it is built.
"$CASES/make_world.py" files
echo "config: {user: 4711}" >>image.yaml
imgbuild lock image.yaml -q >/dev/null
imgbuild build image.yaml -o image --offline --progress plain 2>&1 >/dev/null | grep 4711
test -f image/index.json
