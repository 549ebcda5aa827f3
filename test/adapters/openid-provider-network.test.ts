import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { terminalLines } from "../../src/errors/render.ts";
import type { Answer } from "../issuer/issuer-answer.ts";
import { bodies, cuts, floods, garbage, hangs, statuses } from "../issuer/wire-faults.ts";
import { type EndpointStage, endpointStages, endpoints, type Outcome, outcomeOf } from "./endpoint-stage.ts";

let all: Awaited<ReturnType<typeof endpointStages>>;
beforeAll(async () => {
  all = await endpointStages();
});
afterAll(() => all.stop());

/** The outcomes of all endpoints, each while it answers so; none is raw, secret or slow. */
async function everywhere(answer: Answer, deadline?: number): Promise<readonly Outcome[]> {
  const outcomes = await Promise.all([...all.stages].map(([endpoint, stage]) => outcomeOf(endpoint, stage, answer, deadline)));
  for (const { endpoint, error, milliseconds } of outcomes) {
    if (error === undefined) continue;
    const shown = terminalLines(error).join("\n");
    expect(terminalLines(error).length, shown).toBeLessThanOrEqual(3);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(shown, endpoint).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    for (const secret of secretsOf(all.stages.values())) expect(shown.includes(secret), `${endpoint}: ${shown}`).toBe(false);
    expect(shown).not.toMatch(/refresh-secret|secr/);
    // Less than the usual deadline: what ended it was the answer, or the short one.
    expect(milliseconds, endpoint).toBeLessThan(10_000);
    // A chain of causes would hold whole answers.
    expect(error.cause, endpoint).toBeUndefined();
  }
  expectNothingLost();
  return outcomes;
}

/** A token answer that came is durable before its keys are asked for: a fault there costs nothing. */
function expectNothingLost(): void {
  for (const [{ name }, { kept }] of all.stages) if (name.startsWith("keys")) expect(JSON.parse(kept[0] ?? "{}").refresh_token, name).toMatch(/^refresh-/);
}

const secretsOf = (stages: Iterable<EndpointStage>) => [...stages].flatMap(({ issuer }) => issuer.secrets);
const codes = (outcomes: readonly Outcome[]) => Object.fromEntries(outcomes.map(({ endpoint, code }) => [endpoint, code]));
const messages = (outcomes: readonly Outcome[]) => outcomes.flatMap(({ error }) => error?.message ?? []);
const everyEndpoint = (code: string, others: Readonly<Record<string, string>> = {}) => ({ ...Object.fromEntries(endpoints.map(({ name }) => [name, code])), ...others });
const entries = <T extends Readonly<Record<string, Answer>>>(table: T) => Object.entries(table) as [string, Answer][];

describe("at every endpoint, an answer is a fault of the network, never a logout", () => {
  it.each(entries(hangs))("%s: it ends at the deadline of the whole request [NW-04, RP-99]", async (_, answer) => {
    const outcomes = await everywhere(answer, 250);
    expect(codes(outcomes)).toEqual(everyEndpoint("ISSUER_UNREACHABLE"));
    for (const message of messages(outcomes)) expect(message).toContain("did not answer in time");
  });
  it.each(entries(cuts))("%s [NW-04]", async (_, answer) => expect(codes(await everywhere(answer))).toEqual(everyEndpoint("ISSUER_UNREACHABLE")));
  it.each(entries(garbage))("%s [NW-03]", async (_, answer) => expect(codes(await everywhere(answer))).toEqual(everyEndpoint("ISSUER_UNREACHABLE")));
  it.each(entries(floods))("%s: it is not read to its end [NW-03, RP-98]", async (_, answer) => {
    const outcomes = await everywhere(answer);
    expect(codes(outcomes)).toEqual(everyEndpoint("ISSUER_UNREACHABLE"));
    for (const message of messages(outcomes)) expect(message).toContain("too large");
  });
});

describe("at every endpoint, with status 200, a body", () => {
  it.each(entries(bodies))("%s [NW-08, RP-95, RP-97]", async (name, answer) => {
    const isPage = name.includes("captive portal");
    const outcomes = await everywhere(answer);
    // RFC 7009, section 2.2: the body of a revocation's answer says nothing; only a page says that it was somebody else.
    expect(codes(outcomes)).toEqual(everyEndpoint("ISSUER_UNREACHABLE", { discovery: "DISCOVERY_INVALID", revocation: isPage ? "ISSUER_UNREACHABLE" : "none" }));
    if (isPage) for (const { error } of outcomes) expect(error?.hint).toContain("captive portal");
  });
});

describe("at every endpoint, a status that is no answer", () => {
  it.each(entries(statuses))("%s [RP-96]", async (_, answer) => {
    const status = answer.status ?? 0;
    const outcomes = await everywhere(answer);
    const passes = status >= 500 || status === 429;
    // A device's poll is no fault then: it is asked again after that time (RFC 8628, section 3.5).
    const waits = answer.headers?.["retry-after"] !== undefined;
    expect(codes(outcomes)).toEqual(
      everyEndpoint("ISSUER_UNREACHABLE", { ...(passes ? {} : { discovery: "DISCOVERY_INVALID" }), ...(waits ? { "token, at a device's poll": "none" } : {}) }),
    );
    for (const { error } of outcomes) if (error !== undefined) expect(error.reason).toContain(`HTTP ${status}`);
    if (waits) for (const { error } of outcomes) if (error !== undefined) expect(error.reason).toContain("try again in 5 s");
    if (status === 511) for (const { error } of outcomes) expect(error?.hint).toContain("captive portal");
  });
});

it.each([
  [500, /kubectl oidc login/],
  [502, /check the network/],
  [503, /check the network/],
])("a refresh that ends with status %d: Dex says 500 for as long as an issuer behind it has ended the session, so a login is named, and not made", async (status, hint) => {
  const outcomes = await everywhere({ status, text: "" });
  expect(codes(outcomes)).toEqual(everyEndpoint("ISSUER_UNREACHABLE"));
  for (const { endpoint, error } of outcomes) expect(error?.hint, endpoint).toMatch(endpoint.endsWith("at a refresh") ? hint : /check the network/);
});

describe("at every endpoint, a redirect", () => {
  it.each([301, 302, 303, 307, 308])("with status %d is not followed, and nothing goes to the other host [NW-02, RP-93]", async (status) => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked++;
      response.writeHead(200, { "content-type": "application/json" }).end('{"issuer":"x","access_token":"x","token_type":"bearer","keys":[]}');
    });
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    try {
      const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
      const outcomes = await everywhere({ status, headers: { location } });
      expect(codes(outcomes)).toEqual(everyEndpoint("ISSUER_UNREACHABLE", { discovery: "DISCOVERY_INVALID" }));
      for (const { error } of outcomes) expect(error?.reason).toBe(`HTTP ${status} (redirects are not followed)`);
      expect(asked).toBe(0);
    } finally {
      other.close();
    }
  });
});
