import { shellWord } from "../shell-word.ts";

/** A user's entry in a kubeconfig, for cures that change it. */
export interface UserEntry {
  readonly name: string;
  /** `--kubeconfig` of this call, when it had one. */
  readonly kubeconfig: string | undefined;
  readonly platform: string;
}

/** `run: kubectl config set-credentials …`, for pasting; in words when the names cannot be written safely in every shell. */
export function setUser(user: UserEntry, flags: readonly string[], inWords: string): string {
  return command(user, (name) => [`kubectl config set-credentials ${name} ${flags.join(" ")}`]) ?? inWords;
}

/** The same, to take members of the entry away. */
export function unsetKeys(user: UserEntry, keys: readonly string[], inWords: string): string {
  // The path is one word: what must be quoted in the name must be so in the whole of it.
  const paths = keys.map((key) => shellWord(`users.${user.name}.${key}`, user.platform));
  return paths.includes(undefined) ? inWords : (command(user, () => paths.map((path) => `kubectl config unset ${path}`)) ?? inWords);
}

function command({ name, kubeconfig, platform }: UserEntry, make: (name: string) => readonly string[]): string | undefined {
  const word = shellWord(name, platform);
  const file = kubeconfig === undefined ? "" : shellWord(kubeconfig, platform);
  if (word === undefined || file === undefined) return undefined;
  // A semicolon parts commands in every shell but cmd.
  return `run: ${make(word)
    .map((one) => `${one}${file === "" ? "" : ` --kubeconfig=${file}`}`)
    .join("; ")}`;
}
