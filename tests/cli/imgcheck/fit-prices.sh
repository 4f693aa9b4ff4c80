# SPDX-License-Identifier: Apache-2.0
# The cheapest that holds it; a price that is missing is named, and the rest goes on.
cat >prices.yaml <<EOF
schema: imgprices/v1
currency: EUR
source: prices of this test
date: "2026-11-25"
per_hour: {L4: "0.70", "A100 40GB": "1.10"}
EOF
imgcheck fit --params 7B --task qlora --checkpointing --gpu L4 --gpu A100 --prices prices.yaml
