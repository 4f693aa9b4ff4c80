# SPDX-License-Identifier: Apache-2.0
# What cannot exist is told apart from what does not fit.
for flags in "--params 0" "--params 7Q" "--params 7B --batch 0" "--params 7B --heads 5" "--params 7B --task train --precision int8" \
  "--params 7B --task tune" "--params 7B --gpu T5"; do
  imgcheck fit $flags || echo "exit $?" >&2
done
