# SPDX-License-Identifier: Apache-2.0
# The name of the file says which form.
for form in json html md xml sarif txt; do
  imgcheck render "$CASES/imgcheck/report.json" -o "out.$form"
done
head -c 5 out.xml; echo; head -n 1 out.md; head -c 15 out.html; echo; head -n 1 out.txt
