import { mkdtempSync, rmSync } from "node:fs";
import * as https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { forgedIdTokens } from "../issuer/misbehaviours.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";

let folder: string;
let certificates: Certificates;
let issuer: Misbehaving;
let api: ApiServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-api-"));
  certificates = await makeCertificates(folder);
  issuer = await startMisbehaving({}, { certificates });
  api = await startApiServer({ certificates, issuer: issuer.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
});
afterAll(async () => {
  await api.stop();
  await issuer.stop();
  rmSync(folder, { recursive: true });
});

function ask(url: string, options: https.RequestOptions, body?: string): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { ca: certificates.caPem, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The issuer's ID token, by the device grant: nobody has to click. */
async function idToken(): Promise<string> {
  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
  const device = await ask(`${issuer.issuer}/device_authorization`, form, "client_id=kubernetes&scope=openid").catch(() =>
    ask(`${issuer.issuer}/device`, form, "client_id=kubernetes&scope=openid"),
  );
  const grant = encodeURIComponent("urn:ietf:params:oauth:grant-type:device_code");
  const { json } = await ask(`${issuer.issuer}/token`, form, `client_id=kubernetes&grant_type=${grant}&device_code=${String(device.json["device_code"])}`);
  return String(json["id_token"]);
}

const pods = (token?: string) => ask(`${api.url}/api/v1/namespaces/default/pods`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

describe("the API server of the tests", () => {
  it("lets a good token in, and says who it is", async () => {
    issuer.become({});
    const token = await idToken();
    expect((await pods(token)).status).toBe(200);
    const review = await ask(`${api.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, { method: "POST", headers: { authorization: `Bearer ${token}` } }, "{}");
    expect(review.json["status"]).toMatchObject({ userInfo: { username: expect.stringMatching(/^oidc:./) } });
  });

  it("refuses no token and rubbish", async () => {
    expect((await pods()).status).toBe(401);
    expect((await pods("a.b.c")).status).toBe(401);
  });

  it.each([
    "without a signature",
    "signed by a stranger",
    "of another issuer",
    "for another client",
    "that has expired",
    "without an expiry",
    "that is not valid yet",
    "without a subject",
  ] as const)("refuses a token %s", async (name) => {
    issuer.become(forgedIdTokens[name]);
    expect((await pods(await idToken())).status).toBe(401);
  });

  it("can refuse a good token once", async () => {
    issuer.become({});
    const token = await idToken();
    api.refuseNext();
    expect((await pods(token)).status).toBe(401);
    expect((await pods(token)).status).toBe(200);
  });
});
