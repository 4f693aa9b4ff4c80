# SPDX-License-Identifier: Apache-2.0
sed "s/\"schemaVersion\": 1/\"schemaVersion\": 7/" "$CASES/imgcheck/report.json" >report.json
imgcheck render report.json
