# SPDX-License-Identifier: Apache-2.0
# The bundle is a locked input: it becomes the last layer, and another one is refused.
"$CASES/make_world.py" files
echo "selftest: true" >>image.yaml
mkdir bundle
printf 'one\n' >bundle/versions
chmod 755 bundle/versions
export IMGCHECK_BUNDLE="$PWD/bundle"
imgbuild lock image.yaml -q >/dev/null
printf 'sha256:%s\n' "$(cd bundle && LC_ALL=C sha256sum -- * | sha256sum | cut -d' ' -f1)" >wanted
grep -o '"bundle": "[^"]*"' image.lock.json | cut -d'"' -f4 | cmp - wanted
imgbuild build image.yaml -o image --offline -q >/dev/null
imgbuild show image.yaml --json | grep '"recipe": "imgcheck"'
printf 'two\n' >bundle/versions
imgbuild build image.yaml -o image2 --offline -q
