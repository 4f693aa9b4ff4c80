# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >out.txt
echo 'config: {workdir: /srv}' >>image.yaml
imgbuild build image.yaml -o image --offline -q
