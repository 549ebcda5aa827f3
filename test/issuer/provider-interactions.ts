import type { IncomingMessage, ServerResponse } from "node:http";
import type { InteractionResults, Provider } from "oidc-provider";
import { accountFor } from "./accounts.ts";
import { consentPage, loginPage } from "./provider-pages.ts";

/** An answer to show, or undefined when the library has sent its redirect. */
export type InteractionAnswer = { readonly status: number; readonly html: string } | undefined;

/** Where the browser is sent for this interaction. */
export const interactionPath = (uid: string) => `/interaction/${uid}`;

/** The page of the interaction that the browser's cookie belongs to: log in, or allow. */
export async function showInteraction(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<InteractionAnswer> {
  const { uid, prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") return { status: 200, html: loginPage(interactionPath(uid), { loginHint: textOf(params["login_hint"]) }) };
  return { status: 200, html: consentPage(interactionPath(uid), textOf(params["client_id"]), textOf(params["scope"]).split(" ")) };
}

/** What the person pressed: goes on with the flow, shows the login page again, or ends with access_denied. */
export async function answerInteraction(provider: Provider, request: IncomingMessage, response: ServerResponse, form: URLSearchParams): Promise<InteractionAnswer> {
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const finish = async (result: InteractionResults, merge: boolean): Promise<undefined> => {
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
  };
  if (form.get("decision") !== "yes") return finish({ error: "access_denied", error_description: "the person said no" }, false);

  if (prompt.name === "login") {
    const accountId = accountFor(form.get("login") ?? "", form.get("password") ?? "");
    if (accountId === undefined) return { status: 401, html: loginPage(interactionPath(uid), { loginHint: form.get("login") ?? "", failed: true }) };
    // Whoever is asked for a context reaches the first of them: what they did for it is of no interest here.
    const acr = textOf(params["acr_values"]).split(" ")[0];
    return finish({ login: { accountId, ...(acr === undefined || acr === "" ? {} : { acr }) } }, false);
  }

  if (session === undefined) throw new Error("a consent without a session");
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId: textOf(params["client_id"]) });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details as MissingDetails;
  if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(" "));
  if (missingOIDCClaims !== undefined) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(" "));
  return finish({ consent: { grantId: await grant.save() } }, true);
}

interface MissingDetails {
  readonly missingOIDCScope?: string[];
  readonly missingOIDCClaims?: string[];
  readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>;
}

const textOf = (value: unknown) => (typeof value === "string" ? value : "");
