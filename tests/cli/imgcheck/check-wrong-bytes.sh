# SPDX-License-Identifier: Apache-2.0
# A blob that is not what its digest says is a failed check, whose report is written.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q >/dev/null
blob=$(ls -S image/blobs/sha256/* | head -n 1)
cp "$blob" copy
printf x | dd of=copy bs=1 seek=100000 conv=notrunc status=none
rm "$blob"
mv copy "$blob"
code=0
imgcheck check image -q --tier static --check IMG-DIGEST --format json >report.json || code=$?
echo "exit $code"
/usr/bin/python3 -c "
import json
check, = json.load(open(\"report.json\"))[\"checks\"]
print(check[\"id\"], check[\"status\"])"
