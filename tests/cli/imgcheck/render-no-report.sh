# SPDX-License-Identifier: Apache-2.0
echo "{}" >report.json
imgcheck render report.json
