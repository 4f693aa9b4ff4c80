# SPDX-License-Identifier: Apache-2.0
imgcheck check nowhere --gpus 0,a/b
