# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
sed -i 's/bottom, app/app/' image.yaml
imgbuild lock image.yaml
