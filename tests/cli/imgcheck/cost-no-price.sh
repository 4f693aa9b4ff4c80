# SPDX-License-Identifier: Apache-2.0
# A price that is missing is told; the other GPU is not.
imgcheck cost --gpu H100 --gpu T4 --prices "$ROOT/manifests/examples/example-prices.yaml" --image 45s --work 3min
