# SPDX-License-Identifier: Apache-2.0
imgcheck cost --gpu T4 --image 45s --work 3min
