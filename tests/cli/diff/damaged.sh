# SPDX-License-Identifier: Apache-2.0
# A layer that is not what its descriptor says is no difference, it is damage.
"$CASES/make_world.py" image
imgbuild build image.yaml -o one --offline -q >/dev/null
sed -i 's/hello/hullo/' layers/app.yaml
imgbuild lock image.yaml -q >/dev/null
imgbuild build image.yaml -o two --offline -q >/dev/null
blob=$(ls -S two/blobs/sha256/* | head -n 1)
cp "$blob" copy
printf x | dd of=copy bs=1 seek=100000 conv=notrunc status=none
rm "$blob"
mv copy "$blob"
imgbuild diff -q one two
