# SPDX-License-Identifier: Apache-2.0
imgcheck fit --params 8.03B --layers 32 --hidden 4096 --heads 32 --kv-heads 8 --ffn 14336 --vocab 128256 --length 8192 --gpu T4 --gpu L4 --gpu A100 --gpu H100
