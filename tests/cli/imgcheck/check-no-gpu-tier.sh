# SPDX-License-Identifier: Apache-2.0
# A tier that nothing of can run is never a pass.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
imgcheck check image -q --tier gpu --format json -o report.json >/dev/null
