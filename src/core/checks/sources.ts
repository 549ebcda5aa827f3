import { optionTable } from "../flag-table.ts";
import type { UnknownVariable } from "../option-names.ts";
import { type Origin, placeOf } from "../provenance.ts";
import type { OptionSource } from "../settings.ts";
import { safeText } from "../untrusted-text.ts";
import { type Outcome, skipped, together, warn } from "./outcome.ts";

/** What decides the settings of a call. */
export interface SourceFacts {
  /** Strongest first; undefined: they could not be read (D-01). */
  readonly sources: readonly OptionSource[] | undefined;
  readonly origins: readonly Origin[];
  readonly unknown: readonly UnknownVariable[];
  /** False: no context of a kubeconfig was looked at. */
  readonly usesContext: boolean;
}

/** D-23: where the settings come from, and what somebody set without effect, or with more than they may know. */
export function checkSources({ sources, origins, unknown, usesContext }: SourceFacts): Outcome {
  const outcomes: Outcome[] = unknown.map(({ name, near }) =>
    warn(
      `${safeText(name, 60)} is no variable of this program${near === undefined ? "" : `: did you mean ${near}`}`,
      `unset ${safeText(name, 60)}${near === undefined ? "" : `, and set ${near}`}`,
    ),
  );
  if (sources === undefined) return outcomes.length === 0 ? skipped("the settings cannot be read (D-01)") : together(outcomes, "");
  const issuer = origins.find(({ name }) => name === "oidc-issuer-url");
  if (!usesContext && issuer?.source?.kind === "environment")
    outcomes.push(warn(`${issuer.where} names the issuer, so the current context is not looked at`, `unset ${issuer.where}, or name the context with --context`));
  for (const { name } of optionTable) outcomes.push(...hiddenValues(name, sources));
  const list = listOf(origins);
  const found = together(outcomes, list);
  return found.status === "ok" ? found : { ...found, detail: `${found.detail}; ${list}` };
}

/** A weaker source's value that another one hides, where that is likely not meant. */
function hiddenValues(name: (typeof optionTable)[number]["name"], sources: readonly OptionSource[]): readonly Outcome[] {
  const [strongest, ...weaker] = sources.filter(({ options }) => options[name] !== undefined);
  if (strongest === undefined || strongest.typed) return [];
  const isOther = (source: OptionSource) => source.options[name]?.join("\n") !== strongest.options[name]?.join("\n");
  const hides = placeOf(strongest, name);
  return weaker.filter(isOther).flatMap((source) => {
    if (source.kind === "profile") return [warn(`${name} of the ${safeText(source.label, 80)} does not count: ${hides} says something else`, `remove ${name} from one of the two`)];
    if (strongest.kind !== "environment" || (source.kind !== "stanza-env" && source.kind !== "cluster")) return [];
    // kubectl lays the stanza's env over its own environment, so that it gets the stanza's value.
    const effect = source.kind === "stanza-env" ? "; kubectl uses the stanza's" : "";
    return [warn(`${hides} overrides what ${safeText(source.label, 80)} says${effect}`, `unset ${hides}`)];
  });
}

/** `context prod: oidc-issuer-url=…, oidc-client-id=…; KUBECTL_OIDC_ACCOUNT: account=…`. */
function listOf(origins: readonly Origin[]): string {
  if (origins.length === 0) return "nothing is set";
  const places = [...new Set(origins.map(({ where }) => where))];
  return places
    .map((place) => {
      const own = origins.filter(({ where }) => where === place);
      return `${place}: ${own.map(({ name, shown }) => `${name}=${shown}`).join(", ")}`;
    })
    .join("; ");
}
