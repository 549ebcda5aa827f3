import { type AdoptionNote, adoptionNote } from "../app/adopt-token.ts";
import type { Run } from "../app/world.ts";
import { execStanza } from "../core/exec-stanza.ts";
import { type ForeignToken, foreignToken, isTokenOf, newestOfOne } from "../core/foreign-token.ts";
import { decodeJwt } from "../core/id-token.ts";
import { type KubeconfigValue, type Touched, withEntry } from "../core/kubeconfig-edits.ts";
import { isMachineGrant } from "../core/keys.ts";
import { secret } from "../core/secret.ts";
import { isObject, type TrustedServer } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import { type MigrateUser, migrateUsers, type Survey } from "./migrate-users.ts";
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
}

/** What is to be done for every user, or for that of one context. Makes no request, and asks no keychain. KUBECONFIG_UNREADABLE. */
export function planMigration(call: Call, survey: Survey, context: string | undefined): MigrationPlan {
  const all = withoutTwoSecrets(migrateUsers(call, survey));
  const selected = context === undefined ? all : all.filter(({ contexts }) => contexts.includes(context));
  const found = new Map(all.map((user) => [user, cacheHoldings(call, user)] as const));
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
  const leftovers = users.flatMap(({ kind, run }) => {
    const note = kind === "ours" && run !== undefined && !groups.has(run.session.key) ? adoptionNote(run) : undefined;
    return run === undefined || note === undefined ? [] : [{ run, note }];
  });
  return { users, moves, changes: changesOf(call, survey, users), leftovers: [...new Map(leftovers.map((one) => [one.run.session.key, one])).values()] };
}

/** What kubelogin's cache holds for this user, by the issuer and the client that its tokens name. */
function cacheHoldings(call: Call, { carried, run }: MigrateUser): readonly Holding[] {
  if (carried?.tokens.at !== "cache" || run === undefined || isMachineGrant(run.settings.grant)) return [];
  const { folders, cacheRoots } = carried.tokens;
  return call.machine.kubeloginCache
    .entries(folders, cacheRoots)
    .filter(({ idToken }) => isTokenOf(idToken, run.settings))
    .map(({ path, idToken, refreshToken }) => ({ path, token: foreignToken(refreshToken, idToken) }));
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
    return tokens?.at === "kubeconfig" ? { path: undefined, token: foreignToken(secret(tokens.refreshToken), tokens.idToken) } : undefined;
  };
  const isForeign = ({ carried, run }: MigrateUser) =>
    carried?.tokens.at === "kubeconfig" && carried.tokens.idToken !== undefined && run !== undefined && decodeJwt(carried.tokens.idToken) !== undefined
      ? !isTokenOf(carried.tokens.idToken, run.settings)
      : false;
  const byPath = new Map(
    users
      .filter(({ run: own }) => own?.settings.insecure !== true)
      .flatMap(cached)
      .map((holding) => [holding.path, holding] as const),
  );
  const holdings = [...byPath.values(), ...users.flatMap((user) => (isForeign(user) ? [] : (inKubeconfig(user) ?? [])))];
  const chosen = newestOfOne(holdings);
  const [first] = users;
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
          servers: users.flatMap(({ servers }) => servers),
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
    // Its cache tells such sessions apart by a hash that cannot be read: a kubeconfig of somebody else's must not open one to whoever sits between.
    if (tokens.at === "cache" && user.run?.settings.insecure === true && cached(user).length > 0)
      return lost("its args say --insecure-skip-tls-verify, and kubelogin's cache does not say whether the session was made so");
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

/** One private file holds the secret of one client: users who name two are told. */
function withoutTwoSecrets(users: readonly MigrateUser[]): readonly MigrateUser[] {
  const secrets = new Map<string, string>();
  return users.map((user) => {
    const { carried, run } = user;
    if (carried?.clientSecret === undefined || run === undefined) return user;
    const place = JSON.stringify([run.settings.issuer, run.settings.clientId]);
    const known = secrets.get(place) ?? carried.clientSecret;
    secrets.set(place, known);
    return known === carried.clientSecret ? user : { ...user, carried: undefined, problem: "another user has another secret for the same client: one of them is wrong" };
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
      return call.machine.kubeconfig.planChange(file, wanted, touched, kept);
    })
    .filter(({ before, after }) => before !== after);
}

/** The user's entry as it is to be; what it says beside its login stays, and in its place. */
function entryFor({ entry, carried, fits }: PlannedUser, command: string): KubeconfigValue {
  if (carried === undefined) return entry.value;
  const stanza = execStanza({ command, args: carried.args, env: carried.env, provideClusterInfo: fits });
  if (carried.kind === "auth-provider") return { ...carried.rest, exec: stanza };
  const { env, ...former } = isObject(entry.value["exec"]) ? entry.value["exec"] : {};
  return { ...entry.value, exec: { ...former, ...(carried.env === undefined && Array.isArray(env) && env.length > 0 ? {} : env === undefined ? {} : { env }), ...stanza } };
}
