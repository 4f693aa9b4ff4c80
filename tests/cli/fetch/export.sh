# SPDX-License-Identifier: Apache-2.0
# What is exported serves as a source, and sha256sum can check it.
"$CASES/make_world.py" wheels
imgbuild fetch image.yaml -q --offline --source folder=vault --export copy
cd copy && sha256sum --quiet -c SHA256SUMS && find . -type f | sort && cd ..
imgbuild --cache-dir other fetch image.yaml -q --offline --source folder=copy
