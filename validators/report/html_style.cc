// SPDX-License-Identifier: Apache-2.0
// The style sheet of the HTML form: light and dark, narrow and wide, screen and paper.

#include "validators/report/renderers.h"

namespace img {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f6f7f9; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --link: #0a58ca;
  --fail: #b3261e; --blocked: #7b2d8e; --warn: #8a5a00; --waived: #3d5a80; --skipped: #59636e; --pass: #1a7f37;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --raised: #1d2126; --ink: #e4e8ec; --soft: #9aa4af; --line: #343a41; --link: #79b0ff;
    --fail: #ff8a80; --blocked: #d9a0e8; --warn: #f0c36d; --waived: #9cc1ee; --skipped: #9aa4af; --pass: #6fd08c;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
a { color: var(--link); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .6rem; }
.sub { color: var(--soft); margin: 0; overflow-wrap: anywhere; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
.verdict { margin: 1.25rem 0 0; padding: .75rem 1rem; border: 1px solid; border-left-width: .4rem; border-radius: .4rem; }
.verdict p { margin: 0; font-weight: 600; }
.verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.counts a, .counts span {
  display: block; min-width: 5.5rem; padding: .4rem .8rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--raised); text-decoration: none; color: var(--soft);
}
.counts b { display: block; font-size: 1.35rem; line-height: 1.2; }
.counts a:hover { border-color: currentColor; }
dl { display: grid; grid-template-columns: minmax(6.5rem, max-content) 1fr; gap: .2rem 1rem; margin: 0; align-items: baseline; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details.check { border: 1px solid var(--line); border-radius: .4rem; margin: .45rem 0; background: var(--raised); }
details.check > summary {
  display: grid; grid-template-columns: .7rem 5.75rem 9rem 1fr auto; gap: .1rem .7rem; padding: .55rem .9rem;
  cursor: pointer; list-style: none; align-items: baseline;
}
details.check > summary::-webkit-details-marker { display: none; }
details.check > summary::before { content: "▸"; color: var(--soft); }
details.check[open] > summary::before { content: "▾"; }
details.check > summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: .4rem; }
.status { font-weight: 700; white-space: nowrap; }
.id { font-weight: 600; overflow-wrap: anywhere; min-width: 0; }
.line { overflow-wrap: anywhere; min-width: 0; }
.time { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.body { padding: .25rem .9rem .9rem; border-top: 1px solid var(--line); scroll-margin-top: 4rem; }
.body:target { box-shadow: inset .3rem 0 0 var(--link); }
.body > p { margin: .6rem 0; }
.finding { margin: .7rem 0; padding-left: .9rem; border-left: .2rem solid var(--line); }
.finding p { margin: 0 0 .25rem; overflow-wrap: anywhere; }
.finding dl { font-size: .94em; }
.finding pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
.about { color: var(--soft); font-size: .94em; margin-top: .9rem; }
.more { color: var(--soft); }
.fail { color: var(--fail); } .blocked { color: var(--blocked); } .warn { color: var(--warn); }
.waived { color: var(--waived); } .skipped { color: var(--skipped); } .pass { color: var(--pass); }
.verdict ul, .verdict p { color: var(--ink); }
.finding.fail, .finding.warn { border-left-color: currentColor; }
.finding.fail > *, .finding.warn > *, .finding.pass > * { color: var(--ink); }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .9em; }
@media (max-width: 44rem) {
  body { padding: 1.25rem .8rem 3rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .35rem; }
  details.check > summary { grid-template-columns: .7rem max-content 1fr auto; }
  .line { grid-column: 2 / -1; }
  .time { grid-row: 1; grid-column: 4; }
  .counts a, .counts span { min-width: 4.4rem; padding: .3rem .6rem; }
}
@media print {
  :root {
    --paper: #fff; --raised: #fff; --ink: #000; --soft: #444; --line: #bbb; --link: #000;
    --fail: #a00; --blocked: #606; --warn: #850; --waived: #247; --skipped: #444; --pass: #060;
  }
  body { max-width: none; padding: 0; font-size: 10pt; }
  details.check { break-inside: avoid-page; }
  details.check::details-content { content-visibility: visible; display: block; height: auto; }
  .counts a { color: #444; }
}
)css";

}  // namespace

std::string_view html_style() { return kStyle; }

// A test computes it anew and prints the right one when the style sheet has changed.
std::string_view html_style_hash() { return "sha256-RDi9/FEJXKDEKFiQ8NFj2cO4LdOfgsdQdvi/uPKcEp8="; }

}  // namespace img
