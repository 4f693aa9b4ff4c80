# SPDX-License-Identifier: Apache-2.0
# Nothing of this manifest has to be asked for.
"$CASES/make_world.py" files
imgbuild lock image.yaml --offline -q
