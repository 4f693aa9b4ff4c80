# SPDX-License-Identifier: Apache-2.0
# Both are JSON Schemas.
for kind in report policy matrix; do
  imgcheck schema "$kind" | /usr/bin/python3 -c "
import json, sys, jsonschema
jsonschema.Draft202012Validator.check_schema(json.load(sys.stdin))"
done
