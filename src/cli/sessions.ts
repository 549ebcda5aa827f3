import { chooseSession } from "../app/world.ts";
import type { RawOptions } from "../core/option-values.ts";
import type { SessionRecord } from "../core/session.ts";
import { type OptionSource, resolveSettings } from "../core/settings.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { type Gathered, sourcesOfContext } from "./sources.ts";

/** One stored session and the contexts of the kubeconfig that use it. */
export interface StoredSession {
  readonly record: SessionRecord;
  readonly folder: string;
  readonly contexts: readonly { readonly name: string; readonly gathered: Gathered }[];
}

/** Every session in the store and in the folders that contexts name. Makes no request and asks no keychain. */
export function sessionContexts(call: Call): readonly StoredSession[] {
  const contexts = contextsWithSessions(call);
  const folders = new Set([folderOfFlags(call), ...contexts.map(({ folder }) => folder)]);
  return [...folders].flatMap((folder) =>
    call.machine
      .sessionsIn(folder)
      .list()
      .map((record) => ({ record, folder, contexts: contexts.filter((context) => context.key === record.key && context.folder === folder) })),
  );
}

/** The store's folder by flag, variable, KUBECACHEDIR or default; issuer and client do not matter to it. */
function folderOfFlags(call: Call): string {
  const options = { "oidc-issuer-url": ["https://unused.invalid"], "oidc-client-id": ["unused"], ...pick(call.invocation.options, call.env) };
  return call.machine.folderOf(call.machine.withPaths(resolveSettings([{ label: "command line", typed: true, options }])));
}

function pick(options: RawOptions, env: Call["env"]): RawOptions {
  const value = options["token-cache-dir"] ?? (env["KUBECTL_OIDC_TOKEN_CACHE_DIR"] === undefined ? undefined : [env["KUBECTL_OIDC_TOKEN_CACHE_DIR"]]);
  return value === undefined ? {} : { "token-cache-dir": value };
}

function contextsWithSessions(call: Call): readonly { readonly name: string; readonly key: string; readonly folder: string; readonly gathered: Gathered }[] {
  return readableContexts(call).flatMap((context) => {
    const sources = sourcesOfContext(call.machine, context);
    if (sources === undefined) return [];
    try {
      const settings = call.machine.withPaths(resolveSettings(sources));
      const folder = call.machine.folderOf(settings);
      const { key } = chooseSession(settings, call.machine.sessionsIn(folder));
      return [{ name: context.contextName, key, folder, gathered: { sources, server: undefined, context: undefined, looked: [], strict: undefined } }];
    } catch (error) {
      // A context that cannot be used is the business of the command that uses it.
      if (isOidcError(error)) return [];
      throw error;
    }
  });
}

function readableContexts(call: Call): ReturnType<Call["machine"]["contexts"]> {
  try {
    return call.machine.contexts({ kubeconfig: call.invocation.kubeconfig });
  } catch (error) {
    if (isOidcError(error) && call.invocation.kubeconfig === undefined) return [];
    throw error;
  }
}

/** What a record says about its own settings, under the flags of this command line. */
export function sourcesOfRecord(record: SessionRecord, flags: RawOptions): readonly OptionSource[] {
  const { issuer, clientId, scopes, account, storage } = record.identity;
  const options: RawOptions = {
    "oidc-issuer-url": [issuer],
    "oidc-client-id": [clientId],
    "token-cache-storage": [storage],
    ...(scopes.length === 0 ? {} : { "oidc-extra-scope": scopes }),
    ...(account === undefined ? {} : { account: [account] }),
  };
  return [
    { label: "command line", typed: true, options: flags },
    { label: "stored session", typed: false, options },
  ];
}
