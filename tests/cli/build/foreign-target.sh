# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
mkdir mine && echo precious >mine/file
imgbuild build image.yaml -o mine --offline -q || code=$?
cat mine/file
exit ${code:-0}
