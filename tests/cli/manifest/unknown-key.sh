# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
sed -i 's/^kind: files/kind: files\nfils: []/' layers/app.yaml
imgbuild lock image.yaml
