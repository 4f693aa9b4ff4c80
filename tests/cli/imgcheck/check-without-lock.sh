# SPDX-License-Identifier: Apache-2.0
# As imgbuild does it: what is held against an image is locked.
"$CASES/make_world.py" files
imgcheck check nowhere -q --manifest image.yaml
