# SPDX-License-Identifier: Apache-2.0
head -c 300 "$CASES/imgcheck/report.json" >report.json
imgcheck render report.json
