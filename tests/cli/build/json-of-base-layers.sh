# SPDX-License-Identifier: Apache-2.0
# The layers of a base image are part of the answer: every layer of the image, and their sizes in the sum.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline -q --json >answer.json
/usr/bin/python3 -c '
import json
answer = json.load(open("answer.json"))
index = json.load(open("image/index.json"))
document = lambda d: json.load(open("image/blobs/sha256/" + d["digest"].split(":")[1]))
manifest = document(index["manifests"][0])
config = document(manifest["config"])
assert [l["digest"] for l in answer["layers"]] == [l["digest"] for l in manifest["layers"]]
assert [l["diffId"] for l in answer["layers"]] == config["rootfs"]["diff_ids"]
assert answer["size"] == sum(l["size"] for l in manifest["layers"])
assert answer["uncompressedSize"] == sum(l["uncompressedSize"] for l in answer["layers"])
assert all(l["uncompressedSize"] > 0 for l in answer["layers"])
for l in answer["layers"]:
    print(l["recipe"], l["title"], l["base"], sep=" | ")
print(config["created"])'
imgbuild build image.yaml -o image --offline --progress plain 2>&1 >/dev/null | grep 'from the cache' | sed 's/, [^,]* packed.*//'
