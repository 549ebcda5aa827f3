/** A cell of a table. */
export const cell = (text) => String(text).replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
export const code = (text) => `\`${cell(text)}\``;
/** Rows of cells; a column that is empty in all of them stays. */
export const table = (head, rows) => [`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...rows.map((row) => `| ${row.join(" | ")} |`)];
export const page = (title, source, ...parts) =>
  `${[`# ${title}`, `Generated from ${source} by \`npm run docs\`; do not edit.`, ...parts.map((part) => (Array.isArray(part) ? part.join("\n") : part))].join("\n\n")}\n`;
export const fenced = (language, text) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
