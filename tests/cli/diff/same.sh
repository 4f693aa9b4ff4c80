# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o one --offline -q >/dev/null
imgbuild build image.yaml -o two --offline -q --no-layer-cache >/dev/null
imgbuild diff one two
