import { apiServer } from "./adapters/api-server.ts";
import { readAuditFiles } from "./adapters/audit-files.ts";
import { auditLog } from "./adapters/audit-log.ts";
import { systemBrowser } from "./adapters/browser.ts";
import { systemClock } from "./adapters/clock.ts";
import { readConfiguration } from "./adapters/configuration.ts";
import { authorityData } from "./adapters/authority-file.ts";
import { credentialFile, credentialStoreOf } from "./adapters/credential-files.ts";
import { clientFiles } from "./adapters/client-files.ts";
import { keptClientSecret } from "./adapters/client-secrets.ts";
import { folders } from "./adapters/folders.ts";
import { handoutNotes } from "./adapters/handout-notes.ts";
import { httpsFetch } from "./adapters/https-fetch.ts";
import { issuerCache } from "./adapters/issuer-cache.ts";
import { listContexts, loadContext } from "./adapters/kubeconfig.ts";
import { applyHardening, type Hardening, type Pins, planHardening } from "./adapters/hardening.ts";
import { type PlannedChange, planChange, planReturn, readBackup } from "./adapters/kubeconfig-plan.ts";
import { kubeconfigMentions } from "./adapters/kubeconfig-mention.ts";
import { surveyKubeconfig } from "./adapters/kubeconfig-survey.ts";
import { withoutSecrets } from "./adapters/kubeconfig-mask.ts";
import { applyChanges, tryChanges } from "./adapters/kubeconfig-writer.ts";
import { placesOfThisHost } from "./adapters/lock-places.ts";
import { loopbackServer } from "./adapters/loopback-server.ts";
import { rememberCall } from "./adapters/memo-files.ts";
import { kubectlVersion, programAsCalled, programOf, programsNamed, real } from "./adapters/plugin-programs.ts";
import type { Process } from "./adapters/process.ts";
import { proxyFor } from "./adapters/proxy.ts";
import { waitForKubelogin } from "./adapters/kubelogin-lock.ts";
import { kubeloginEntries, kubeloginEntry, removeKubeloginEntry } from "./adapters/kubelogin-cache.ts";
import { readKuberc } from "./adapters/kuberc-file.ts";
import { auditFolder, expandPath, places, withPaths } from "./adapters/paths.ts";
import { ownProgram } from "./adapters/own-program.ts";
import { privateFiles } from "./adapters/private-files.ts";
import { sealedJournal } from "./adapters/sealed-journal.ts";
import { qrLines } from "./adapters/qr.ts";
import { readSecretFile } from "./adapters/secret-file.ts";
import { placeOf, secretStoreOf } from "./adapters/secret-stores.ts";
import { sessionFiles } from "./adapters/session-files.ts";
import { subjectTokens } from "./adapters/subject-token/subject-tokens.ts";
import { withIdentity } from "./adapters/subject-token/with-identity.ts";
import { surroundings } from "./adapters/surroundings.ts";
import { terminal } from "./adapters/terminal.ts";
import { addedAuthorityText, rootFacts } from "./adapters/trust-roots.ts";
import { yamlText } from "./adapters/yaml-text.ts";
import { auditTrail } from "./app/audit-trail.ts";
import { secretItems } from "./app/secret-items.ts";
import type { Run, SessionChoice, World } from "./app/world.ts";
import type { ClusterAccess } from "./core/exec-info.ts";
import { wantsBinding } from "./core/dpop.ts";
import { lockName } from "./core/keys.ts";
import { once } from "./core/once.ts";
import type { CredentialRecord, SessionRecord, TrustedServer } from "./core/session.ts";
import type { Settings } from "./core/settings.ts";
import { sha256Hex } from "./core/sha256.ts";
import { parentStart, stampOf } from "./hot/cached-token.ts";
import type { PrivateFiles, SecretStore, SessionStore } from "./ports.ts";

export type { Process };

/** What may end a command, and what must not. */
export interface Circumstances extends Pick<World, "undisturbed"> {
  readonly signal: AbortSignal;
  /** Variables that requests take no account of (`strict`). */
  readonly notCounted?: readonly string[];
  /** Where the audit log lies; undefined: it is off. */
  readonly auditFolder?: string | undefined;
}

/** This computer, as the commands see it. */
export type Machine = ReturnType<typeof machine>;

/** Joins the adapters. Nothing is opened, loaded or asked before it is needed. */
export function machine(start: Process) {
  const { env, platform, cwd } = start;
  const where = places(platform, env);
  const person = terminal({ verbosity: start.verbosity });
  const seen = folders();
  const filesIn = (folder: string): PrivateFiles => privateFiles(folder, seen);
  const defaultFiles = filesIn(where.data);
  const self = ownProgram(start.form, cwd);

  const keychains = start.keychain === undefined ? [] : [start.keychain];
  const storeOf = (storage: string, folder: string, mayPrompt: boolean) =>
    secretStoreOf(storage, { files: filesIn(folder), mayPrompt, keychainChild: self.keychainChild, takeStarted: () => keychains.pop() });

  return {
    terminal: person,
    clock: systemClock(),
    folderOf: (settings: Pick<Settings, "cacheDirectory">) => settings.cacheDirectory ?? where.data,
    configuration: () => readConfiguration(where, env),
    auditFolder: (isFixed: boolean) => auditFolder(where, isFixed),
    usualAuditFolders: [...new Set([auditFolder(where, false), auditFolder(where, true)])],
    auditContent: (folder: string) => readAuditFiles(folder),
    context: (choice: { readonly kubeconfig: string | undefined; readonly context: string | undefined }) => loadContext({ ...given(choice), env, home: where.home }),
    contexts: (choice: { readonly kubeconfig: string | undefined }) => listContexts({ ...given(choice), env, home: where.home }),
    /** All that the kubeconfig files say, for those who change them, and what changes them. */
    kubeconfig: {
      mentions: (choice: { readonly kubeconfig: string | undefined }, word: RegExp) => kubeconfigMentions({ ...given(choice), env, home: where.home }, word),
      survey: (choice: { readonly kubeconfig: string | undefined }) => surveyKubeconfig({ ...given(choice), env, home: where.home }),
      planChange,
      planReturn,
      withoutSecrets,
      readBackup,
      tryApply: (changes: readonly PlannedChange[], signal: AbortSignal) => tryChanges(changes, (ms) => systemClock().sleep(ms, signal)),
      apply: (changes: readonly PlannedChange[], signal: AbortSignal) => applyChanges(changes, (ms) => systemClock().sleep(ms, signal)),
    },
    /** Block style, for people and for `kubectl apply`. */
    yaml: (value: unknown) => yamlText(value, false),
    /** PEM of the authorities that these settings add; undefined when they add none. */
    authorityOf: (settings: Settings) => addedAuthorityText(settings),
    /** Base64 of the certificate authority in a file that KUBERNETES_EXEC_INFO names. */
    authorityData: (path: string) => authorityData(expandPath(path, where.home, cwd)),
    /** `~` expanded, and absolute: a stanza is used in any folder. */
    absolute: (path: string, folder = cwd) => expandPath(path, where.home, folder),
    /** kubelogin's cache: the folders that a stanza names (`roots`: its KUBECACHEDIR), and the usual ones. */
    kubeloginCache: {
      entries(folders: readonly string[], roots: readonly string[]) {
        const named = [...roots, ...(env["KUBECACHEDIR"] ? [env["KUBECACHEDIR"]] : []), "~/.kube/cache"].map((root) => `${root}/oidc-login`);
        return kubeloginEntries([...folders, ...named].map((path) => expandPath(path, where.home, cwd)));
      },
      entry: kubeloginEntry,
      idle: (path: string, signal: AbortSignal, told: () => void) => waitForKubelogin(path, (ms) => systemClock().sleep(ms, signal), told),
      remove: removeKubeloginEntry,
    },
    /** Keeps a client secret in a private file, for a stanza that must not hold it; gives its path. The codes of private files. */
    keptClientSecret: (issuer: string, clientId: string) => keptClientSecret(defaultFiles, issuer, clientId),
    hardening: { plan: (pins: Pins, program: string) => planHardening(where, pins, program), apply: (plan: Hardening) => applyHardening(plan) },
    withPaths: (settings: Settings) => withPaths(settings, env, where, cwd),
    /** The settings with the identity that a machine's session stands on. The codes of `chooseSubject`. */
    withIdentity: (settings: Settings) => withIdentity(settings, env),
    /** True when a path among these settings depends on the working directory. */
    dependsOnFolder: (raw: readonly string[]) => raw.some((path) => !/^(\/|~|[A-Za-z]:[\\/]|\\\\)/.test(path)),
    sessionsIn: (folder: string): SessionStore => sessionFiles(filesIn(folder)),
    /** The files of a store, for what is no secret. */
    filesIn,
    /** Where sessions lie when nothing moved them, by the variables and by the user database. */
    usualFolders: [...new Set([where.data, ...(where.fixed === undefined ? [] : [where.fixed.data])])],
    /** The server list of a stored session; its store's codes. */
    async serversOf(record: SessionRecord, folder: string): Promise<readonly TrustedServer[]> {
      const store = storeOf(placeOf(record.identity.storage, record.identity.grant), record.identity.directory ?? folder, false);
      return (await secretItems(store, sealedJournal([])).read(record.itemName))?.servers ?? [];
    },
    world: (settings: Settings, how: Circumstances & { readonly mayPrompt: boolean }, itemName: string) =>
      worldOf(settings, how, itemName, (storage) => storeOf(storage, settings.cacheDirectory ?? where.data, how.mayPrompt)),
    /** The API server of a context. */
    apiServer: (cluster: ClusterAccess, signal: AbortSignal) => apiServer(cluster, { env, version: start.version, log: (level, text) => person.log(level, text), signal }),
    /** The newest version in the registry (`version --check`). */
    async newestRelease(signal: AbortSignal) {
      const { newestRelease } = await import("./adapters/releases.ts");
      return newestRelease({ env, version: start.version, log: (level, text) => person.log(level, text), signal });
    },
    /** What `doctor` asks of this computer. */
    examined: {
      kuberc: () => readKuberc(env, where.home),
      programOf: (command: string, folder: string) => programOf(command, folder, env, platform),
      programsNamed: (name: string) => programsNamed(name, env, platform),
      kubectlVersion: () => kubectlVersion(env, platform),
      /** The proxy of a request to this URL; SETTINGS_INVALID for one that cannot be used. */
      proxyFor: (url: URL) => proxyFor(url, env),
      own: () => real(self.called) ?? "",
      /** This program by the PATH, else as it was called; links are not followed, since kubectl's allow-list compares it as it is written. */
      callable: () => programAsCalled("kubectl-oidc", self.called, env, platform),
      roots: () => rootFacts(env),
    },
    notes: (session: SessionChoice) => handoutNotes(defaultFiles, session.credentialKey, session.key),
    client: () => ({ parent: start.parent, parentStart: parentStart({ ppid: start.parent, platform }), execInfo: env["KUBERNETES_EXEC_INFO"] ?? "" }),
    /** Remembers a judged call for the hot path. Best effort: without the refresh lock, or a private file, the next call is judged again. */
    async remember(
      run: Run,
      credential: CredentialRecord,
      call: {
        readonly argv: readonly string[];
        readonly apiVersion: "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";
        readonly looked: readonly string[];
        readonly cwd: string | undefined;
      },
    ) {
      const { world, settings, session } = run;
      const held = (await world.locks()).tryTake(`refresh-${lockName(session)}`);
      if (held === undefined) return;
      try {
        await rememberCall(
          {
            argv: call.argv,
            env,
            programVersion: start.version,
            cwd: call.cwd,
            configFiles: call.looked,
            credentialFile: `${world.files.folder}/${credentialFile(session.credentialKey)}`,
            kind: credential.kind,
            minValidity: settings.minValidity,
            ttl: settings.credentialTtl,
            apiVersion: call.apiVersion,
            keychain: world.store.kind === "keyring" ? true : undefined,
          },
          {
            files: defaultFiles,
            stampOf,
            now: world.clock.now(),
            readCredential: () => world.credentials.read(session.credentialKey),
            writeCredential: (record) => world.credentials.write(session.credentialKey, record),
          },
        );
      } finally {
        held.release();
      }
    },
  };

  function worldOf(settings: Settings, how: Circumstances, itemName: string, stores: (storage: string) => SecretStore): World {
    const store = stores(placeOf(settings.storage, settings.grant));
    const files = filesIn(settings.cacheDirectory ?? where.data);
    const client = clientFiles(settings, person, how.signal);
    // Made by the first that asks: a token from the cache needs no request.
    const issuerHttp = once(() =>
      httpsFetch({
        caFiles: settings.caFiles,
        caData: settings.caData,
        insecure: settings.insecure,
        env: Object.fromEntries(Object.entries(env).filter(([name]) => how.notCounted?.includes(name) !== true)),
        headers: settings.requestHeaders,
        origin: new URL(settings.issuer).origin,
        certificate: client.certificate,
        version: start.version,
        log: (level, text) => person.log(level, text),
        signal: how.signal,
      }),
    );
    const clock = systemClock();
    return {
      clock,
      terminal: person,
      get browser() {
        return systemBrowser({ command: settings.browserCommand, env, platform });
      },
      surroundings: () => surroundings(env),
      get callbacks() {
        return loopbackServer();
      },
      files,
      waited: start.waited,
      audit: how.auditFolder === undefined ? undefined : auditTrail(auditLog({ ...start, folder: how.auditFolder, now: clock.now, warn: person.warn })),
      sessions: sessionFiles(files),
      credentials: credentialStoreOf(settings.idTokenCache, files, () => stores(settings.storage), itemName),
      store,
      secrets: secretItems(store, sealedJournal([files, ...placesOfThisHost({ runtimeFolder: env["XDG_RUNTIME_DIR"] }).map(filesIn)])),
      undisturbed: how.undisturbed,
      locks: once(async () => {
        const { kernelLocks } = await import("./adapters/kernel-locks.ts");
        return kernelLocks(files.folder, { runtimeFolder: env["XDG_RUNTIME_DIR"], seen });
      }),
      provider: once(async (cacheKey?: string) => {
        const { openIdProvider } = await import("./adapters/openid-provider.ts");
        const cache = issuerCache(files, sha256Hex(JSON.stringify([settings.issuer, issuerHttp().trust(), itemName])).slice(0, 32));
        if (cacheKey !== undefined) cache.unlock(cacheKey);
        return openIdProvider({
          issuer: settings.issuer,
          clientId: settings.clientId,
          ...(await client.options()),
          useAccessToken: settings.useAccessToken,
          audiences: settings.audiences,
          acrValues: settings.acrValues,
          maxAge: settings.maxAge,
          mustBeBound: wantsBinding(settings) === "demanded",
          fetch: issuerHttp().fetch,
          roots: issuerHttp().roots,
          cache,
          now: () => clock.now(),
        });
      }),
      async inspectIssuer() {
        const { inspectIssuer } = await import("./adapters/issuer-inspection.ts");
        return inspectIssuer(settings.issuer, settings.clientId, issuerHttp().fetch, (await client.certificate()) !== undefined);
      },
      clientProof: () => client.proof(),
      trust: () => issuerHttp().trust(),
      requestsWithin: (ms, action) => issuerHttp().within(ms, action),
      makeRequestsReady: () => issuerHttp().makeReady(),
      qr: async (text) => qrLines(text),
      subjectTokens: once(() => subjectTokens({ env, platform, settings, version: start.version, terminal: person, ...how })),
      readSecretFile: (option, path) => readSecretFile(option, path, { signal: how.signal }),
    };
  }
}

/** Without the undefined ones (exactOptionalPropertyTypes). */
function given(choice: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined }): { kubeconfig?: string; context?: string } {
  return { ...(choice.kubeconfig === undefined ? {} : { kubeconfig: choice.kubeconfig }), ...(choice.context === undefined ? {} : { context: choice.context }) };
}
