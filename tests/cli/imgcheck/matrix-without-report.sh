# SPDX-License-Identifier: Apache-2.0
imgcheck matrix
