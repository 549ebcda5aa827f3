import { chooseSession } from "../app/world.ts";
import { isMachineGrant } from "../core/keys.ts";
import type { RawOptions } from "../core/option-values.ts";
import type { SessionIdentity, SessionRecord } from "../core/session.ts";
import { type OptionSource, resolveSettings } from "../core/settings.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { contextSources, type Gathered } from "./sources.ts";

/** A context of the kubeconfig, and the session that its stanza means. */
export interface SessionContext {
  readonly name: string;
  readonly key: string;
  readonly folder: string;
  readonly identity: SessionIdentity;
  /** `--oidc-audience` there. */
  readonly audiences: readonly string[];
  readonly gathered: Gathered;
}

/** One stored session and the contexts of the kubeconfig that use it. */
export interface StoredSession {
  readonly record: SessionRecord;
  readonly folder: string;
  readonly contexts: readonly SessionContext[];
}

/** What is stored, beside what the kubeconfig means. */
export interface Survey {
  readonly sessions: readonly StoredSession[];
  /** Contexts whose session is not stored; those of one session together. */
  readonly without: readonly (readonly [SessionContext, ...SessionContext[]])[];
  /** Contexts that run us and cannot be used, with the reason. */
  readonly unusable: readonly { readonly name: string; readonly error: OidcError }[];
  /** Why the kubeconfig, which is there, says nothing. */
  readonly unreadable: OidcError | undefined;
}

/** Every session in the store and in the folders that contexts name. Makes no request and asks no keychain. */
export function surveySessions(call: Call): Survey {
  const { contexts, unusable, unreadable } = contextsWithSessions(call);
  const folders = new Set([folderOfFlags(call), ...contexts.map(({ folder }) => folder)]);
  const sessions = [...folders].flatMap((folder) =>
    call.machine
      .sessionsIn(folder)
      .list()
      .map((record) => ({ record, folder, contexts: contexts.filter((context) => context.key === record.key && context.folder === folder) })),
  );
  const without = new Map<string, [SessionContext, ...SessionContext[]]>();
  for (const context of contexts) {
    if (sessions.some(({ record, folder }) => record.key === context.key && folder === context.folder)) continue;
    const place = `${context.key} ${context.folder}`;
    const others = without.get(place);
    if (others === undefined) without.set(place, [context]);
    else others.push(context);
  }
  return { sessions, without: [...without.values()], unusable, unreadable };
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

/** Every context of the kubeconfig that runs us, with its session. */
export function contextsWithSessions(call: Call): Pick<Survey, "unusable" | "unreadable"> & { readonly contexts: readonly SessionContext[] } {
  const unusable: { name: string; error: OidcError }[] = [];
  const readable = readableContexts(call);
  const contexts = readable.contexts.flatMap((context): readonly SessionContext[] => {
    try {
      const sources = contextSources(call.machine, context);
      const settings = call.machine.withIdentity(call.machine.withPaths(resolveSettings(sources)));
      const folder = call.machine.folderOf(settings);
      const { key, identity } = chooseSession(settings, call.machine.sessionsIn(folder));
      return [
        {
          name: context.contextName,
          key,
          folder,
          identity,
          audiences: settings.audiences,
          gathered: { sources, server: undefined, context: undefined, looked: [], strict: undefined },
        },
      ];
    } catch (error) {
      // A context that cannot be used does not keep the others.
      if (!isOidcError(error)) throw error;
      unusable.push({ name: context.contextName, error });
      return [];
    }
  });
  return { contexts, unusable, unreadable: readable.fault };
}

function readableContexts(call: Call): { readonly contexts: ReturnType<Call["machine"]["contexts"]>; readonly fault: OidcError | undefined } {
  try {
    return { contexts: call.machine.contexts({ kubeconfig: call.invocation.kubeconfig }), fault: undefined };
  } catch (error) {
    // What is not there says nothing and is no fault.
    if (isOidcError(error) && call.invocation.kubeconfig === undefined) return { contexts: [], fault: error.reason === "ENOENT" ? undefined : error };
    throw error;
  }
}

/** What a record says about its own settings, under the flags of this command line. */
export function sourcesOfRecord(record: SessionRecord, flags: RawOptions): readonly OptionSource[] {
  const { issuer, clientId, scopes, account, storage, grant } = record.identity;
  const options: RawOptions = {
    "oidc-issuer-url": [issuer],
    "oidc-client-id": [clientId],
    "token-cache-storage": [storage],
    ...(scopes.length === 0 ? {} : { "oidc-extra-scope": scopes }),
    ...(account === undefined ? {} : { account: [account] }),
    ...(isMachineGrant(grant) ? { "grant-type": [grant] } : {}),
  };
  return [
    { label: "command line", typed: true, options: flags },
    { label: "stored session", typed: false, options },
  ];
}
