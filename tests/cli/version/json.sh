# SPDX-License-Identifier: Apache-2.0
imgbuild version --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["schemaVersion"], d["version"], sorted(d))'
