import { type AdoptionNote, adoptionNote } from "../app/adopt-token.ts";
import type { Run } from "../app/world.ts";
import { execStanza } from "../core/exec-stanza.ts";
import { type ForeignToken, foreignToken, isTokenOf, newestOfOne } from "../core/foreign-token.ts";
import { decodeJwt } from "../core/id-token.ts";
import { entryOf, type KubeconfigValue, type Touched, withEntry } from "../core/kubeconfig-edits.ts";
import { isMachineGrant } from "../core/keys.ts";
import { secret } from "../core/secret.ts";
import { isObject, type TrustedServer } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import { type MigrateUser, migrateUsers, migrationIn, type Survey } from "./migrate-users.ts";
import type { PlannedChange } from "./setup-plan.ts";

/** A refresh token on its way into our store. */
export interface Move {
  readonly run: Run;
  readonly reopen: () => Run;
  readonly token: ForeignToken;
  /** kubelogin's file; undefined for one that lies in the kubeconfig. */
  readonly path: string | undefined;
  readonly servers: readonly (TrustedServer | undefined)[];
  readonly expected: "moved" | "kept-ours";
}

/** What becomes of a user's refresh token. */
export type TokenPlan =
  | { readonly state: "moved" | "kept-ours"; readonly move: Move }
  | { readonly state: "none" }
  | { readonly state: "not-carried-over"; readonly reason: string };

export interface PlannedUser extends MigrateUser {
  readonly token: TokenPlan;
  readonly losses: readonly string[];
}

/** The old copy that an earlier run left, which was cut short after the kubeconfig was written. */
export interface Leftover {
  readonly run: Run;
  readonly note: AdoptionNote;
}

export interface MigrationPlan {
  readonly users: readonly PlannedUser[];
  readonly moves: readonly Move[];
  readonly changes: readonly PlannedChange[];
  readonly leftovers: readonly Leftover[];
}

interface Holding {
  readonly token: ForeignToken;
  readonly path: string | undefined;
  /** The file's name says that this very stanza made it. */
  readonly isProven: boolean;
}

/** What is to be done for every user, or for that of one context. Makes no request, and asks no keychain. KUBECONFIG_UNREADABLE. */
export function planMigration(call: Call, survey: Survey, context: string | undefined): MigrationPlan {
  const all = withoutTwoSecrets(call, migrateUsers(call, survey));
  const selected = context === undefined ? all : all.filter(({ contexts }) => contexts.includes(context));
  const cache = cacheReader(call);
  const found = withoutProvenOfOthers(new Map(all.map((user) => [user, cacheHoldings(cache, user)] as const)));
  /** The sessions to which one file of kubelogin's cache could belong. */
  const sessionsOf = new Map<string, Set<string>>();
  for (const [{ run }, holdings] of found) for (const { path = "" } of holdings) sessionsOf.set(path, new Set([...(sessionsOf.get(path) ?? []), run?.session.key ?? ""]));

  const groups = new Map<string, MigrateUser[]>();
  for (const user of selected) if (user.carried !== undefined && user.run !== undefined) groups.set(user.run.session.key, [...(groups.get(user.run.session.key) ?? []), user]);
  const planned = new Map<MigrateUser, PlannedUser>();
  const moves: Move[] = [];
  for (const users of groups.values()) {
    const stays = all.filter((user) => !users.includes(user) && user.kind === "kubelogin");
    const { plans, move } = planSession(users, (user) => (found.get(user) ?? []).filter(({ path = "" }) => (sessionsOf.get(path)?.size ?? 0) < 2), {
      isShared: (user) => (found.get(user) ?? []).some(({ path = "" }) => (sessionsOf.get(path)?.size ?? 0) > 1),
      leftWithout: (path) => stays.filter((user) => found.get(user)?.some((holding) => holding.path === path)).map(({ name }) => name),
    });
    for (const plan of plans) planned.set(plan.user, plan.planned);
    if (move !== undefined) moves.push(move);
  }
  const users = selected.map((user): PlannedUser => planned.get(user) ?? { ...user, token: { state: "none" }, losses: [] });
  const leftovers = users.flatMap(({ kind, run, movesStore }) => {
    const note = kind === "ours" && !movesStore && run !== undefined && !groups.has(run.session.key) ? adoptionNote(run) : undefined;
    return run === undefined || note === undefined ? [] : [{ run, note }];
  });
  return { users, moves, changes: changesOf(call, survey, users), leftovers: [...new Map(leftovers.map((one) => [one.run.session.key, one])).values()] };
}

/** Users by the hundred share one folder: it is read once. */
function cacheReader({ machine }: Call) {
  const read = new Map<string, ReturnType<typeof machine.kubeloginCache.entries>>();
  return (folders: readonly string[], roots: readonly string[]) => {
    const key = JSON.stringify([folders, roots]);
    const entries = read.get(key) ?? machine.kubeloginCache.entries(folders, roots);
    read.set(key, entries);
    return entries;
  };
}

/** What kubelogin's cache holds for this user: by the file's name, else by the issuer and the client that its tokens name. */
function cacheHoldings(entriesIn: ReturnType<typeof cacheReader>, { carried, run }: MigrateUser): readonly Holding[] {
  if (carried?.tokens.at !== "cache" || run === undefined || isMachineGrant(run.settings.grant)) return [];
  const { folders, cacheRoots, proof } = carried.tokens;
  return entriesIn(folders, cacheRoots).flatMap(({ path, name, idToken, refreshToken }) => {
    const isProven = proof.names.includes(name);
    return isProven || isTokenOf(idToken, run.settings) ? [{ path, token: foreignToken(refreshToken, idToken), isProven }] : [];
  });
}

/** A file that is a user's for certain is nobody else's, and that user has no other. */
function withoutProvenOfOthers(found: ReadonlyMap<MigrateUser, readonly Holding[]>): ReadonlyMap<MigrateUser, readonly Holding[]> {
  const proven = new Set([...found.values()].flat().flatMap(({ path, isProven }) => (isProven ? [path] : [])));
  return new Map(
    [...found].map(([user, holdings]) => {
      const own = holdings.filter(({ isProven }) => isProven);
      return [user, own.length > 0 ? own : holdings.filter(({ path }) => !proven.has(path))] as const;
    }),
  );
}

/** Why what the cache holds for this user must not move; undefined when it may. */
function doubtOf({ carried }: MigrateUser, holdings: readonly Holding[]): string | undefined {
  if (carried?.tokens.at !== "cache" || holdings.length === 0) return undefined;
  const { doubt, obstacle } = carried.tokens.proof;
  return obstacle ?? (holdings.some(({ isProven }) => isProven) ? undefined : doubt);
}

interface Around {
  readonly isShared: (user: MigrateUser) => boolean;
  /** Users that stay kubelogin's and use this file too. */
  readonly leftWithout: (path: string | undefined) => readonly string[];
}

/** The users of one session: at most one refresh token becomes its. */
function planSession(users: readonly MigrateUser[], cached: (user: MigrateUser) => readonly Holding[], { isShared, leftWithout }: Around) {
  const inKubeconfig = (user: MigrateUser): Holding | undefined => {
    const tokens = user.carried?.tokens;
    return tokens?.at === "kubeconfig" ? { path: undefined, token: foreignToken(secret(tokens.refreshToken), tokens.idToken), isProven: true } : undefined;
  };
  const isForeign = ({ carried, run }: MigrateUser) =>
    carried?.tokens.at === "kubeconfig" && carried.tokens.idToken !== undefined && run !== undefined && decodeJwt(carried.tokens.idToken) !== undefined
      ? !isTokenOf(carried.tokens.idToken, run.settings)
      : false;
  const usable = (user: MigrateUser): readonly Holding[] => {
    const held = cached(user);
    if (held.length > 0) return doubtOf(user, held) === undefined ? held : [];
    const own = isForeign(user) ? undefined : inKubeconfig(user);
    return own === undefined ? [] : [own];
  };
  const byPath = new Map(users.flatMap(usable).flatMap((holding) => (holding.path === undefined ? [] : [[holding.path, holding] as const])));
  const chosen = newestOfOne([...byPath.values(), ...users.flatMap(usable).filter(({ path }) => path === undefined)]);
  // The trust that the session begins with is that of a stanza whose own the token is, and only such ones name its servers.
  const holders = users.filter((user) => usable(user).length > 0);
  const first =
    holders.find((user) => usable(user).some(({ path, token }) => path === chosen?.path && token.refreshToken.reveal() === chosen?.token.refreshToken.reveal())) ?? users[0];
  const run = first?.run;
  const record = run?.session.record;
  const isStranger = record?.hasRefreshToken === true && record.subject !== undefined && chosen?.token.subject !== undefined && record.subject !== chosen.token.subject;
  const move: Move | undefined =
    first === undefined || run === undefined || chosen === undefined || isStranger || !run.world.store.keeps
      ? undefined
      : {
          run,
          reopen: first.reopen,
          token: chosen.token,
          path: chosen.path,
          servers: holders.flatMap(({ servers }) => servers),
          expected: record?.hasRefreshToken === true && adoptionNote(run) === undefined ? "kept-ours" : "moved",
        };
  const others = move === undefined ? [] : leftWithout(move.path);

  function planUser(user: MigrateUser): PlannedUser {
    const { carried } = user;
    const losses = [...(carried?.losses ?? [])];
    const plan = (token: TokenPlan): PlannedUser => ({ ...user, token, losses });
    const stays = (problem: string): PlannedUser => ({ ...user, carried: undefined, problem, token: { state: "none" }, losses: [] });
    const lost = (reason: string) => plan({ state: "not-carried-over", reason });
    const tokens = carried?.tokens;
    if (tokens === undefined || tokens.at === "nowhere") return plan({ state: "none" });
    if (tokens.at === "elsewhere") return lost(tokens.reason);
    if (tokens.at === "cache" && isShared(user)) return lost("other users have the same issuer and client with other options, and kubelogin's cache does not say whose it is");
    // A kubeconfig of somebody else's must not open a session to whoever sits between.
    const doubt = doubtOf(user, cached(user));
    if (doubt !== undefined) return lost(doubt);
    const isHolder = tokens.at === "kubeconfig" || cached(user).length > 0;
    if (!isHolder) return plan({ state: "none" });
    if (isStranger)
      return stays(`a session of ${safeText(record.displayName ?? record.subject, 80)} is stored for this issuer and client, and this one is somebody else's: log it out first`);
    if (tokens.at === "kubeconfig" && isForeign(user)) return lost("the ID token beside it is of another issuer or client");
    if (chosen === undefined)
      return tokens.at === "kubeconfig"
        ? stays("several people use this issuer and client here, and one session is one person's: set them up with kubectl oidc setup --account")
        : lost("kubelogin's cache holds sessions of several people for this issuer and client");
    if (move === undefined)
      return tokens.at === "kubeconfig"
        ? stays("sessions are stored nowhere (--token-cache-storage=none), and it has one")
        : lost("sessions are stored nowhere (--token-cache-storage=none)");
    if (others.length > 0)
      losses.push(`${others.map((name) => safeText(name, 60)).join(", ")}: still kubelogin's, and without this refresh token; migrate all users, or log in there again`);
    if (byPath.size > 1) losses.push("older copies of the session stay in kubelogin's cache; kubelogin clean removes them");
    return plan({ state: move.expected, move });
  }
  return { plans: users.map((user) => ({ user, planned: planUser(user) })), move };
}

/** One private file holds the secret of one client: users who name two are told, and one that works already is not replaced by what somebody else's kubeconfig says. */
function withoutTwoSecrets(call: Call, users: readonly MigrateUser[]): readonly MigrateUser[] {
  const secrets = new Map<string, string>();
  return users.map((user) => {
    const { carried, run } = user;
    if (carried?.clientSecret === undefined || run === undefined) return user;
    const place = JSON.stringify([run.settings.issuer, run.settings.clientId]);
    const file = call.machine.keptClientSecret(run.settings.issuer, run.settings.clientId);
    const kept = file.read();
    const known = kept ?? secrets.get(place) ?? carried.clientSecret;
    secrets.set(place, known);
    if (known === carried.clientSecret) return user;
    const problem =
      kept === undefined
        ? "another user has another secret for the same client: one of them is wrong"
        : `another secret is kept for this client in ${safeText(file.path, 300)}: when that is the wrong one, remove it`;
    return { ...user, carried: undefined, problem };
  });
}

function changesOf(call: Call, survey: Survey, users: readonly PlannedUser[]): readonly PlannedChange[] {
  const command = call.invocation.flags["absolute-path"] === true ? call.machine.examined.callable().path : "kubectl-oidc";
  return survey.files
    .map((file) => {
      const here = users.filter(({ carried, entry }) => carried !== undefined && entry.file === file.file);
      const touched: readonly Touched[] = here.map(({ name }) => ({ list: "users", name }));
      const wanted = here.reduce<KubeconfigValue>((config, user) => withEntry(config, "users", user.name, entryFor(user, command)), file.value);
      const kept = here.reduce<KubeconfigValue>((config, { name, carried }) => withEntry(config, "users", name, carried?.kept ?? {}), file.value);
      return call.machine.kubeconfig.planChange(file, wanted, touched, kept, (backup) => here.reduce((config, user) => withoutSecretsOf(call, config, user), backup));
    })
    .filter(({ before, after }) => before !== after);
}

/** A backup, made when other users moved, without the secrets of this one. */
function withoutSecretsOf(call: Call, backup: KubeconfigValue, { name, entry }: PlannedUser): KubeconfigValue {
  const known = entryOf(backup, "users", name);
  const migration = known === undefined ? undefined : migrationIn(call, known, entry.folder);
  return migration === undefined || !("kept" in migration) ? backup : withEntry(backup, "users", name, migration.kept);
}

/** The user's entry as it is to be; what it says beside its login stays, and in its place. */
function entryFor({ entry, carried, fits }: PlannedUser, command: string): KubeconfigValue {
  if (carried === undefined) return entry.value;
  const stanza = execStanza({ command, args: carried.args, env: carried.env, provideClusterInfo: fits });
  if (carried.kind === "auth-provider") return { ...carried.rest, exec: stanza };
  const { env, ...former } = isObject(entry.value["exec"]) ? entry.value["exec"] : {};
  return { ...entry.value, exec: { ...former, ...(carried.env === undefined && Array.isArray(env) && env.length > 0 ? {} : env === undefined ? {} : { env }), ...stanza } };
}
