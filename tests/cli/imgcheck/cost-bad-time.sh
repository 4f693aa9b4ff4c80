# SPDX-License-Identifier: Apache-2.0
imgcheck cost --gpu T4 --price 0.52 --image soon --work 3min
