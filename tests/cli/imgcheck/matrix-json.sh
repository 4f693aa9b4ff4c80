# SPDX-License-Identifier: Apache-2.0
# The JSON is what its schema says.
/usr/bin/python3 "$ROOT/tests/support/report_samples.py" .
imgcheck matrix cu128.json tested.json cu130.json blocked.json hostile.json -o m.json
imgcheck schema matrix >schema.json
/usr/bin/python3 -c "
import json, jsonschema
matrix = json.load(open('m.json'))
jsonschema.Draft202012Validator(json.load(open('schema.json'))).validate(matrix)
print(len(matrix['images']), len(matrix['rows']), len(matrix['rows'][0]['cells']))"
