import { renderUnicodeCompact } from "uqr";
import { openableUrl } from "../core/untrusted-text.ts";

/**
 * A URL as a QR code in half-block characters with its quiet zone, one terminal line each. A person cannot read what it says before a phone
 * opens it: no lines for what may not be opened here either. None for a URL that no QR code can hold (about 2,900 bytes): the person has
 * it as text too.
 */
export async function qrLines(text: string): Promise<readonly string[]> {
  const url = openableUrl(text);
  if (url === undefined) return [];
  try {
    return renderUnicodeCompact(url, { border: 2 }).split("\n");
  } catch {
    return [];
  }
}
