/**
 * Fetch's Headers and Response as far as openid-client and the adapters around it use them. The npm program's bundle of requests has them in
 * place of the global ones (packaging/lazy-bundles.mjs): Node's own bring its whole fetch along, 25 ms that nothing here uses
 * (docs/adr/0012-slow-paths.md). What they share with the global ones they do alike; test/adapters/plain-response.test.ts compares them.
 */

/** RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;
const blanks = /^[\t\n\r ]+|[\t\n\r ]+$/g;

function checkedName(name: string): string {
  if (!token.test(name)) throw new TypeError("a header's name is no token");
  return name.toLowerCase();
}

function checkedValue(value: string): string {
  const text = value.replace(blanks, "");
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 255 || unit === 0 || unit === 10 || unit === 13) throw new TypeError("a header's value holds a character that it cannot have");
  }
  return text;
}

export class Headers {
  readonly #values = new Map<string, readonly string[]>();

  constructor(init: Headers | Readonly<Record<string, string>> | undefined = undefined) {
    const given = init instanceof Headers ? [...init] : Object.entries(init ?? {});
    for (const [name, value] of given) this.append(name, value);
  }

  append(name: string, value: string): void {
    const key = checkedName(name);
    this.#values.set(key, [...(this.#values.get(key) ?? []), checkedValue(value)]);
  }

  set(name: string, value: string): void {
    this.#values.set(checkedName(name), [checkedValue(value)]);
  }

  get(name: string): string | null {
    return this.#values.get(checkedName(name))?.join(", ") ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(checkedName(name));
  }

  delete(name: string): void {
    this.#values.delete(checkedName(name));
  }

  /** In the order of the names; a cookie is never joined with another. */
  *entries(): IterableIterator<[string, string]> {
    for (const [name, values] of [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (name === "set-cookie") for (const value of values) yield [name, value];
      else yield [name, values.join(", ")];
    }
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }
}

/** Statuses whose answer has no body (Fetch, section 2.2.3). */
const withoutBody: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

interface ResponseParts {
  readonly status?: number;
  readonly headers?: Headers | Readonly<Record<string, string>>;
}

/** An answer that is here whole. */
export class Response {
  readonly status: number;
  readonly headers: Headers;
  readonly #bytes: Uint8Array | undefined;
  #isUsed = false;

  constructor(body: string | Uint8Array | null | undefined = null, { status = 200, headers }: ResponseParts = {}) {
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError("a response's status is 200 to 599");
    if (body !== null && body !== undefined && withoutBody.has(status)) throw new TypeError(`a response with status ${status} has no body`);
    this.status = status;
    this.headers = new Headers(headers);
    this.#bytes = typeof body === "string" ? Buffer.from(body) : (body ?? undefined);
    if (typeof body === "string" && !this.headers.has("content-type")) this.headers.set("content-type", "text/plain;charset=UTF-8");
  }

  get ok(): boolean {
    return this.status < 300;
  }

  get bodyUsed(): boolean {
    return this.#isUsed;
  }

  /** Not a stream: all that can be done with it is to want nothing of it. */
  get body(): { cancel(): Promise<void> } | null {
    return this.#bytes === undefined
      ? null
      : {
          cancel: async () => {
            this.#isUsed = true;
          },
        };
  }

  async text(): Promise<string> {
    if (this.#isUsed) throw new TypeError("the body was read already");
    if (this.#bytes === undefined) return "";
    this.#isUsed = true;
    return new TextDecoder().decode(this.#bytes);
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  clone(): Response {
    if (this.#isUsed) throw new TypeError("the body was read already");
    return new Response(this.#bytes ?? null, { status: this.status, headers: this.headers });
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }
}
