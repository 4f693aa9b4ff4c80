# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
imgbuild lock image.yaml -q >/dev/null
echo "selftest: true" >>image.yaml
imgbuild build image.yaml -o image --offline -q
