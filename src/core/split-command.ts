/**
 * A command line as text → its words, without a shell: blanks separate, single and double quotes keep together, a backslash
 * takes the next character (not in Windows paths: only before a quote, a blank or a backslash, and not at the start of
 * `\\server\share`). Undefined for an open quote.
 */
export function splitCommand(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    const next = text.charAt(i + 1);
    if (quote !== undefined) {
      if (c === quote) quote = undefined;
      else if (c === "\\" && quote === '"' && (next === '"' || next === "\\")) word = (word ?? "") + text.charAt(++i);
      else word = (word ?? "") + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= "";
    } else if (c === "\\" && next === "\\" && word === undefined) {
      word = c + text.charAt(++i);
    } else if (c === "\\" && /["'\\\s]/.test(next)) {
      word = (word ?? "") + text.charAt(++i);
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + c;
    }
  }
  if (quote !== undefined) return undefined;
  return word === undefined ? words : [...words, word];
}
