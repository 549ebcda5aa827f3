/** True also for what costs the parser as much as depth does. The parser recurses, and a stack that is full ends Node here and there without an exception. No file of ours, and no kubeconfig, has ten levels. */
export function isNestedTooDeeply(text: string): boolean {
  if (/\n {200}|(?:[-?][ \t]+){100}/.test(text)) return true;
  // `a: a: a: …` on one line: a level each for the parser, before it says that this is no YAML.
  for (const [part] of text.matchAll(/[^\n,{}[\]]+/g)) if ((part.match(/:[ \t]/g)?.length ?? 0) > 100) return true;
  let depth = 0;
  // Each one that closes nothing is a fault of its own, and the parser reads on from the beginning for each: 160 KB take it 26 seconds.
  let surplus = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    if (/[[{]/.test(bracket)) depth++;
    else if (depth > 0) depth--;
    else surplus++;
    if (depth > 100 || surplus > 100) return true;
  }
  return false;
}
