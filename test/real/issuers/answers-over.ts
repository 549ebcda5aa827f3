import * as https from "node:https";

/** True when this address answers with status 200, by a certificate of that authority. Rejects while nobody listens. */
export function answersOver(url: string, ca: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ca, agent: false, timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
  });
}
