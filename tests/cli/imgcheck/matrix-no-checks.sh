# SPDX-License-Identifier: Apache-2.0
# A table of nothing is no good news.
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix empty.json --gpu T4 --driver R580 >m.md
