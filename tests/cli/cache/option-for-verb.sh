# SPDX-License-Identifier: Apache-2.0
imgbuild cache --lst
