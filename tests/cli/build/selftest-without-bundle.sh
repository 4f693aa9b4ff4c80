# SPDX-License-Identifier: Apache-2.0
"$CASES/make_world.py" files
echo "selftest: true" >>image.yaml
mkdir bundle
IMGCHECK_BUNDLE="$PWD/bundle" imgbuild lock image.yaml -q
