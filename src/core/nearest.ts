/**
 * The known word that somebody meant with a misspelt one: by the letters that were left out, added, changed or swapped (at most two, and fewer than
 * half of the word), in other capitals, or by a beginning that only one has. Undefined when nothing is near.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length < 2 || word.length > 60) return undefined;
  const same = known.filter((one) => one.toLowerCase() === word.toLowerCase());
  if (same.length === 1) return same[0];
  const ranked = known.map((one) => ({ one, distance: distanceOf(word, one) })).sort((a, b) => a.distance - b.distance);
  const [best, second] = ranked;
  if (best !== undefined && best.distance <= 2 && best.distance < word.length / 2 && best.distance !== second?.distance) return best.one;
  const beginnings = known.filter((one) => one.startsWith(word));
  return beginnings.length === 1 && word.length > 2 ? beginnings[0] : undefined;
}

/** The same for names of contexts; also the only one that holds the word: names that clouds make are long. */
export function nearestContext(word: string, known: readonly string[]): string | undefined {
  const holding = known.filter((one) => word.length > 2 && one.includes(word));
  return nearest(word, known) ?? (holding.length === 1 ? holding[0] : undefined);
}

/** Letters to change, add, leave out or swap with their neighbour (optimal string alignment). */
function distanceOf(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      let least = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) least = Math.min(least, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[one.length]?.[other.length] ?? Number.POSITIVE_INFINITY;
}
