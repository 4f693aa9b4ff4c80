# SPDX-License-Identifier: Apache-2.0
imgcheck fit --params 350M --task train --gpu T4 --json | /usr/bin/python3 -c "
import json, sys
fit = json.load(sys.stdin)
print(fit['schemaVersion'], fit['gpus'][0]['verdict'], [part['name'] for part in fit['parts']])"
