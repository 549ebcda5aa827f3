/** The parser recurses, and a stack that is full ends Node here and there without an exception. No file of ours, and no kubeconfig, has ten levels. */
export function isNestedTooDeeply(text: string): boolean {
  if (/\n {200}|(?:[-?][ \t]+){100}/.test(text)) return true;
  let depth = 0;
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    depth = /[[{]/.test(bracket[0]) ? depth + 1 : Math.max(0, depth - 1);
    if (depth > 100) return true;
  }
  return false;
}
