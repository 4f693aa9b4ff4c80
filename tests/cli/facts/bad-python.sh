# SPDX-License-Identifier: Apache-2.0
# A tag that is none.
imgbuild facts --python 3.11
