/** Characters on a row of a picture, and what one takes. Pixels. */
const columns = 120;
const [wide, high, around, bar] = [7.8, 18, 16, 30];

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Rows as a terminal of that width breaks them. */
const rowsOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .flatMap((line) => (line === "" ? [""] : (line.match(new RegExp(`.{1,${columns}}`, "gu")) ?? [])));

/**
 * A terminal's text as an SVG picture in a plain frame, light or dark as the reader's page is. The words are text, so that they can be searched and
 * read aloud; each row is as long as its characters are many, whatever font is there.
 */
export function pictureOf(title: string, text: string): string {
  const rows = rowsOf(text);
  const width = Math.ceil(columns * wide + 2 * around);
  const height = bar + rows.length * high + 2 * around;
  const lines = rows.flatMap((row, i) => {
    if (row === "") return [];
    const at = `x="${around}" y="${bar + around + i * high + 13}" textLength="${(row.length * wide).toFixed(1)}"`;
    return [`<text ${at}${row.startsWith("$ ") ? ' class="typed"' : ""}>${escaped(row)}</text>`];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title text" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="text">${escaped(text.trimEnd())}</desc>`,
    "<style>",
    "rect { fill: #f6f8fa; stroke: #8c959f }",
    "line { stroke: #8c959f }",
    'text { fill: #1f2328; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }',
    ".typed, .title { font-weight: bold }",
    "@media (prefers-color-scheme: dark) { rect { fill: #151b23; stroke: #656c76 } line { stroke: #656c76 } text { fill: #e6edf3 } }",
    "</style>",
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<line x1="0" y1="${bar}.5" x2="${width}" y2="${bar}.5"/>`,
    `<text class="title" x="${around}" y="20">${escaped(title)}</text>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}
