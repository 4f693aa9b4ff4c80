# SPDX-License-Identifier: Apache-2.0
imgbuild diff one two three
