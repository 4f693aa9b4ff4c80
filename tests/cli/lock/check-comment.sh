# SPDX-License-Identifier: Apache-2.0
# Comments and layout do not make a lock stale.
"$CASES/make_world.py" wheels
sed -i '1i # a comment' image.yaml
imgbuild lock --check image.yaml
