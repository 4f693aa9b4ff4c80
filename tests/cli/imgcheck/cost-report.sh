# SPDX-License-Identifier: Apache-2.0
# The start as a report measured it, and the pull at a given rate.
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck cost cu128.json --gpu T4 --price 0.52 --work 2min --pull-rate 125MB --phase scheduling=15s
