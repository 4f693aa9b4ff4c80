# SPDX-License-Identifier: Apache-2.0
# docs/checks.md is what the program says.
imgcheck list --format markdown | diff - "$ROOT/docs/checks.md"
