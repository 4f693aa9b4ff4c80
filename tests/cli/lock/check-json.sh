# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" wheels
echo 'config: {workdir: /srv}' >>image.yaml
imgbuild lock --check --json image.yaml
