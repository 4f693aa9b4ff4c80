# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" wheels
imgbuild lock image.yaml --offline -q
