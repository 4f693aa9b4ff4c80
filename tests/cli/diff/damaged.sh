# SPDX-License-Identifier: Apache-2.0
# A layer that is not what its descriptor says.
"$CASES/make_world.py" files
imgbuild build image.yaml -o one --offline -q >/dev/null
imgbuild build image.yaml -o two --offline -q --compression gzip >/dev/null
for blob in two/blobs/sha256/*; do
  if [ "$(head -c 2 "$blob" | od -An -tx1)" = " 1f 8b" ]; then
    rm -f copy && cp "$blob" copy && printf x | dd of=copy bs=1 seek=100 conv=notrunc status=none
    rm "$blob" && mv copy "$blob"
  fi
done
imgbuild diff -q one two
