import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Somebody } from "./real-issuer.ts";

/** The login and consent application that Hydra is nothing without. */
export interface LoginPages {
  readonly origin: string;
  stop(): void;
}

interface Accepted {
  readonly redirect_to: string;
}

/** Asks for name and password, then for consent. `consent`: what Hydra is told at the consent, `grant_scope` apart. */
export async function startLoginPages(admin: () => string, people: readonly Somebody[], consent: () => object): Promise<LoginPages> {
  async function tell(kind: "login" | "consent", verb: "accept" | "reject", challenge: string, body: object): Promise<string> {
    const response = await fetch(`${admin()}/admin/oauth2/auth/requests/${kind}/${verb}?${kind}_challenge=${encodeURIComponent(challenge)}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return ((await response.json()) as Accepted).redirect_to;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const page = (form: string) =>
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<title>${url.pathname}</title><form method="post" action="${request.url?.replaceAll("&", "&amp;")}">${form}</form>`);
    const challenge = url.searchParams.get(`${url.pathname.slice(1)}_challenge`) ?? "";
    const form = new URLSearchParams(request.method === "POST" ? await text(request) : "");
    const go = (location: string) => response.writeHead(303, { location }).end();
    if (url.pathname === "/login") {
      const person = people.find(({ account, password }) => form.get("username") === account && form.get("password") === password);
      if (person === undefined) return void page('<input name="username"><input name="password" type="password"><button>Log in</button>');
      return void go(await tell("login", "accept", challenge, { subject: person.account }));
    }
    if (form.get("answer") === null) return void page('<button name="answer" value="yes">Allow</button><button name="answer" value="no">Deny</button>');
    if (form.get("answer") === "no") return void go(await tell("consent", "reject", challenge, { error: "access_denied" }));
    const asked = (await (await fetch(`${admin()}/admin/oauth2/auth/requests/consent?consent_challenge=${encodeURIComponent(challenge)}`)).json()) as {
      readonly requested_scope: readonly string[];
    };
    return void go(await tell("consent", "accept", challenge, { grant_scope: asked.requested_scope, ...consent() }));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
