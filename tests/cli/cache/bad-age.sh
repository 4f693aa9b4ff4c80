# SPDX-License-Identifier: Apache-2.0
imgbuild cache gc --older-than yesterday
