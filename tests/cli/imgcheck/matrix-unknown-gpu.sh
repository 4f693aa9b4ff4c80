# SPDX-License-Identifier: Apache-2.0
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix cu128.json --gpu H10
