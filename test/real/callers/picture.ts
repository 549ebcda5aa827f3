/** A control sequence with its numbers and its letter, one that draws nothing, or one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const piece = /\u001b\[(\??)([\d;]*)([A-Za-z])|\u001b(?:\][^\u0007]*\u0007|[()][A-Z0-9]|[=>78])|./gsu;

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal of this size shows after these bytes of a program that fills it: as much of one as tcell's programs and a line in between use. */
export function pictureOf(bytes: string, { columns, rows }: Size): readonly string[] {
  const blank = () => Array.from({ length: columns }, () => " ");
  const cells = Array.from({ length: rows }, blank);
  const at = { row: 0, column: 0 };
  const erase = (from: number, to: number) => {
    for (let i = from; i < to; i++) (cells[Math.floor(i / columns)] ?? [])[i % columns] = " ";
  };
  const here = () => at.row * columns + Math.min(at.column, columns - 1);
  const control = (isPrivate: boolean, numbers: readonly number[], what: string) => {
    const [first = 0, second = 0] = numbers;
    if (what === "H") Object.assign(at, { row: Math.min(Math.max(first, 1), rows) - 1, column: Math.min(Math.max(second, 1), columns) - 1 });
    else if (what === "J") erase(first === 0 ? here() : 0, first === 1 ? here() + 1 : rows * columns);
    else if (what === "K") erase(first === 0 ? here() : at.row * columns, first === 1 ? here() + 1 : (at.row + 1) * columns);
    // Another screen, empty.
    else if (what === "h" && isPrivate && first === 1049) erase(0, rows * columns);
    else if (!"hlmt".includes(what)) throw new Error(`the picture does not know CSI ${what}`);
  };
  const down = () => {
    if (at.row < rows - 1) at.row++;
    else cells.splice(0, 1, ...cells.splice(1), blank());
  };
  for (const [found, isPrivate, numbers = "", what] of bytes.matchAll(piece)) {
    if (what !== undefined) control(isPrivate === "?", numbers.split(";").map(Number), what);
    else if (found === "\r") at.column = 0;
    else if (found === "\n") down();
    else if (!found.startsWith("\u001b")) {
      if (at.column === columns) {
        at.column = 0;
        down();
      }
      const row = cells[at.row] ?? [];
      row[at.column++] = found;
      // A little picture is two cells wide.
      if (/\p{Emoji_Presentation}/u.test(found) && at.column < columns) row[at.column++] = "";
    }
  }
  return cells.map((row) => row.join("").trimEnd());
}
