const tokenAnswer = /^\d+ response 200 POST \S*\/token$/;

/** What the ring itself did wrong inside the program. */
export const ownFault = (log: readonly string[]) => log.find((line) => line.startsWith("?"));

/**
 * Lines as test/faults/preload/recorder.ts writes them; the fault's own begins with `!`.
 *
 * Had the program stored the issuer's answer when its run ended? Only until then may a crash lose it. It had when the first file after the
 * answer got its name (for a power cut: and its folder was synced), or when the keychain was handed the whole item; and by its own claim
 * when it went on to something else: asked the issuer for keys, printed, ended.
 */
export function wentOn(log: readonly string[], how: { readonly storeFails: boolean; readonly powerCut: boolean }): boolean {
  const answered = log.findIndex((line) => tokenAnswer.test(line));
  if (answered === -1) return false;
  let unsynced: string | undefined;
  for (const line of log.slice(answered + 1)) {
    const isFault = line.startsWith("!");
    const [, kind = "", about = ""] = line.replace("! ", "").split(" ");
    if (unsynced !== undefined) return !(isFault && kind === "fsync" && about === unsynced);
    if (["request", "stdout", "exit"].includes(kind)) return true;
    if (isFault) continue;
    const isNamed = kind === "rename";
    const isHandedOver = kind === "stdin" && (about === "store" || about === "write") && !how.storeFails;
    if ((isNamed || isHandedOver) && !how.powerCut) return true;
    if (isNamed) unsynced = `${about.split("/").slice(0, -1).join("/") || "."}/`;
    else if (isHandedOver) unsynced = "nothing";
  }
  return false;
}
