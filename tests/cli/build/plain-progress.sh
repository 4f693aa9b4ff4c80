# SPDX-License-Identifier: Apache-2.0
# Without a terminal: plain lines, on standard error only, without control characters.
"$CASES/make_world.py" image
imgbuild build image.yaml -o image --offline --progress plain >out.txt 2>err.txt
grep -c . out.txt
if LC_ALL=C grep -q '[^[:print:]]' err.txt; then cat -A err.txt; fi
grep -q . err.txt
