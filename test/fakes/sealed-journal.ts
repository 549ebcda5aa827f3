import type { SealedJournal } from "../../src/ports.ts";

/** A journal in memory: the key is compared, nothing is encrypted. */
export function journalIn(files: Map<string, string>): SealedJournal {
  let keys = 0;
  return {
    newKey: () => `key-${++keys}`,
    write: (name, key, text) => void files.set(`journal/${name}`, `${key} ${text}`),
    hasRoom: () => true,
    read(name, key) {
      const text = files.get(`journal/${name}`);
      return text?.startsWith(`${key} `) ? [text.slice(key.length + 1)] : [];
    },
    remove: (name) => void files.delete(`journal/${name}`),
  };
}
