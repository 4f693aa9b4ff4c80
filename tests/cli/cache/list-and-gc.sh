# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" wheels
imgbuild fetch image.yaml --offline --source folder=vault -q >/dev/null
imgbuild cache list | tail -n 1
imgbuild cache verify -q
imgbuild cache gc --max-size 0MB --dry-run
imgbuild cache list | tail -n 1
imgbuild cache gc --max-size 0MB
imgbuild cache list
