# SPDX-License-Identifier: Apache-2.0
imgcheck check nowhere --tier statik
