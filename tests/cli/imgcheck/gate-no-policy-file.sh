# SPDX-License-Identifier: Apache-2.0
imgcheck gate nowhere -q --policy nowhere.yaml
