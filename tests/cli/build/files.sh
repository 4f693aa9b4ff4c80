# SPDX-License-Identifier: Apache-2.0
# The answer is the digest of the image; another build of the same gives the same.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >one.txt
imgbuild build image.yaml -o image --offline -q --no-layer-cache -j1 >two.txt
cmp one.txt two.txt
cat one.txt
