# SPDX-License-Identifier: Apache-2.0
# Without a readable manifest there is no image to speak of.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
digest=$(/usr/bin/python3 -c "
import json; print(json.load(open(\"image/index.json\"))[\"manifests\"][0][\"digest\"][7:])")
chmod u+w image/blobs/sha256/$digest 2>/dev/null || true
cp image/blobs/sha256/$digest copy
sed "s/schemaVersion/schemaVersioN/" copy >changed
rm -f image/blobs/sha256/$digest
mv changed image/blobs/sha256/$digest
imgcheck check image -q
