import { environmentName, optionRow, optionTable } from "./flag-table.ts";
import { mergeSources, type OptionSource } from "./settings.ts";
import { safeText, shownUrl } from "./untrusted-text.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** One option that is not left to its default. */
export interface Origin {
  readonly name: string;
  /** Its value as it may be shown: no secret, no user information, no query of a URL. */
  readonly shown: string;
  /** `command line`, `KUBECTL_OIDC_ACCOUNT`, `context prod`, `profile work`, `/etc/kubectl-oidc/config.yaml`. */
  readonly where: string;
  readonly source: OptionSource | undefined;
}

/** Where each option comes from that is not left to its default, in the table's order. The codes of `mergeSources`. */
export function originsOf(sources: readonly OptionSource[], env: Environment): readonly Origin[] {
  const { raw, from } = mergeSources(sources);
  const origins = optionTable.flatMap(({ name, kind }): readonly Origin[] => {
    const source = from[name];
    const texts = raw[name] ?? [];
    // Of the others the last occurrence counts.
    const counted = kind === "list" || kind === "pairs" || kind === "paths" ? texts : texts.slice(-1);
    return source === undefined ? [] : [{ name, shown: shownValue(name, counted), where: placeOf(source, name), source }];
  });
  // Not ours, and they decide where nothing of ours says anything.
  const others = [
    ["token-cache-dir", "KUBECACHEDIR"],
    ["browser-command", "BROWSER"],
  ] as const;
  const borrowed = others.flatMap(([name, variable]): readonly Origin[] => {
    const value = env[variable];
    return value === undefined || value === "" || from[name] !== undefined ? [] : [{ name, shown: shownValue(name, [value]), where: variable, source: undefined }];
  });
  return [...origins, ...borrowed];
}

/** Where a source has an option from, in words that a person can look it up by. */
export function placeOf(source: OptionSource, name: string): string {
  if (source.kind === "environment") return environmentName(name);
  if (source.kind === "stanza-env") return `${environmentName(name)} in the env of ${safeText(source.label, 80)}`;
  return safeText(source.label, 120);
}

/** A value as it may be shown; what the table marks as secret never is, and certificates tell nobody anything. */
export function shownValue(name: string, texts: readonly string[]): string {
  const given = texts.filter((text) => text !== "");
  if (given.length === 0) return "(empty)";
  if (optionRow(name)?.secret === true) return "[redacted]";
  if (name === "certificate-authority-data") return "(certificates)";
  return given.map(shownText).join(", ");
}

function shownText(text: string): string {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return safeText(text, 120);
  const [bare = "", ...query] = text.split(/[?#]/, 2);
  return `${shownUrl(bare.replace(/^([^/]*\/\/)[^/]*@/, "$1"), 120)}${query.length === 0 ? "" : "?…"}`;
}
