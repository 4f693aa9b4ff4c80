# SPDX-License-Identifier: Apache-2.0
# Names from inside an image: control characters, markup, commands of a CI server.
imgcheck render "$CASES/imgcheck/hostile.json" --format json
