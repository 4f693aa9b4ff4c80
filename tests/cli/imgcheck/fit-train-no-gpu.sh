# SPDX-License-Identifier: Apache-2.0
# Full fine-tuning of 7 billion parameters on one small GPU: no.
imgcheck fit --params 7B --task train --checkpointing --gpu T4 --most 1
