/** What is wrong with a certificate authority's data; whether its certificates can be read is for who uses them. */
export function authorityProblem(data: string): string | undefined {
  const bodies = [...pemText(data).matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)].map(([, body = ""]) => decoded(body));
  // DER: each is a SEQUENCE.
  return bodies.length > 0 && bodies.every((body) => body?.startsWith("0")) ? undefined : "must be a certificate in PEM, as base64";
}

/** As in a kubeconfig; a PEM text itself is taken too. */
const pemText = (data: string) => (data.includes("-----BEGIN") ? data : (decoded(data) ?? ""));

function decoded(base64: string): string | undefined {
  try {
    return atob(base64.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
}
