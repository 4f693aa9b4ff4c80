# SPDX-License-Identifier: Apache-2.0
imgcheck render "$CASES/imgcheck/report.json" --format html
