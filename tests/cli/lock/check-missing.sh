# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" wheels
rm image.lock.json
imgbuild lock --check image.yaml
