# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
echo "config: {user: rot}" >>image.yaml
imgbuild lock image.yaml -q >/dev/null
imgbuild build image.yaml -o image --offline -q
