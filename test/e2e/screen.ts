/** A control sequence with its first number and its letter, or one character. */
const piece = new RegExp(`(${"\u001b"}\\[\\??(\\d*)(?:;\\d+)*([A-Za-z]))|[^]`, "gu");

/** What a terminal of this width shows after these bytes, rows without the blanks at their end. As much of one as our program and readline use. */
export function screenOf(bytes: string, columns = 80): readonly string[] {
  const rows: string[][] = [[]];
  const at = { row: 0, column: 0 };
  const row = () => {
    while (rows.length <= at.row) rows.push([]);
    return rows[at.row] ?? [];
  };
  const control = (count: number, what: string) => {
    if (what === "A") at.row = Math.max(0, at.row - count);
    else if (what === "B") at.row += count;
    else if (what === "C") at.column = Math.min(columns - 1, at.column + count);
    else if (what === "D") at.column = Math.max(0, at.column - count);
    else if (what === "G") at.column = count - 1;
    else if (what === "K" || what === "J") {
      row().splice(at.column);
      if (what === "J") rows.splice(at.row + 1);
    } else throw new Error(`the screen does not know CSI ${what}`);
  };
  for (const [found, sequence, count, what = ""] of bytes.matchAll(piece)) {
    if (sequence !== undefined) {
      if (!/[hl]$/.test(sequence)) control(what === "K" || what === "J" ? 0 : Number(count || 1), what);
    } else if (found === "\r") at.column = 0;
    else if (found === "\n") at.row++;
    else {
      // The cursor waits behind the last column until something comes that has no room there.
      if (at.column === columns) Object.assign(at, { row: at.row + 1, column: 0 });
      const cells = row();
      while (cells.length < at.column) cells.push(" ");
      cells[at.column++] = found;
    }
  }
  return rows.map((cells) => cells.join("").trimEnd());
}
