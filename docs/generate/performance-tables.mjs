import { cell, code, table } from "./markdown.mjs";
import { ms, provenance } from "./performance.mjs";

const dash = "–";
/** Of two medians; below half a millisecond it is the machine's noise. */
const difference = (a, b) => (a === undefined || b === undefined ? dash : a.ms - b.ms < 0.5 ? "< 0.5 ms" : `+${ms(a.ms - b.ms)}`);

/** README.md: what people compare. */
export function readmeSections(figures) {
  return { speed: [...provenance(figures.report), "", ...comparison(figures)] };
}

function comparison({ shown, process, major }) {
  const own = (id) => shown(id)?.replace(/ x$/, " ×") ?? dash;
  const npm = process(`hot@${major}`);
  const [standalone, kubelogin] = [process("standalone"), process("kubelogin")];
  const mib = (one) => (one?.mib === undefined ? dash : `${one.mib.toFixed(0)} MiB`);
  const ratio = (id) => (shown(id) === undefined ? "" : ` (${own(id)})`);
  return table(
    ["", `npm program (Node ${major})`, "standalone", cell(kubelogin?.name ?? "kubelogin")],
    [
      [
        "a cached `get-token` (to an empty script on the same Node; the others: on Node 24)",
        `${ms(npm?.ms)}${ratio(`hot-${major}`)}`,
        `${ms(standalone?.ms)}${ratio("standalone")}`,
        `${ms(kubelogin?.ms)}${ratio("kubelogin")}`,
      ],
      ["its peak memory", mib(npm), mib(standalone), mib(kubelogin)],
      ["kubectl with it, to kubectl with a static token", own("kubectl-npm"), own("kubectl-standalone"), own("kubectl-kubelogin")],
      ["a refresh beyond the issuer's time, token on disk", own("refresh"), own("refresh-standalone"), own("refresh-kubelogin")],
      ["the same, token in a keychain", own("refresh-keychain"), own("refresh-keychain-standalone"), dash],
      ["requests of a refresh", own("refresh-requests"), own("refresh-requests-standalone"), own("refresh-requests-kubelogin")],
      ["a first login beyond issuer and browser", own("login"), own("login-standalone"), own("login-kubelogin")],
      ["200 cached tokens at once", own("storm-hits"), own("storm-hits-standalone"), own("storm-hits-kubelogin")],
    ],
  );
}

/** docs/explanation/performance.md. */
export function performanceSections(figures) {
  return {
    machine: provenance(figures.report),
    hit: hitTable(figures),
    refresh: phaseTable(figures, "refresh", {
      before: "until the request is sent: the runtime starts, the program is loaded, options are judged, the lock is taken, the refresh token is read",
      others: "the issuer answers",
      between: "",
      after: "after its answer: the new refresh token is written durably, the ID token is judged, the session is promoted, the memo is written",
    }),
    login: phaseTable(figures, "login", {
      before: "until the issuer is asked for its discovery document: the runtime starts, the program and the OpenID Connect library are loaded",
      others: "issuer and browser",
      between: "between them: the listener opens, the browser is started, the callback is judged",
      after: "after the last answer: the session is stored, the browser gets its page, the credential is printed",
    }),
    advice: adviceTable(figures),
    rows: rowTable(figures),
    storms: figures.report.storms.length === 0 ? ["No storm was measured in this run."] : ["```", ...figures.report.storms.map((line) => line.trimEnd()), "```"],
  };
}

function hitTable({ process, report }) {
  const majors = report.processes.map(({ id }) => /^empty@(\d+)$/.exec(id)?.[1]).filter((major) => major !== undefined);
  return table(
    ["", "the empty runtime", "our look-up", "in all", "through the npm bin", "peak memory"],
    [
      ...majors.map((major) => {
        const [empty, hot, bin] = ["empty", "hot", "bin"].map((kind) => process(`${kind}@${major}`));
        return [`npm program, Node ${major}`, ms(empty?.ms), difference(hot, empty), ms(hot?.ms), difference(bin, hot), mibs(hot)];
      }),
      ["standalone (Bun)", ms(process("empty-bun")?.ms), difference(process("standalone"), process("empty-bun")), ms(process("standalone")?.ms), dash, mibs(process("standalone"))],
      [cell(process("kubelogin")?.name ?? "kubelogin"), dash, dash, ms(process("kubelogin")?.ms), dash, mibs(process("kubelogin"))],
      [code("cat"), dash, dash, ms(process("cat")?.ms), dash, dash],
    ],
  );
}

const mibs = (one) => (one?.mib === undefined ? dash : `${one.mib.toFixed(1)} MiB`);

/** A column for each who did it. */
function phaseTable({ report }, what, steps) {
  const all = report.phases.filter((one) => one.what === what);
  if (all.length === 0) return [`No ${what} was measured in this run.`];
  const rows = Object.entries(steps).filter(([, about]) => about !== "");
  return table(
    ["", ...all.map(({ form, storage }) => cell(`${form}, ${storage}`))],
    [...rows.map(([step, about]) => [about, ...all.map((one) => ms(one[step]))]), ["in all", ...all.map(({ wall }) => ms(wall))]],
  );
}

function adviceTable({ row }) {
  const rows = ["extra-ca", "env-proxy", "keychain-hit", "keychain-hit-standalone"].map((id) => row(id)).filter((one) => one !== undefined);
  return table(
    ["what", "measured", "result"],
    rows.map(({ title, from = dash, shown = dash }) => [cell(title), from, shown.replace(/ x$/, " ×")]),
  );
}

function rowTable({ report }) {
  const shown = (value, unit) => (value === undefined ? "" : unit === "x" ? `${value} ×` : unit === "ms" ? ms(value) : String(value));
  const missed = report.rows.filter(({ status }) => status === "over target" || status === "over limit");
  const named = missed.map(({ id, shown: result = "", unit, target }) => `${code(id)} (${result.replace(/ x$/, " ×")} for ${shown(target, unit)})`);
  return [
    missed.length === 0 ? "Every target was met in this run." : `Targets that this run missed: ${named.join(", ")}.`,
    "",
    ...table(
      ["row", "what", "measured", "result", "target", "limit", "rounds", "status"],
      report.rows.map(({ id, title, from = "", shown: result = "", unit, target, limit, rounds = "", status, why }) => [
        code(id),
        cell(title),
        cell(from),
        result.replace(/ x$/, " ×"),
        shown(target, unit),
        shown(limit, unit),
        String(rounds),
        why === undefined ? status : cell(`${status}: ${why}`),
      ]),
    ),
  ];
}
