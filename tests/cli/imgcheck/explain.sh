# SPDX-License-Identifier: Apache-2.0
imgcheck explain cudnn-set
