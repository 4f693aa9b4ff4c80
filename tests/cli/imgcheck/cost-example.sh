# SPDX-License-Identifier: Apache-2.0
# A published example, and its yearly figure put right.
imgcheck cost --gpu T4 --prices "$ROOT/manifests/examples/example-prices.yaml" --manual 12min --image 45s --work 3min \
  --jobs 20 --wage 50 --claim 7000
