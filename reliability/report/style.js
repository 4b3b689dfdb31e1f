'use strict'

/** The report's whole style sheet, light and dark. */
const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1b1f24; --soft: #5c6670; --line: #d9dee3; --card: #f6f8fa;
  --before: #b3591a; --as-written: #7556b8; --surecal: #0b7a75; --good: #136f3a; --bad: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --ink: #e6eaee; --soft: #9aa5b0; --line: #323a42; --card: #1c2228;
    --before: #e39a5f; --as-written: #ab93e6; --surecal: #3cc4bb; --good: #5dc98a; --bad: #f1857a;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 28px 24px 60px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { margin: 0 0 4px; font-size: 26px; } h2 { margin: 36px 0 10px; font-size: 18px; }
p { margin: 6px 0; max-width: 82ch; } .soft { color: var(--soft); }
code { padding: 1px 5px; border-radius: 4px; background: var(--card); font-size: 13px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
thead th { color: var(--soft); font-weight: 600; }
td.good { color: var(--good); font-weight: 600; } td.bad { color: var(--bad); }
tr.main td { border-bottom-width: 2px; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 16px; }
.plots.below { margin-top: 16px; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 16px; }
@media (max-width: 520px) { .plots, .curves { grid-template-columns: 1fr; } }
figure { margin: 0; padding: 12px 14px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
figcaption { margin-bottom: 6px; font-weight: 600; }
svg { display: block; width: 100%; height: auto; font-size: 12px; }
svg text { fill: var(--ink); } svg .group { font-weight: 600; fill: var(--soft); }
svg .tick { fill: var(--soft); font-size: 11px; }
svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--line); }
svg .curve { fill: none; stroke-width: 2.2; }
.before { fill: var(--before); } .as-written { fill: var(--as-written); } .surecal { fill: var(--surecal); }
polyline.before { stroke: var(--before); } polyline.as-written { stroke: var(--as-written); } polyline.surecal { stroke: var(--surecal); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 18px; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; max-width: 82ch; }
@media (max-width: 520px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
`

module.exports = { STYLE }
