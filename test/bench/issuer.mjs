import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/**
 * A small issuer with a device grant that is confirmed at once. `requests` has the path and the grant of each request. `lifetime` (seconds) is
 * that of the ID tokens to come. With rotation a refresh token that comes twice ends its session (RFC 9700, section 4.14.2); without,
 * each one stays good.
 */
export async function startIssuer({ rotates = true } = {}) {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" }];
  const issuer = { url: "", requests: [], lifetime: 3600, stop };
  /** The number of each session's newest refresh token. */
  const sessions = new Map();

  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const form = new URLSearchParams(text);
    issuer.requests.push({ path: request.url, grant: form.get("grant_type") });
    const body = await answer(request.url, form);
    response.writeHead(body === undefined ? 404 : body.error === undefined ? 200 : 400, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? {}));
  });

  async function answer(path, form) {
    const { url } = issuer;
    switch (path) {
      case "/.well-known/openid-configuration":
        return {
          issuer: url,
          authorization_endpoint: `${url}/a`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          device_authorization_endpoint: `${url}/device`,
          scopes_supported: ["openid", "offline_access"],
          id_token_signing_alg_values_supported: ["ES256"],
        };
      case "/jwks":
        return { keys };
      case "/device":
        return { device_code: "d", user_code: "BENCH", verification_uri: `${url}/v`, expires_in: 60, interval: 1 };
      case "/token": {
        const refreshToken = form.get("grant_type") === "refresh_token" ? nextRefreshToken(form.get("refresh_token") ?? "") : newSession();
        if (refreshToken === undefined) return { error: "invalid_grant" };
        return { access_token: "a", token_type: "Bearer", expires_in: issuer.lifetime, id_token: await idToken(), refresh_token: refreshToken };
      }
      default:
        return undefined;
    }
  }

  function newSession() {
    const name = `s${issuer.requests.length}`;
    sessions.set(name, 0);
    return `${name}.0`;
  }

  function nextRefreshToken(token) {
    const [name = "", number] = token.split(".");
    if (!sessions.has(name)) return undefined;
    if (!rotates) return token;
    if (sessions.get(name) !== Number(number)) return void sessions.delete(name);
    sessions.set(name, Number(number) + 1);
    return `${name}.${Number(number) + 1}`;
  }

  function idToken() {
    const now = Math.floor(Date.now() / 1000);
    // Signatures of one second differ by themselves (ECDSA takes a random number), so two answers are never one token.
    return new SignJWT({ iss: issuer.url, aud: "bench", sub: "bench", iat: now, exp: now + issuer.lifetime }).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(privateKey);
  }

  function stop() {
    server.close();
    server.closeAllConnections();
  }

  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  return issuer;
}
