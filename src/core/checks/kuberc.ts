import { isObject } from "../session.ts";
import { safeText } from "../untrusted-text.ts";
import { kubercAllowlist } from "../kuberc.ts";
import { failed, type Outcome, ok, warn } from "./outcome.ts";

/** The file as it was read. `off`: KUBERC=off. `isNamed`: $KUBERC names it, so kubectl ends where it would else only warn. */
export type KubercFacts =
  | { readonly kind: "absent" }
  | { readonly kind: "off" }
  | { readonly kind: "unreadable"; readonly path: string; readonly isNamed: boolean }
  | { readonly kind: "file"; readonly path: string; readonly isNamed: boolean; readonly value: unknown };

/**
 * D-02: does kubectl's own policy (1.35 and newer) let it start this plugin? `resolve` gives the absolute path that a name means; kubectl follows
 * no link (protocol.md EC-71).
 */
export function checkKuberc(facts: KubercFacts, command: string | undefined, resolve: (name: string) => string | undefined): Outcome {
  if (facts.kind === "off") return ok("switched off by KUBERC=off");
  if (facts.kind === "absent") return ok("no kuberc: kubectl may start any plugin");
  const path = safeText(facts.path, 160);
  if (facts.kind === "unreadable" || !isObject(facts.value))
    return facts.isNamed
      ? failed("SETTINGS_INVALID", `KUBERC names ${path}, which cannot be read: kubectl ends at once`, "unset KUBERC")
      : warn(`${path} cannot be read; kubectl warns and goes on without it`, `correct ${path}`);
  const policy = facts.value["credentialPluginPolicy"] ?? "";
  const list = facts.value["credentialPluginAllowlist"];
  const program = command ?? "kubectl-oidc";
  const cure = `run: ${kubercAllowlist(resolve(program) ?? program).command}`;
  const refuse = (detail: string) => failed("SETTINGS_INVALID", detail, cure);
  const invalid = (detail: string) => failed("SETTINGS_INVALID", `${path}: ${detail}; kubectl starts no plugin`, `correct ${path}`);
  if (policy !== "" && policy !== "AllowAll" && policy !== "DenyAll" && policy !== "Allowlist") return invalid(`the credentialPluginPolicy ${safeText(policy, 40)} is unknown`);
  if (policy !== "Allowlist" && list !== undefined && list !== null) return invalid("a credentialPluginAllowlist needs credentialPluginPolicy: Allowlist");
  if (policy === "DenyAll") return refuse(`${path} says credentialPluginPolicy: DenyAll, so kubectl starts no plugin`);
  if (policy !== "Allowlist") return ok(`${path} lets kubectl start any plugin`);
  const entries = Array.isArray(list) ? list.filter(isObject) : [];
  if (entries.length === 0) return refuse(`the allowlist of ${path} is empty, so kubectl starts no plugin`);
  if (entries.some((entry) => entry["command"] !== undefined && entry["name"] !== undefined)) return invalid("an entry of the allowlist has command and name");
  const named = entries.map((entry) => entry["command"] ?? entry["name"]).filter((name) => typeof name === "string");
  const unclean = named.find((name) => !isClean(name));
  if (unclean !== undefined) return invalid(`${safeText(unclean, 120)} in the allowlist is not in its shortest form`);
  const isListed = named.some((name) => name === program || (resolve(name) !== undefined && resolve(name) === resolve(program)));
  return isListed ? ok(`${path} lists ${safeText(program, 120)}`) : refuse(`the allowlist of ${path} does not name ${safeText(program, 120)}, so kubectl does not start it`);
}

/** As Go's filepath.Clean leaves it: no doubled slash, none at the end, no `.` and no `..` but at the beginning. */
const isClean = (path: string) =>
  path === "/" ||
  path.split("/").every((part, i, all) => (part !== "" || (i === 0 && all.length > 1)) && part !== "." && (part !== ".." || all.slice(0, i).every((one) => one === "..")));
