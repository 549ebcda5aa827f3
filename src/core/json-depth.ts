/** True when a JSON text nests objects and lists deeper than `most`. Who writes it again (JSON.stringify recurses) would run out of stack. */
export function isNestedDeeper(json: string, most: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (inText) {
      if (character === "\\") at++;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === "{" || character === "[") {
      depth++;
      if (depth > most) return true;
    } else if (character === "}" || character === "]") depth--;
  }
  return false;
}
