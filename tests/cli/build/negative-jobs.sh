# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o image -j -1
