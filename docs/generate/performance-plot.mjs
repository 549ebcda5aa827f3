import { ms } from "./performance.mjs";

/** Pixels. */
const [width, left, right, bar, gap, top] = [760, 250, 90, 18, 8, 56];

const groups = [
  { title: "kubectl-oidc, a cached token", kind: "ours", ids: /^(hot@\d+|standalone)$/ },
  { title: "other programs, the same answer", kind: "peer", ids: /^(kubelogin|cat)$/ },
  { title: "bare runtimes, an empty program", kind: "runtime", ids: /^(empty@\d+|empty-bun)$/ },
];

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Bars of what one process costs from its start to its end, with a line from the first to the third quartile. Group and value stand there as text: nothing is
 * said by colour alone.
 */
export function performancePlot({ report }) {
  const shown = groups.map((group) => ({ ...group, bars: report.processes.filter(({ id }) => group.ids.test(id)) })).filter(({ bars }) => bars.length > 0);
  const most = Math.max(...shown.flatMap(({ bars }) => bars.map(({ ms: value, quartiles }) => Math.max(value, quartiles[1]))));
  const step = stepFor(most);
  const end = Math.ceil(most / step) * step;
  const x = (value) => left + (value / end) * (width - left - right);
  const parts = [];
  let y = top;
  for (const { title, kind, bars } of shown) {
    parts.push(`<text class="group" x="16" y="${y + 12}">${escaped(title)}</text>`);
    y += bar + gap;
    for (const one of bars) {
      parts.push(...barOf(one, kind, y, x));
      y += bar + gap;
    }
    y += gap;
  }
  const height = y + 34;
  const day = report.date.slice(0, 10);
  const title = "Milliseconds of one call, from the start of the process to its end";
  const about = shown.flatMap(({ title: group, bars }) => [`${group}:`, ...bars.map((one) => `${one.name}: ${ms(one.ms)}`)]).join("\n");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title text" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title id="title">${title}</title>`,
    `<desc id="text">${escaped(about)}</desc>`,
    "<style>",
    ".frame { fill: #f6f8fa; stroke: #8c959f }",
    ".grid { stroke: #d0d7de }",
    ".whisker { stroke: #1f2328; stroke-width: 1.5 }",
    ".ours { fill: #0969da } .peer { fill: #bc4c00 } .runtime { fill: #6e7781 }",
    "text { fill: #1f2328; font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif }",
    ".title, .group { font-weight: bold } .small { font-size: 11px; fill: #57606a } .value { font-variant-numeric: tabular-nums }",
    "@media (prefers-color-scheme: dark) { .frame { fill: #151b23; stroke: #656c76 } .grid { stroke: #3d444d } .whisker { stroke: #e6edf3 } .ours { fill: #4493f8 } .peer { fill: #f0883e } .runtime { fill: #9198a1 } text { fill: #e6edf3 } .small { fill: #9198a1 } }",
    "</style>",
    `<rect class="frame" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<text class="title" x="16" y="26">${title}</text>`,
    `<text class="small" x="16" y="43">${escaped(`${day}, ${report.machine.cpu}, ${report.machine.cores} cores, ${report.machine.os}; medians, with quartiles`)}</text>`,
    ...gridOf(end, step, x, top, height - 26),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function barOf({ name, ms: value, quartiles }, kind, y, x) {
  const [from, to] = quartiles.map(x);
  const middle = y + bar / 2;
  return [
    `<text x="28" y="${y + 13}">${escaped(name)}</text>`,
    `<rect class="${kind}" x="${left}" y="${y}" width="${(x(value) - left).toFixed(1)}" height="${bar}"/>`,
    `<line class="whisker" x1="${from.toFixed(1)}" y1="${middle}" x2="${to.toFixed(1)}" y2="${middle}"/>`,
    `<text class="value" x="${(Math.max(x(value), to) + 8).toFixed(1)}" y="${y + 13}">${ms(value)}</text>`,
  ];
}

/** Of the numbers 1, 2 and 5 with zeros: some six lines. */
function stepFor(most) {
  const rough = most / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((digit) => digit * power >= rough) ?? 10);
}

function gridOf(end, step, x, from, to) {
  const lines = [];
  for (let value = 0; value <= end + step / 2; value += step) {
    const at = x(value).toFixed(1);
    lines.push(
      `<line class="grid" x1="${at}" y1="${from}" x2="${at}" y2="${to}"/>`,
      `<text class="small" x="${at}" y="${to + 15}" text-anchor="middle">${value}${value === 0 ? "" : " ms"}</text>`,
    );
  }
  return lines;
}
