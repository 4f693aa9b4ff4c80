# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o one --offline -q >/dev/null
imgbuild build image.yaml -o two --offline -q --compression gzip >/dev/null
imgbuild diff -q one two
