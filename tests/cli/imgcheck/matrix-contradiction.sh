# SPDX-License-Identifier: Apache-2.0
# Two reports of one digest that cannot both be right: the cells are there, and the exit code says it.
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix cu128.json contradiction.json --gpu T4 --driver R580 -o m.md || echo "exit $?"
grep contradictory m.md
