import { renderUnicodeCompact } from "uqr";

/** The text as a QR code in half-block characters with its quiet zone, one terminal line each. */
export async function qrLines(text: string): Promise<readonly string[]> {
  return renderUnicodeCompact(text, { border: 2 }).split("\n");
}
