# SPDX-License-Identifier: Apache-2.0
imgbuild build x.yaml --output
