import { renderUnicodeCompact } from "uqr";

/**
 * The text as a QR code in half-block characters with its quiet zone, one terminal line each.
 * No lines for a text that no QR code can hold (about 2,900 bytes): the person has it as text too.
 */
export async function qrLines(text: string): Promise<readonly string[]> {
  try {
    return renderUnicodeCompact(text, { border: 2 }).split("\n");
  } catch {
    return [];
  }
}
