# SPDX-License-Identifier: Apache-2.0
# Every help is on standard output, not wider than a terminal, and names the exit status.
for verb in "" check gate list explain render matrix fit cost schema cache version "cache clear"; do
  imgcheck $verb --help >help.txt
  grep -q . help.txt
  awk -v verb="$verb" 'length($0) > 80 { print verb ": " length($0) " columns: " $0 }' help.txt
done
imgcheck --help | grep "^Exit status:"
