/** One outcome of the login, told to the person's browser. */
export interface ResultPage {
  readonly ok: boolean;
  /** `https://id.example.com` */
  readonly issuer: string;
  /** Who logged in, when known. */
  readonly account?: string;
  /** Error code and sentence, when `ok` is false. */
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}
