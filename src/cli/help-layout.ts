/** Of a terminal that nobody widened. Characters. */
const width = 80;
/** Where the second column begins at the latest. */
const widest = 34;

/** Each with its reason behind it, or above it where there is no room; a long one goes on in the next line, as a shell reads it. */
export const examples = (rows: readonly (readonly [string, string])[]) =>
  rows.flatMap(([words, why]) => {
    const [first = "", ...more] = wrap(`kubectl oidc ${words}`, width - 8);
    const lines = [`  ${first}`, ...more.map((line) => `      ${line}`)].map((line, i, all) => (i < all.length - 1 ? `${line} \\` : line));
    const [line = ""] = lines;
    if (why === "") return lines;
    return lines.length === 1 && line.length + why.length + 4 <= width ? [`${line.padEnd(Math.min(44, width - why.length - 4))}  # ${why}`] : [`  # ${why}`, ...lines];
  });

/** Two columns; a first cell that is too wide stands on a line of its own. */
export function columns(rows: readonly (readonly [string, string])[], most = widest): readonly string[] {
  const left = Math.min(most, Math.max(0, ...rows.map(([cell]) => cell.length)));
  return rows.flatMap(([cell, about]) => {
    const [first = "", ...rest] = wrap(about, width - left - 4);
    const below = rest.map((line) => `${" ".repeat(left + 4)}${line}`);
    return cell.length > left ? [`  ${cell}`, `${" ".repeat(left + 4)}${first}`, ...below] : [`  ${cell.padEnd(left)}  ${first}`, ...below];
  });
}

/** Words in lines; a word that is longer than a line has one of its own. */
export function wrap(text: string, most = width): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export const page = (parts: readonly (readonly string[])[]) => `${parts.map((lines) => lines.map((line) => line.trimEnd()).join("\n")).join("\n\n")}\n`;
