import { isObject } from "../session.ts";
import { safeText } from "../untrusted-text.ts";
import { kubercAllowlist } from "../kuberc.ts";
import { failed, type Outcome, ok, warn } from "./outcome.ts";

/** The file as it was read. `off`: KUBERC=off. */
export type KubercFacts =
  | { readonly kind: "absent" }
  | { readonly kind: "off" }
  | { readonly kind: "unreadable"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly value: unknown };

/**
 * D-02: does kubectl's own policy (1.35 and newer) let it start this plugin? `resolve` gives the absolute path that a name means; kubectl follows
 * no link (protocol.md EC-71).
 */
export function checkKuberc(facts: KubercFacts, command: string | undefined, resolve: (name: string) => string | undefined): Outcome {
  if (facts.kind === "off") return ok("switched off by KUBERC=off");
  if (facts.kind === "absent") return ok("no kuberc: kubectl may start any plugin");
  const path = safeText(facts.path, 160);
  if (facts.kind === "unreadable" || !isObject(facts.value)) return warn(`${path} cannot be read; kubectl warns and goes on without it`, `correct ${path}`);
  const policy = facts.value["credentialPluginPolicy"] ?? "";
  const program = command ?? "kubectl-oidc";
  const cure = kubercAllowlist(resolve(program) ?? program).command;
  if (policy === "" || policy === "AllowAll") return ok(`${path} lets kubectl start any plugin`);
  if (policy === "DenyAll") return failed("SETTINGS_INVALID", `${path} says credentialPluginPolicy: DenyAll, so kubectl starts no plugin`, `run: ${cure}`);
  if (policy !== "Allowlist") return failed("SETTINGS_INVALID", `${path} has the unknown credentialPluginPolicy ${safeText(policy, 40)}`, `correct ${path}`);
  const entries = Array.isArray(facts.value["credentialPluginAllowlist"]) ? facts.value["credentialPluginAllowlist"].filter(isObject) : [];
  const named = entries.map((entry) => entry["command"] ?? entry["name"]).filter((name) => typeof name === "string");
  const isListed = named.some((name) => name === program || (resolve(name) !== undefined && resolve(name) === resolve(program)));
  return isListed
    ? ok(`${path} lists ${safeText(program, 120)}`)
    : failed("SETTINGS_INVALID", `the allowlist of ${path} does not name ${safeText(program, 120)}, so kubectl does not start it`, `run: ${cure}`);
}
