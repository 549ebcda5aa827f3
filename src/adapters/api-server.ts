import type { ClusterAccess } from "../core/exec-info.ts";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { ReviewedUser, TokenReview } from "../core/token-proof.ts";
import type { ApiServer } from "../ports.ts";
import { offsetOf } from "./date-header.ts";
import { type FetchOptions, httpsFetch } from "./https-fetch.ts";
import { proxyUrl } from "./proxy.ts";

/** Milliseconds for one request. */
const deadlineMs = 10_000;

/** GA since 1.28; kubectl asks in this order too. */
const versions = ["v1", "v1beta1", "v1alpha1"] as const;

/**
 * The API server of a context, reached as client-go does: the cluster's own authority in place of the system's, its TLS name, its proxy in
 * place of the environment's, a path before the API. SETTINGS_INVALID for a server that is no https URL.
 */
export function apiServer(cluster: ClusterAccess, machine: Pick<FetchOptions, "env" | "version" | "log" | "signal">): ApiServer {
  const base = baseOf(cluster.server);
  const ca = cluster.certificateAuthorityData;
  const { fetch } = httpsFetch({
    ...machine,
    ...(cluster.proxyUrl === undefined ? {} : { proxy: proxyUrl(cluster.proxyUrl, "proxy-url of the cluster", "correct proxy-url of the context's cluster in the kubeconfig") }),
    caFiles: [],
    caData: ca === undefined || cluster.insecure ? [] : [ca],
    onlyThese: ca !== undefined,
    insecure: cluster.insecure,
    ...(cluster.tlsServerName === undefined ? {} : { serverName: cluster.tlsServerName }),
    headers: {},
    origin: base.origin,
    deadlineMs,
  });

  async function ask(version: string, token: string): Promise<Response> {
    const body = JSON.stringify({ apiVersion: `authentication.k8s.io/${version}`, kind: "SelfSubjectReview" });
    const headers = { authorization: `Bearer ${token}`, accept: "application/json", "content-type": "application/json" };
    const url = `${base.origin}${base.pathname.replace(/\/$/, "")}/apis/authentication.k8s.io/${version}/selfsubjectreviews`;
    try {
      return await fetch(url, { method: "POST", headers, body, redirect: "manual" });
    } catch (error) {
      return failAsServer(error);
    }
  }

  return {
    async review(token): Promise<TokenReview> {
      let status = 404;
      let clockOffset: number | undefined;
      for (const version of versions) {
        const asked = Date.now();
        const response = await ask(version, token.reveal());
        clockOffset = offsetOf(response.headers.get("date"), asked, Date.now());
        status = response.status;
        if (status === 401) return { kind: "refused", clockOffset };
        if (status === 200 || status === 201) return { kind: "seen", user: userOf(await response.text(), base.host), clockOffset };
        if (status !== 404) break;
      }
      if (status === 403 || status === 404) return { kind: "unanswered", status, clockOffset };
      return fail("API_SERVER_UNREACHABLE", { message: `${safeText(base.host, 100)} gave an unexpected answer`, reason: `HTTP ${status}` });
    },
  };
}

function baseOf(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url;
  return fail("SETTINGS_INVALID", { message: "the cluster's server is not an https URL", hint: "correct the server of the context's cluster in the kubeconfig" });
}

/** The same faults under the name of who has them. */
function failAsServer(error: unknown): never {
  if (!isOidcError(error) || !(error.code === "ISSUER_UNREACHABLE" || error.code === "ISSUER_TLS_UNTRUSTED")) throw error;
  const hint = error.code === "ISSUER_TLS_UNTRUSTED" ? "check certificate-authority-data of the context's cluster in the kubeconfig" : "run: kubectl cluster-info";
  return fail("API_SERVER_UNREACHABLE", { message: error.message, hint, ...(error.reason === undefined ? {} : { reason: error.reason }) }, error);
}

function userOf(body: string, host: string): ReviewedUser {
  const review = parsed(body);
  const status = isObject(review) ? review["status"] : undefined;
  const info = isObject(status) ? status["userInfo"] : undefined;
  if (!isObject(info) || typeof info["username"] !== "string")
    return fail("API_SERVER_UNREACHABLE", {
      message: `${safeText(host, 100)} answered with something that is no SelfSubjectReview`,
      hint: "a login page of the network or a proxy may answer in the server's place",
    });
  const extra = isObject(info["extra"]) ? info["extra"] : {};
  return {
    username: info["username"],
    uid: typeof info["uid"] === "string" && info["uid"] !== "" ? info["uid"] : undefined,
    groups: texts(info["groups"]),
    extra: Object.fromEntries(Object.entries(extra).map(([name, values]) => [name, texts(values)])),
  };
}

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
