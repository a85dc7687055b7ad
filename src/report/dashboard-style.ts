/**
 * The page's only style sheet. Colours are pairs with a contrast of at least 4.5:1 on the surface
 * they are used on, in both schemes; printing always uses the light ones. The policy admits these
 * exact bytes by hash, so it must stay a constant, and no element may carry a style attribute.
 */
export const DASHBOARD_STYLE = `
:root {
  --page: #f4f5f7; --card: #fff; --sunk: #f7f8fa; --line: #dde1e7; --ink: #17202b; --soft: #55606f; --link: #1b55a8;
  --critical: #9f1239; --critical-bg: #fde8ee; --high: #a13c0c; --high-bg: #fdebdd;
  --medium: #755400; --medium-bg: #faf0cd; --low: #3c556f; --low-bg: #e8eef5;
  --good: #1a6a43; --unknown: #5b4a9c; --unknown-bg: #efecfa; --idle: #69737f;
  --shadow: 0 1px 2px rgb(23 32 43 / .06), 0 4px 16px rgb(23 32 43 / .04);
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0e1318; --card: #161d25; --sunk: #11171e; --line: #2a3541; --ink: #e7ecf2; --soft: #a3afbd; --link: #8bb8f8;
    --critical: #ff9db3; --critical-bg: #3d1a26; --high: #fdb084; --high-bg: #3a2417;
    --medium: #ecc85e; --medium-bg: #332a10; --low: #a9c3de; --low-bg: #1f2d3c;
    --good: #74cf9f; --unknown: #bfb1fa; --unknown-bg: #282146; --idle: #95a1ae;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font-size: .9375rem; overflow-wrap: anywhere; }
header, nav, main, footer { width: min(70rem, 100% - 2.5rem); margin-inline: auto; }
h1, h2, h3, h4, p, dl, dd, ul, ol { margin: 0; }
ul, ol { padding: 0; list-style: none; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
code { font: .9em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "Liberation Mono", monospace; unicode-bidi: isolate; }
td, dd, th { unicode-bidi: isolate; }
table, .tiles, time, .count { font-variant-numeric: tabular-nums; }
.muted, time { color: var(--soft); }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); padding: .6rem 1rem; border-radius: 0 0 8px 8px; z-index: 1; }
.skip:focus { top: 0; }

header { padding-top: 3rem; }
.eyebrow { color: var(--soft); font-size: .8125rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; }
h1 { font-size: 1.125rem; font-weight: 600; margin-top: .15rem; }
.verdict { font-size: clamp(1.6rem, 1.1rem + 2.4vw, 2.5rem); font-weight: 700; line-height: 1.15; letter-spacing: -.02em; margin-top: 1.5rem; max-width: 30ch; text-wrap: balance; }
.v-bad { color: var(--critical); } .v-warn { color: var(--high); } .v-unknown { color: var(--unknown); } .v-good { color: var(--good); }
.caveat { font-size: 1.0625rem; margin: .6rem 0 .35rem; max-width: 80ch; }
.overdue { color: var(--critical); font-weight: 600; }
.bar { display: block; width: 100%; height: .625rem; margin-top: 1.75rem; border-radius: 5px; }
.b-violation { fill: var(--critical); } .b-partial { fill: #d98a1f; } .b-not_assessed { fill: var(--unknown); opacity: .55; } .b-compliant { fill: var(--good); } .b-not_applicable { fill: var(--idle); opacity: .4; }
.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: .25rem 1.5rem; margin-top: .9rem; }
.tiles dt { color: var(--soft); font-size: .875rem; display: flex; align-items: center; gap: .4rem; }
.tiles dd { font-size: 1.75rem; font-weight: 650; line-height: 1.2; letter-spacing: -.01em; }

nav { margin-top: 2rem; border-block: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; column-gap: 1.75rem; }
nav a { display: block; padding: .6rem 0; font-size: .875rem; color: var(--soft); text-decoration: none; }
nav a:hover { color: var(--ink); text-decoration: underline; }

main > section, .split { margin-top: 3rem; }
h2 { font-size: 1.3125rem; font-weight: 650; letter-spacing: -.01em; line-height: 1.25; margin-bottom: 1rem; }
h3 { font-size: 1rem; font-weight: 600; line-height: 1.35; }
h4 { font-size: .8125rem; font-weight: 600; color: var(--soft); margin-bottom: .2rem; }
.split { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 2.5rem; }

.icon { flex: none; fill: currentColor; overflow: visible; vertical-align: -.15em; }
.icon .ring, .ring { fill: none; stroke: currentColor; stroke-width: 1.6; }
.dash { stroke-dasharray: 2.6 1.7; }
.line, .tick { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
.tick { stroke: var(--card); stroke-width: 1.8; } .cut { fill: var(--card); }
.s-violation { color: var(--critical); } .s-partial { color: var(--high); } .s-not_assessed { color: var(--unknown); } .s-compliant { color: var(--good); } .s-not_applicable { color: var(--idle); }
.status { display: inline-flex; align-items: center; gap: .5rem; white-space: nowrap; }
.risk { display: inline-block; padding: .1rem .55rem; border-radius: 999px; font-size: .75rem; font-weight: 650; white-space: nowrap; background: var(--low-bg); color: var(--low); }
.risk.quiet { background: none; padding-inline: 0; font-weight: 500; color: var(--soft); }
.r-critical { background: var(--critical-bg); color: var(--critical); }
.r-high { background: var(--high-bg); color: var(--high); }
.r-medium { background: var(--medium-bg); color: var(--medium); }
.r-low { background: var(--low-bg); color: var(--low); }

.steps { counter-reset: step; background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); }
.steps > li { counter-increment: step; display: grid; grid-template-columns: 1.5rem minmax(0, 1fr) 13rem; gap: .5rem 1rem; padding: 1.15rem 1.5rem; }
.steps > li + li { border-top: 1px solid var(--line); }
.steps > li::before { content: counter(step); font-weight: 650; font-size: 1.125rem; line-height: 1.2; color: var(--soft); font-variant-numeric: tabular-nums; }
.steps h3 a { color: inherit; text-decoration-color: var(--line); }
.steps h3 a:hover { text-decoration-color: currentColor; }
.steps p { margin-top: .3rem; max-width: 75ch; }
.steps > li > div > p:first-of-type { color: var(--soft); }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .9rem; font-size: .875rem; color: var(--soft); }
.steps .meta { margin: 0; flex-direction: column; align-items: start; flex-wrap: nowrap; }
.steps + p { margin-top: .75rem; }

table { border-collapse: collapse; width: 100%; }
caption { text-align: start; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th { text-align: start; font-weight: 500; }
thead th { font-size: .8125rem; font-weight: 600; color: var(--soft); }
.matrix th, .matrix td { padding: .3rem; }
.matrix tbody th, .matrix tfoot th { padding-inline-start: 0; }
.matrix td, .matrix thead th + th { text-align: center; width: 15%; }
.matrix thead th:first-child { padding-inline-start: 0; }
.matrix tfoot th, .matrix tfoot td { border-top: 1px solid var(--line); }
.matrix td { height: 2.6rem; }
.matrix .none { color: var(--soft); opacity: .75; }
.matrix .sum { font-weight: 650; }
.matrix tbody td.gap { border: 3px solid var(--page); border-radius: 9px; font-weight: 700; }
.matrix button { width: 100%; min-height: 2rem; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; text-decoration: underline; text-decoration-color: color-mix(in srgb, currentColor 40%, transparent); text-underline-offset: .2em; }
.matrix button:hover { text-decoration-color: currentColor; }

.rows > div { display: grid; grid-template-columns: 10rem minmax(0, 1fr); gap: .75rem; padding: .3rem 0; }
.split .rows > div { grid-template-columns: 5.5rem minmax(0, 1fr); }
.rows dt { color: var(--soft); }

.filter { display: flex; flex-wrap: wrap; align-items: end; gap: .75rem; margin-bottom: 1rem; }
.filter label { display: grid; gap: .2rem; font-size: .8125rem; font-weight: 600; color: var(--soft); }
.filter label:first-child { flex: 1 1 14rem; }
.filter input, .filter select, .buttons button { font: inherit; font-size: .9375rem; font-weight: 400; color: var(--ink); background: var(--card); border: 1px solid color-mix(in srgb, var(--soft) 70%, transparent); border-radius: 8px; padding: .4rem .65rem; min-height: 2.4rem; width: 100%; }
.buttons { display: flex; gap: .5rem; }
.buttons button { width: auto; cursor: pointer; white-space: nowrap; }
.buttons button:hover { background: var(--sunk); }
.count { flex-basis: 100%; color: var(--soft); font-size: .875rem; }

.check { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.check + .check { margin-top: .5rem; }
.check[open] { box-shadow: var(--shadow); }
.check summary { display: grid; grid-template-columns: 8.75rem minmax(0, 1fr) fit-content(20rem) 1rem; align-items: center; gap: 1rem; padding: .75rem 1.15rem; cursor: pointer; list-style: none; border-radius: 10px; }
.check summary::-webkit-details-marker { display: none; }
.check summary::after { content: ""; width: .5rem; height: .5rem; border: solid var(--soft); border-width: 0 1.5px 1.5px 0; transform: rotate(45deg) translate(-2px, -2px); justify-self: end; }
.check[open] summary::after { transform: rotate(225deg) translate(-2px, -2px); }
.check summary:hover { background: var(--sunk); }
.id { color: var(--soft); font-size: .8125rem; }
.tags { display: flex; flex-wrap: wrap; align-items: center; justify-content: end; gap: .3rem .75rem; font-size: .8125rem; }
.due { color: var(--soft); }
.body { border-top: 1px solid var(--line); padding: 1.15rem; display: grid; gap: 1.15rem; }
.body > h4 { margin-bottom: -.9rem; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.15rem 2.5rem; }
.gap-note, .body .do { border-radius: 8px; padding: .8rem 1rem; color: var(--ink); background: var(--sunk); }
.gap-note.s-violation { background: var(--critical-bg); } .gap-note.s-partial { background: var(--high-bg); } .gap-note.s-not_assessed { background: var(--unknown-bg); }
.gap-note h4, .body .do h4 { color: inherit; }
.evidence { display: grid; gap: .6rem; }
.evidence li { border-inline-start: 2px solid var(--line); padding-inline-start: .85rem; }
.source { font-size: .875rem; }
.source time { margin-inline-start: .5rem; }

#network + form + div > section + section { margin-top: 2.5rem; }
section section h3 { font-size: 1.0625rem; margin-bottom: .25rem; }
.notice { background: var(--unknown-bg); border-radius: 8px; padding: .7rem 1rem; margin-top: .75rem; }
.findings { display: grid; gap: .5rem; margin: 1rem 0; }
.findings > li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.15rem; }
.findings > li > p + p { margin-top: .35rem; max-width: 80ch; }
.finding-title { display: flex; flex-wrap: wrap; align-items: baseline; gap: .35rem .75rem; }
.targets { font-size: .875rem; margin-top: .5rem; color: var(--soft); }
.targets code { color: var(--ink); }
.rows-table { margin-top: 1.25rem; font-size: .875rem; table-layout: fixed; }
.rows-table th, .rows-table td { padding: .45rem .75rem .45rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
.rows-table th:last-child, .rows-table td:last-child { padding-inline-end: 0; }
.listeners thead th { width: 24%; } .listeners thead th:first-child { width: 29%; } .listeners thead th:nth-child(2) { width: 14%; } .listeners thead th:last-child { width: 9%; }
.connections thead th { width: 22%; } .connections thead th:first-child { width: 27%; } .connections thead th:nth-child(2) { width: 14%; } .connections thead th:nth-child(3) { width: 11%; } .connections thead th:nth-child(5) { width: 17%; } .connections thead th:last-child { width: 9%; }
.rows-table tbody th { padding-inline-start: 2.4rem; text-indent: -2.4rem; }
.proto { color: var(--soft); display: inline-block; width: 2.1rem; text-indent: 0; }
.a-no { color: var(--critical); font-weight: 650; } .a-unknown { color: var(--unknown); font-weight: 650; } .a-yes { color: var(--good); } .a-none-needed { color: var(--soft); }
.plain { list-style: disc; padding-inline-start: 1.2rem; display: grid; gap: .3rem; max-width: 80ch; }
section h4 + .plain { margin-bottom: 1rem; }
#missing ~ h3 { margin: 1.25rem 0 .4rem; }
.reasons > div { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: .25rem 2rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
footer { margin-top: 3.5rem; padding: 1.25rem 0 2.5rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8125rem; }

@media screen and (max-width: 46rem) {
  header { padding-top: 1.75rem; }
  header, nav, main, footer { width: calc(100% - 2rem); }
  .split { grid-template-columns: minmax(0, 1fr); gap: 3rem; }
  .tiles { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .tiles > div { display: flex; justify-content: space-between; align-items: center; padding: .3rem 0; border-bottom: 1px solid var(--line); }
  .tiles dd { font-size: 1.125rem; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .steps > li { padding: 1rem; grid-template-columns: 1.25rem minmax(0, 1fr); gap: .5rem; }
  .steps .meta { grid-column: 2; flex-flow: row wrap; align-items: center; }
  .check summary { grid-template-columns: minmax(0, 1fr) 1rem; gap: .35rem .75rem; padding: .8rem 1rem; }
  .check summary > :not(.status) { grid-column: 1; }
  .check summary::after { grid-column: 2; grid-row: 1; }
  .tags { justify-content: start; }
  .matrix th, .matrix td { padding: .25rem .1rem; }
  .matrix .status { white-space: normal; line-height: 1.2; font-size: .8125rem; }
  .matrix .icon { display: none; }
  .matrix thead th + th { width: 14.5%; font-size: .6875rem; padding-inline: 0; overflow-wrap: normal; }
  .matrix td { font-size: .9375rem; }
  .filter label, .filter label:first-child { flex: 1 1 8rem; }
  .filter label:first-child { flex-basis: 100%; }
  .reasons > div { grid-template-columns: minmax(0, 1fr); }
  .rows-table, .rows-table tbody, .rows-table caption { display: block; }
  .rows-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows-table tr { display: block; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; margin-bottom: .5rem; }
  .rows-table th, .rows-table td { display: grid; grid-template-columns: minmax(0, 1fr); border: 0; padding: .1rem 0; }
  .rows-table tbody th { display: block; font-weight: 600; padding-inline-start: 2.4rem; }
  .rows-table td { grid-template-columns: 7.5rem minmax(0, 1fr); }
  .rows-table td::before { color: var(--soft); grid-row: 1 / span 4; }
  .rows-table td > * { grid-column: 2; }
  .listeners td:nth-child(2)::before { content: "Reachable from"; } .listeners td:nth-child(3)::before { content: "Program"; }
  .listeners td:nth-child(4)::before { content: "Runs as"; } .listeners td:nth-child(5)::before { content: "Approved"; }
  .connections td:nth-child(2)::before { content: "Where"; } .connections td:nth-child(3)::before { content: "State"; }
  .connections td:nth-child(4)::before { content: "Program"; } .connections td:nth-child(5)::before { content: "Runs as"; }
  .connections td:nth-child(6)::before { content: "Approved"; }
}
@media print {
  @page { margin: 14mm; }
  :root { --page: #fff; --sunk: #fff; }
  html { font-size: 75%; }
  header, nav, main, footer { width: 100%; }
  header { padding-top: 0; }
  nav, .skip, .filter label, .filter .buttons, .check summary::after { display: none; }
  .filter { margin: 0 0 .5rem; }
  main > section, .split { margin-top: 2rem; }
  h2, h3, h4 { break-after: avoid; }
  .check, .steps > li, .findings > li, tr { break-inside: avoid; }
  .check[open], .steps { box-shadow: none; }
  .check summary { grid-template-columns: 8.75rem minmax(0, 1fr) fit-content(20rem); }
  .gap-note, .body .do { border: 1px solid var(--line); }
  .matrix button { text-decoration: none; }
  .check::details-content { content-visibility: visible; display: block; height: auto; }
  a { color: inherit; text-decoration: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
@media (forced-colors: active) { .risk, .matrix td.gap { border: 1px solid; } }
`;
