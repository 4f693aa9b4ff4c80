# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
imgbuild show image.yaml
