# SPDX-License-Identifier: Apache-2.0
# Two images, three GPUs, four branches: what is tested, derived and claimed.
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix cu128.json tested.json cu130.json --gpu T4 --gpu H100 --gpu B200 --driver R470 --driver R550 --driver R570 --driver R580
