# SPDX-License-Identifier: Apache-2.0
# Both archives are read by skopeo, hold the same image as the layout, and come out the same twice.
"$CASES/make_world.py" image
command -v skopeo >/dev/null || { echo "no skopeo" >&2; exit 77; }
imgbuild build image.yaml -o image --offline -q --compression gzip >/dev/null
for format in oci-archive docker-archive; do
  imgbuild build image.yaml -o $format.tar --offline -q --compression gzip --format $format >/dev/null
  cp $format.tar first.tar
  imgbuild build image.yaml -o $format.tar --offline -q --compression gzip --format $format --no-layer-cache >/dev/null
  cmp first.tar $format.tar
  skopeo copy --quiet $format:$format.tar oci:copy-$format:x
done
digest() { skopeo inspect --raw "oci:$1" | sha256sum; }
[ "$(digest copy-oci-archive:x)" = "$(digest image)" ]
skopeo inspect --config oci:copy-docker-archive:x >one.json
skopeo inspect --config oci:image >two.json
/usr/bin/python3 -c '
import json
one, two = (json.load(open(n)) for n in ("one.json", "two.json"))
assert one["rootfs"] == two["rootfs"], (one, two)'
imgbuild diff -q image oci-archive.tar
