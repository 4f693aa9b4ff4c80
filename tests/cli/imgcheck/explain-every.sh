# SPDX-License-Identifier: Apache-2.0
# Each fits a terminal.
imgcheck list --json | /usr/bin/python3 -c "
import json, sys
for check in json.load(sys.stdin)[\"checks\"]: print(check[\"id\"])" | while read -r id; do
  imgcheck explain "$id" | awk -v id="$id" 'length($0) > 80 { print id ": " $0 }'
done
