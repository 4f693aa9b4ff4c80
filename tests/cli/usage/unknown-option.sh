# SPDX-License-Identifier: Apache-2.0
# Speaks on standard error only.
imgbuild build x.yaml -o out --compresion gzip
