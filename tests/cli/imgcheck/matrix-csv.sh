# SPDX-License-Identifier: Apache-2.0
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix cu128.json --gpu V100 --driver 580 --driver 590 --format csv | tr -d "\r"
