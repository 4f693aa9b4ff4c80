# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
sed -i 's/tag: "1"/tag: 1.10/' image.yaml
imgbuild lock image.yaml
