# SPDX-License-Identifier: Apache-2.0
# A report of a later version is left out; the rest goes on.
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix newer.json cu128.json --gpu T4 --driver R580 -o m.md || echo "exit $?"
grep -e unreadable -e "| T4" m.md
