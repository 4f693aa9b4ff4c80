# SPDX-License-Identifier: Apache-2.0
# Facts are read from an index.
imgbuild facts --offline -q
