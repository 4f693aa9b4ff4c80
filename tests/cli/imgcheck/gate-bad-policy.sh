# SPDX-License-Identifier: Apache-2.0
printf "schema: imgpolicy/v1\nrequire_tiers: [static]\nwaivers:\n  - {check: IMG-SIZ, reason: r, expiry: 2027-01-31}\n" >policy.yaml
imgcheck gate nowhere -q --policy policy.yaml
