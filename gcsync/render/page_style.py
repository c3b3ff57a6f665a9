"""How a page looks: in light and in dark, on a phone, on a desk and on paper.

Colours that text is written in keep a contrast of 4.5 to 1 on every surface
they stand on, and no meaning hangs on a colour alone.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

PAGE_STYLE: Final = r"""
:root { color-scheme: light dark; --paper: #f4f6f8; --card: #ffffff; --ink: #1c2127;
  --faint: #56606b; --line: #d5dbe1; --edge: #7b8691; --good: #17692f; --bad: #b3241c;
  --change: #7d5200; --accent: #0a58ca; --good-tint: #e4f4e8; --bad-tint: #fdeae8;
  --change-tint: #fbf0d9; --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --card: #161b22; --ink: #e6edf3; --faint: #9da7b3;
    --line: #2d343d; --edge: #7d8793; --good: #5bd172; --bad: #ff8f88; --change: #e0b04c;
    --accent: #7ab7ff; --good-tint: #11301b; --bad-tint: #3d1b1d; --change-tint: #32290f; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 3rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
  overflow-wrap: anywhere; }
h1, h2, p, ul, dl, dd, table { margin: 0; padding: 0; }
ul { list-style: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.good { --tone: var(--good); --tint: var(--good-tint); }
.bad { --tone: var(--bad); --tint: var(--bad-tint); }
.change { --tone: var(--change); --tint: var(--change-tint); }
.faint { --tone: var(--faint); --tint: transparent; }
.plain, .strong { --tone: var(--ink); --tint: transparent; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
a { color: var(--accent); }

header { margin-bottom: 1.25rem; }
.made { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; color: var(--faint);
  font-weight: 600; }
.chip { padding: 0 .6rem; border: 1px solid var(--edge); border-radius: 1rem;
  color: var(--ink); font-size: .85rem; }
h1 { margin: .4rem 0 .9rem; padding-left: .8rem; border-left: 5px solid var(--tone, var(--edge));
  font-size: 1.5rem; line-height: 1.3; }
.facts { display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; font-size: .9rem; }
.facts dt { color: var(--faint); font-size: .8rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .6rem;
  margin-top: 1.1rem; }
.tiles li { padding: .5rem .85rem .6rem;
  border: 1px solid var(--line); border-top: 3px solid var(--tone); border-radius: 8px;
  background: var(--card); color: var(--faint); font-size: .85rem; line-height: 1.3; }
.tiles b { display: block; color: var(--tone); font-size: 1.6rem; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.notice { margin-top: .6rem; padding: .45rem .8rem; border-left: 4px solid var(--tone);
  border-radius: 4px; background: var(--tint); }

.filter { margin-bottom: 1rem; padding: .7rem 1rem .8rem; border: 1px solid var(--line);
  border-radius: 10px; background: var(--card); }
.filter fieldset { display: flex; flex-wrap: wrap; gap: .3rem .4rem; align-items: center;
  min-width: 0; margin: 0 0 .45rem; padding: 0; border: 0; }
.filter legend { float: left; min-width: 5.5rem; padding: 0 .5rem 0 0; color: var(--faint);
  font-size: .85rem; }
.filter label { display: inline-flex; gap: .4rem; align-items: center; padding: .2rem .65rem;
  border: 1px solid var(--edge); border-radius: 1rem; font-size: .87rem; cursor: pointer; }
.filter label:has(:checked) { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.filter input { width: 1rem; height: 1rem; margin: 0; accent-color: var(--accent); }
.filter i { color: var(--faint); font-style: normal; }
.filter p { color: var(--faint); font-size: .85rem; }
.filter button { padding: .25rem .8rem; border: 1px solid var(--edge); border-radius: 6px;
  background: var(--card); color: var(--ink); font: inherit; font-size: .87rem; cursor: pointer; }
@supports not selector(:has(*)) { .filter, .count { display: none; } }

main { display: flex; flex-direction: column; gap: .75rem; counter-reset: shown; }
/* What is hidden is not counted, so the count has to stand behind what it counts. */
.about { counter-increment: shown; }
.count { order: -1; color: var(--faint); font-size: .9rem; }
.count::before { content: counter(shown, shown); }
.count::after { content: counter(shown, hint); color: var(--change); font-weight: 600; }
@counter-style shown { system: fixed 0; symbols: "None"; }
@counter-style hint { system: fixed 0; fallback: silent;
  symbols: ". Nothing matches: clear the filter, or choose less."; }
@counter-style silent { system: cyclic; symbols: ""; }
.card { min-width: 0; padding: .8rem 1.1rem; border: 1px solid var(--line);
  border-left: 4px solid var(--tone, var(--line)); border-radius: 10px;
  background: var(--card); }
.many { content-visibility: auto; contain-intrinsic-block-size: auto 3.6rem; }
.card > summary { margin: -.8rem -1.1rem; padding: .8rem 1.1rem; list-style: none;
  cursor: pointer; border-radius: 10px; }
.card > summary::-webkit-details-marker { display: none; }
.card[open] > summary { margin-bottom: 0; padding-bottom: .15rem; }
.top { display: flex; flex-wrap: wrap; gap: .15rem .6rem; align-items: center; }
.top::after { content: "\25B8" / ""; margin-left: auto; color: var(--faint); }
.card[open] > summary > .top::after { content: "\25BE" / ""; }
h2 { font-size: 1.08rem; line-height: 1.35; }
.gist { color: var(--faint); font-size: .9rem; }
.over { color: var(--bad); font-size: .9rem; font-weight: 600; }
.badge { padding: 0 .55rem; border: 1px solid var(--tone); border-radius: 1rem;
  background: var(--tint); color: var(--tone); font-size: .83rem; font-weight: 600; }
.told { display: flex; flex-wrap: wrap; gap: .2rem .5rem; align-items: center;
  color: var(--faint); font-size: .9rem; }
.tag { padding: 0 .45rem; border: 1px solid var(--line); border-radius: 4px; font-size: .8rem; }

.scroll { overflow-x: auto; }
table { width: 100%; margin-top: .5rem; border-collapse: collapse; font-size: .92rem; }
td, th { padding: .35rem .8rem .35rem 0; vertical-align: top; text-align: left; }
th { color: var(--faint); font-size: .82rem; font-weight: 600; }
tr { border-top: 1px solid var(--line); color: var(--tone); }
thead tr, tr:first-child:has(th) { border-top: 0; }
.figures { width: auto; overflow-wrap: normal; font-variant-numeric: tabular-nums; }
.figures td, .figures th { padding-right: 1.5rem; }
.figures .place { display: table-cell; }
.number { text-align: right; white-space: nowrap; }
.figures tr:has(.remark) { border-top: 0; }
.remark { padding: 0 0 .35rem 1.2rem; }
.sign { width: 1.5rem; color: var(--tone); font-family: var(--mono); font-weight: 700;
  text-align: center; }
.values { table-layout: fixed; }
.values tr { color: var(--ink); }
.values th:first-child { width: 1.9rem; }
.values th.setting { width: 44%; }
.three th.setting { width: 34%; }
.values td { font-family: var(--mono); font-size: .87rem; line-height: 1.45; }
.values .sign { font-size: .95rem; }
.values .setting { padding-right: 1rem; }
.values .entry { padding-left: 1.5rem; }
.values .value { margin-left: -.35rem; }
.place, .note { display: block; color: var(--faint); font-family: var(--mono); font-size: .8rem; }
.note { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
.kind { color: var(--tone); font-weight: 600; }
.value { display: inline-block; max-width: 100%; padding: 0 .35rem; border-radius: 4px;
  white-space: pre-wrap; }
.value.none { margin: 0; padding: 0; }
.old { background: var(--bad-tint); }
.new { background: var(--good-tint); }
.either { background: var(--paper); }
.none { background: transparent; color: var(--faint); font-style: italic; }
.arrow { position: relative; padding-left: 1.3rem; }
.arrow::before { content: "\2192" / ""; position: absolute; left: 0; color: var(--faint); }

.gauges { margin-top: .6rem; padding-top: .55rem; border-top: 1px solid var(--line);
  font-size: .88rem; }
.gauges li { display: grid; grid-template-columns: 9.5rem minmax(4rem, 1fr) 17rem;
  gap: 0 .9rem; align-items: center; }
.gauges .said { font-variant-numeric: tabular-nums; }
.gauges .bad .said { color: var(--bad); font-weight: 600; }
.bar { display: block; width: 100%; height: 1.05rem; }
.bar .track { fill: var(--line); opacity: .55; }
.bar .fill { fill: var(--accent); }
.bar .bad { fill: var(--bad); }
.bar .limit { stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }

.card p, .card > ul { margin-top: .45rem; }
.words { color: var(--tone); }
.words.strong { font-weight: 600; }
.list li { position: relative; padding-left: 1.1rem; }
.list li::before { content: "\2022" / ""; position: absolute; left: .2rem; color: var(--edge); }
.words .place, .list .place { display: inline; }
.plot { max-width: 60rem; margin: .6rem 0 0; }
.plot figcaption { font-weight: 600; }
.plot .legend { display: flex; flex-wrap: wrap; gap: .1rem 1.4rem; color: var(--faint);
  font-size: .9rem; }
.plot .chart { display: block; width: 100%; height: auto; }
.plot .key { display: inline-block; width: 1.9rem; height: .5rem; margin-right: .45rem; }
.card .chart .dot { stroke: var(--card); }
footer { margin-top: 1.75rem; color: var(--faint); font-size: .9rem; }

@media (max-width: 42rem) {
  body { padding: 1.1rem .75rem 2rem; }
  h1 { font-size: 1.25rem; }
  .facts { gap: .25rem 1.1rem; font-size: .82rem; }
  .tiles li { padding: .35rem .6rem .45rem; }
  .tiles b { font-size: 1.3rem; }
  .card { padding: .7rem .8rem; }
  .card > summary { margin: -.7rem -.8rem; padding: .7rem .8rem; }
  .filter legend { float: none; width: 100%; }
  .filter label { padding: .35rem .7rem; }
  .gauges li { grid-template-columns: 1fr auto; margin-bottom: .5rem; }
  .gauges .bar { grid-row: 2; grid-column: 1 / -1; }
  .plot > .chart text { font-size: 22px; }
  .plot > .chart .curve { stroke-width: 3.5; }
  .plot > .chart .dot { r: 9px; }
  .figures td, .figures th { padding-right: .7rem; }
  .plot .chart .odd { display: none; }
  .values, .values tbody, .values thead { display: block; }
  .values tr { display: grid; grid-template-columns: 1.5rem 1fr 1fr; padding: .35rem 0; }
  .values.three tr { grid-template-columns: 1.5rem 1fr 1fr 1fr; }
  .values th, .values td { width: auto; padding: .1rem .5rem .1rem 0; }
  .values thead .setting { visibility: hidden; height: 0; padding: 0; }
  .values .setting { grid-column: 2 / -1; }
  .values .first { grid-column: 2; }
  .values .arrow { padding-left: 1.2rem; }
}
@media print {
  @page { size: A4; margin: 14mm 13mm; }
  :root { --paper: #ffffff; --tint: transparent; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  .filter, .count, .skip, .top::after { display: none; }
  main { display: block; }
  .card { margin-bottom: 3mm; padding: 2.5mm 3mm; border-radius: 0; }
  .card > summary { margin: 0; padding: 0; }
  table { margin-top: 1mm; }
  td, th { padding-top: .8mm; padding-bottom: .8mm; }
  .many { content-visibility: visible; }
  /* Paper has no way to open what is closed. */
  details::details-content { content-visibility: visible; block-size: auto; }
  .badge, .old, .new, .either { background: transparent; }
  .new { font-weight: 600; }
  summary, h1, h2, th { break-after: avoid; }
  tr, .gauges, .notice, .plot { break-inside: avoid; }
  .scroll { overflow: visible; }
  .plot { max-width: 150mm; }
}
"""


def policy(style: str) -> str:
    """A content security policy that lets a page have this very *style*, and nothing else."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
