import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { complete, completionText, type KnownNames } from "./complete.ts";
import { completionScripts } from "./completion-scripts.ts";
import { writeData, writeTabbed } from "./output.ts";
import { sourcesOfContext } from "./sources.ts";

/** The script that a shell reads once. */
export async function completionCommand(call: Call): Promise<void> {
  const [shell = ""] = call.invocation.words;
  const found = Object.entries(completionScripts).find(([name]) => name === shell);
  if (found === undefined) return fail("FLAG_INVALID", { message: `completion is for ${Object.keys(completionScripts).join(", ")}` });
  return writeData(found[1]);
}

/** The answer to a shell, or to kubectl, that asks while somebody types. Never an error: what cannot be known is not offered. */
export function answerCompletion(machine: Call["machine"], words: readonly string[]): Promise<void> {
  return writeTabbed(completionText(complete(words.length === 0 ? [""] : words.map((word) => (word === '""' ? "" : word)), () => knownNames(machine))));
}

function knownNames(machine: Call["machine"]): KnownNames {
  const contexts = quietly(() => machine.contexts({ kubeconfig: undefined })) ?? [];
  const survey = quietly(() => machine.kubeconfig.survey({ kubeconfig: undefined }));
  const options = contexts.flatMap((context) => sourcesOfContext(machine, context) ?? []).map((source) => source.options);
  const records = machine.usualFolders.flatMap((folder) => quietly(() => machine.sessionsIn(folder).list()) ?? []);
  const said = (name: "oidc-issuer-url" | "oidc-client-id" | "account") => options.flatMap((option) => option[name] ?? []);
  const profiles = quietly(() => {
    const { machine: everybodys, user } = machine.configuration();
    return [everybodys, user].flatMap((file) => (file === undefined ? [] : Object.keys(file.profiles)));
  });
  return {
    contexts: contexts.map(({ contextName }) => contextName),
    allContexts: [...(survey?.contexts.keys() ?? [])],
    clusters: [...(survey?.clusters.keys() ?? [])],
    users: [...(survey?.users.keys() ?? [])],
    issuers: [...said("oidc-issuer-url"), ...records.map(({ identity }) => identity.issuer)],
    clients: [...said("oidc-client-id"), ...records.map(({ identity }) => identity.clientId)],
    accounts: [...said("account"), ...records.flatMap(({ identity }) => identity.account ?? [])],
    profiles: profiles ?? [],
  };
}

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}
