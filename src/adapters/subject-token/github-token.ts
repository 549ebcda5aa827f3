import { isObject } from "../../core/session.ts";
import { isLoopbackHost, safeText } from "../../core/untrusted-text.ts";
import { fail, isOidcError } from "../../errors/oidc-error.ts";
import { httpsFetch } from "../https-fetch.ts";
import type { SubjectReading } from "./subject-reading.ts";

/** Milliseconds. */
const deadline = 10_000;

/**
 * The ID token of a job of GitHub Actions, by the endpoint and the token that the runner gives it:
 * https://docs.github.com/en/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect.
 * The request's token goes to that endpoint alone: redirects are not followed. Certificate checks are never switched off for it.
 * SUBJECT_TOKEN_INVALID; INTERRUPTED.
 */
export async function githubToken(audience: string, { env, settings, version, terminal, signal, notCounted = [] }: SubjectReading): Promise<string> {
  const requestToken = env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "";
  const url = endpointOf(env["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "");
  if (requestToken === "") failJob("ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set");
  if (!/^[\x21-\x7e]+$/.test(requestToken)) failJob("ACTIONS_ID_TOKEN_REQUEST_TOKEN is no token");
  url.searchParams.set("audience", audience);
  const http = httpsFetch({
    caFiles: settings.caFiles,
    caData: settings.caData,
    insecure: false,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !notCounted.includes(name))),
    headers: {},
    origin: url.origin,
    version,
    log: (level, text) => terminal.log(level, text),
    signal,
    deadlineMs: deadline,
  });
  const headers = { accept: "application/json", authorization: `Bearer ${requestToken}` };
  const answer = await http.fetch(url.href, { method: "GET", headers, body: undefined, redirect: "manual" }).catch((error: unknown) => {
    if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
    return failAnswer(url, error.reason ?? error.message);
  });
  if (answer.status !== 200) failAnswer(url, `HTTP ${answer.status}`);
  const value = idTokenIn(await answer.text());
  return typeof value === "string" ? value : failAnswer(url, "no JSON object with a value");
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
  if (url === undefined || !isSafe || url.username !== "" || url.password !== "") return failJob("ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL");
  return url;
}

function idTokenIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value["value"] : undefined;
  } catch {
    return undefined;
  }
}

const failJob = (reason: string): never =>
  fail("SUBJECT_TOKEN_INVALID", { message: "this job may not ask for an ID token", reason, hint: "give the job permissions: id-token: write" });

const failAnswer = (url: URL, reason: string): never =>
  fail("SUBJECT_TOKEN_INVALID", {
    message: `${safeText(url.host, 100)} gave no ID token for this job`,
    reason,
    hint: "check the job's permissions (id-token: write), then run it again",
  });
