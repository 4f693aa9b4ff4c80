# SPDX-License-Identifier: Apache-2.0
imgcheck cost --gpu T4 --price 0.52 --manual 12min --image 45s --work 3min --jobs 20 --json | grep -e savingPerYear -e usefulShare
