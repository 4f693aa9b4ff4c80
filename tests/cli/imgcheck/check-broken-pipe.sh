# SPDX-License-Identifier: Apache-2.0
# Nobody reads: said, not ignored.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
{ code=0; imgcheck check image -q --tier static --check IMG-DIGEST 2>errors || code=$?; echo "$code" >code; } | true
cat code errors
