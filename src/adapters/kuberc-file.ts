import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubercFacts } from "../core/checks/kuberc.ts";
import { yamlDocument } from "./yaml-document.ts";

/** Larger than any kuberc. Bytes. */
const mostBytes = 1_048_576;

/** kubectl's preferences: $KUBERC, else ~/.kube/kuberc; `off` switches them off (kubernetes/enhancements KEP-3104). */
export function readKuberc(env: Readonly<Record<string, string | undefined>>, home: string): KubercFacts {
  if (env["KUBERC"] === "off") return { kind: "off" };
  const isNamed = Boolean(env["KUBERC"]);
  const path = env["KUBERC"] || join(home, ".kube", "kuberc");
  try {
    const text = readFileSync(path, "utf8");
    const document = text.length > mostBytes ? undefined : yamlDocument(text, {});
    if (document === undefined || document.errors.length > 0) return { kind: "unreadable", path, isNamed };
    return { kind: "file", path, isNamed, value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" && !isNamed ? { kind: "absent" } : { kind: "unreadable", path, isNamed };
  }
}
