# SPDX-License-Identifier: Apache-2.0
# One byte of one file: named down to the field, exit 1.
"$CASES/make_world.py" image
imgbuild build image.yaml -o one --offline -q >/dev/null
sed -i 's/hello/hullo/' layers/app.yaml
imgbuild lock image.yaml -q >/dev/null
imgbuild build image.yaml -o two --offline -q >/dev/null
imgbuild diff -q one two
