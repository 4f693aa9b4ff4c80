# SPDX-License-Identifier: Apache-2.0
# Images need a place.
imgbuild family "$ROOT/manifests/families/pytorch.yaml" build
