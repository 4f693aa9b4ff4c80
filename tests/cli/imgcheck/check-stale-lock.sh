# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" image
sed -i "s/hello/hullo/" layers/app.yaml
imgcheck check nowhere -q --manifest image.yaml
