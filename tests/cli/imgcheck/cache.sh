# SPDX-License-Identifier: Apache-2.0
# Empty until something was unpacked.
imgcheck cache dir | sed "s|.*/|…/|"
imgcheck cache list
imgcheck cache clear
