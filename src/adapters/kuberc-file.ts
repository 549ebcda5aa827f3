import { join } from "node:path";
import type { KubercFacts } from "../core/checks/kuberc.ts";
import { textOf } from "./kubeconfig-files.ts";
import { yamlDocument } from "./yaml-document.ts";

/** Larger than any kuberc. Bytes. */
const mostBytes = 1_048_576;

/** kubectl's preferences: $KUBERC, else ~/.kube/kuberc; `off` switches them off (kubernetes/enhancements KEP-3104). */
export function readKuberc(env: Readonly<Record<string, string | undefined>>, home: string): KubercFacts {
  if (env["KUBERC"] === "off") return { kind: "off" };
  const isNamed = Boolean(env["KUBERC"]);
  const path = env["KUBERC"] || join(home, ".kube", "kuberc");
  const unreadable: KubercFacts = { kind: "unreadable", path, isNamed };
  try {
    const text = textOf(path, (reason) => {
      throw new Error(reason);
    });
    if (text === undefined) return isNamed ? unreadable : { kind: "absent" };
    const document = text.length > mostBytes ? undefined : yamlDocument(text, {});
    if (document === undefined || document.errors.length > 0) return unreadable;
    return { kind: "file", path, isNamed, value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return unreadable;
  }
}
