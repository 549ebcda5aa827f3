/** Asks again and again, for what only time brings. Rejects after `seconds`. */
export async function until(seconds: number, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await look()); ) if (Date.now() > end) throw new Error(`not within ${seconds} s`);
}
