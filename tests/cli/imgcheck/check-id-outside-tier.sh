# SPDX-License-Identifier: Apache-2.0
# The slip is told before any work.
imgcheck check nowhere --tier container --check IMG-SIZE
