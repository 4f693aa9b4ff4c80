# SPDX-License-Identifier: Apache-2.0
# Something that cannot be done with a family.
imgbuild family "$ROOT/manifests/families/pytorch.yaml" push
