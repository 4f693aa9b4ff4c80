# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" wheels
imgbuild fetch image.yaml -q --offline --source folder=vault
imgbuild fetch image.yaml -q --offline
