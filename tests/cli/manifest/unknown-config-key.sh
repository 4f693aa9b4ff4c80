# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
echo "config: {usr: nobody}" >>image.yaml
imgbuild lock image.yaml
