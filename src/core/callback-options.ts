/** What a login's callback is received with. */
export interface CallbackOptions {
  /** `HOST:PORT`, tried in order; port 0 is ephemeral. Non-loopback hosts were refused before. */
  readonly addresses: readonly string[];
  /** The registered redirect URL when one is set; its host, port and path are the callback's. Undefined: `http://localhost:PORT`. */
  readonly redirectUrl: string | undefined;
  /** PEM files for HTTPS; the redirect's scheme becomes https. */
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Sent as a redirect instead of the success page. */
  readonly openAfter: string | undefined;
  /** The login asked for response_mode=form_post: the answer may come as a form. */
  readonly formPost: boolean;
  /** The state this login sent; a request without exactly it is answered and does not end the wait. */
  readonly state: string;
}
