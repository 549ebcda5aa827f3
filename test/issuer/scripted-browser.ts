import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { type CookieJar, makeCookieJar } from "./cookie-jar.ts";
import { formsOf, type HtmlButton, type HtmlForm } from "./html-forms.ts";

/** Who sits before the scripted browser, and what they do. */
export interface Person {
  /** PEM text of the authorities that the browser trusts besides the system's; undefined for plain HTTP issuers. */
  readonly ca?: string | undefined;
  readonly account?: string | undefined;
  readonly password?: string | undefined;
  /** Presses "Cancel", "Deny", "Abort" or "No" on the first page that asks. */
  readonly deny?: boolean | undefined;
  /** Origins of pages that belong to the issuer besides its own: a login application beside it. */
  readonly origins?: readonly string[] | undefined;
  /** Gives up with this signal, as a person who closes the window. */
  readonly signal?: AbortSignal | undefined;
}

export interface Visited {
  readonly status: number;
  readonly body: string;
  readonly finalUrl: string;
}

const requestTimeoutMs = 15_000;
const mostSteps = 30;
const noLabels = new Set(["Cancel", "Deny", "Abort", "No"]);

/**
 * Opens an authorization URL and goes where a person would: follows redirects, logs in, allows (or not), follows the redirect to the
 * loopback callback, and gives the page that stands there. Forms are filled at the issuer's own origins only. Rejects when the issuer
 * refuses name and password, when a page cannot be reached within 15 seconds, and after 30 steps.
 */
export async function clickThrough(url: string, person: Person): Promise<Visited> {
  const jar = makeCookieJar();
  const { origin } = new URL(url);
  const isTheirs = (place: string) => place === origin || person.origins?.includes(place) === true;
  let loggedIn = false;
  let saidNo = false;
  let next: Step = { url: new URL(url), form: undefined };
  for (let step = 0; step < mostSteps; step++) {
    const answer = await visit(next, jar, person);
    if (answer.location !== undefined) {
      next = { url: new URL(answer.location, next.url), form: undefined };
      continue;
    }
    // Who has said no fills in nothing more: a device page asks for the next code after that.
    const forms: readonly HtmlForm[] = isTheirs(next.url.origin) && !saidNo ? formsOf(answer.body) : [];
    const form: HtmlForm | undefined = (person.deny === true ? forms.find(saysNo) : undefined) ?? forms[0];
    if (form === undefined) return { status: answer.status, body: answer.body, finalUrl: next.url.href };
    if (form.fields.has("password")) {
      if (loggedIn) throw new Error("the issuer did not accept this name and password");
      loggedIn = true;
    }
    const button = chosenButton(form.buttons, person.deny === true);
    saidNo = saysNo(form) || (button !== undefined && noLabels.has(button.label));
    next = submit(form, button, next.url, person);
  }
  throw new Error(`no end after ${mostSteps} pages, last at ${next.url.origin}${next.url.pathname}`);
}

/** The device flow's other half: the person opens the complete verification URI, compares the code, logs in and allows. */
export async function confirmDevice(verificationUriComplete: string, person: Person): Promise<Visited> {
  return clickThrough(verificationUriComplete, person);
}

interface Step {
  readonly url: URL;
  /** Undefined: GET. */
  readonly form: URLSearchParams | undefined;
}

function submit(form: HtmlForm, button: HtmlButton | undefined, page: URL, person: Person): Step {
  const values = new URLSearchParams([...form.fields]);
  if (form.fields.has("password")) {
    values.set(form.fields.has("username") ? "username" : "login", person.account ?? "");
    values.set("password", person.password ?? "");
  }
  if (button?.name !== undefined) values.set(button.name, button.value);
  const url = new URL(form.action, page);
  if (form.method === "post") return { url, form: values };
  url.search = values.toString();
  return { url, form: undefined };
}

/** Dex' consent page has a form for either answer. */
const saysNo = (form: HtmlForm) => form.fields.get("approval") === "rejected";

/** Without a "no" button (a page that only passes on) the first one is pressed either way. */
function chosenButton(buttons: readonly HtmlButton[], deny: boolean): HtmlButton | undefined {
  return buttons.find((button) => noLabels.has(button.label) === deny) ?? buttons[0];
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

async function visit({ url, form }: Step, jar: CookieJar, person: Person): Promise<Answer> {
  const cookie = jar.header(url);
  const headers: Record<string, string> = { accept: "text/html", "user-agent": "scripted-browser", ...(cookie === undefined ? {} : { cookie }) };
  if (form !== undefined) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", origin: url.origin });
  const timeout = AbortSignal.timeout(requestTimeoutMs);
  const signal = person.signal === undefined ? timeout : AbortSignal.any([timeout, person.signal]);
  const options = { method: form === undefined ? "GET" : "POST", headers, signal, agent: false };
  return new Promise<Answer>((resolve, reject) => {
    const request = url.protocol === "https:" ? tlsRequest(url, { ...options, ...(person.ca === undefined ? {} : { ca: person.ca }) }) : plainRequest(url, options);
    request.on("error", reject);
    request.on("response", (response) => {
      jar.store(url, response.headers["set-cookie"] ?? []);
      const status = response.statusCode ?? 0;
      const location = status >= 300 && status < 400 ? response.headers.location : undefined;
      text(response).then((body) => resolve({ status, location, body }), reject);
    });
    request.end(form?.toString());
  });
}
