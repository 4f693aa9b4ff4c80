# SPDX-License-Identifier: Apache-2.0
# A name that would move the cursor is shown harmless.
"$CASES/make_world.py" files
printf 'config: {"\\e[31mred": 1}\n' >>image.yaml
imgbuild lock image.yaml
