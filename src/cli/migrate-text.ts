import type { ForeignToken } from "../core/foreign-token.ts";
import { shellWord } from "../core/shell-word.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import type { Call } from "./call.ts";
import type { MigrationPlan, PlannedUser } from "./migrate-plan.ts";
import { planLines } from "./setup-report.ts";

const kinds = {
  kubelogin: "runs kubelogin",
  "auth-provider": "auth-provider oidc",
  azure: "runs Azure's kubelogin",
  ours: "runs kubectl-oidc",
  other: "not taken over",
} as const;

/** The user with its contexts. */
export const shownUser = ({ name, contexts }: Pick<PlannedUser, "name" | "contexts">): string =>
  `${safeText(name, 80)} (${contexts.length === 0 ? "no context" : `${contexts.length === 1 ? "context" : "contexts"} ${contexts.map((one) => safeText(one, 80)).join(", ")}`})`;

/** The command that logs this user in, or lets its session be used with its server. */
export function commandOf(command: "login" | "trust add", { contexts }: Pick<PlannedUser, "contexts">, kubeconfig: string | undefined): string {
  const [context = ""] = contexts;
  const words = [shellWord(context, process.platform), kubeconfig === undefined ? "" : shellWord(kubeconfig, process.platform)];
  if (words.includes(undefined)) return `kubectl oidc ${command} --context NAME`;
  return `kubectl oidc ${command} --context ${words[0]}${words[1] === "" ? "" : ` --kubeconfig ${words[1]}`}`;
}

/** The plan for people: what moves where, what is lost, each file's diff. */
export function planText(call: Call, { users, changes, leftovers }: MigrationPlan): readonly string[] {
  return [
    ...users.filter(({ kind }) => kind !== "ours").flatMap((user) => userText(call, user)),
    ...leftovers.map(({ note }) => `the copy of a refresh token that an earlier run left goes${note.path === undefined ? "" : `: ${safeText(note.path, 300)}`}`),
    ...(changes.length === 0 ? [] : ["", ...planLines(changes)]),
  ];
}

function userText(call: Call, user: PlannedUser): readonly string[] {
  const title = `${shownUser(user)}: ${kinds[user.kind]}`;
  const { carried, run } = user;
  if (user.problem !== undefined || carried === undefined || run === undefined) return [`${title}, and stays as it is: ${safeText(user.problem ?? "", 400)}`];
  const servers = [...new Set(user.servers.flatMap((server) => (server === undefined ? [] : [server.origin])))];
  return [
    title,
    `  session        at ${shownUrl(run.settings.issuer)} as client ${safeText(run.settings.clientId, 80)}${run.world.trust().authorities.length > 0 ? ", with certificate authorities of its own" : ""}`,
    `  refresh token  ${tokenText(user)}`,
    ...(user.token.state === "moved" && servers.length > 0 ? [`  servers        ${servers.map((origin) => safeText(origin, 120)).join(", ")}`] : []),
    ...(user.token.state === "kept-ours" ? ["  servers        those that the stored session knows, and no other"] : []),
    ...(carried.clientSecret === undefined
      ? []
      : [`  client secret  to ${safeText(call.machine.keptClientSecret(run.settings.issuer, run.settings.clientId).path, 300)}, which only you can read`]),
    ...user.losses.map((loss) => `  not as before  ${safeText(loss, 400)}`),
  ];
}

function tokenText({ token, run }: PlannedUser): string {
  switch (token.state) {
    case "moved":
      return `${whose(token.move.token)}from ${from(token.move.path)} to ${run?.world.store.describe()}`;
    case "kept-ours":
      return `a session is stored already and stays; the copy in ${from(token.move.path)} goes`;
    case "none":
      return run?.session.record?.hasRefreshToken === true ? "none; a session is stored already" : "none; the first kubectl logs in";
    case "not-carried-over":
      return `not carried over: ${safeText(token.reason, 300)}; a login is needed`;
    default:
      return token satisfies never;
  }
}

/** By the token beside it, which nobody has verified: a file of somebody else's can say any name, and the first refresh is what tells. */
const whose = ({ displayName }: ForeignToken) => (displayName === undefined ? "" : `of ${displayName}, `);

const from = (path: string | undefined) => (path === undefined ? "the kubeconfig" : safeText(path, 300));
