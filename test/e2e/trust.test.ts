import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { logInAs, real, toServer, writeKubeconfig } from "../conformance/poisoned-stage.ts";
import { credentialOf, errorCode, runWithBrowser } from "./program.ts";
import { ageToken, home, issuer, options, session, useStage } from "./stage.ts";

useStage();

const second = { server: "https://second.example.com" };
const listed = async (...how: string[]) =>
  JSON.parse((await home.run(["trust", "list", ...how, "-o", "json"])).stdout) as { readonly servers: readonly { readonly server: string }[] };
const status = async (cluster: object) => (await home.run(session(), toServer(cluster))).status;

describe("trust", () => {
  it("lists the servers of the session of the current context, of --context and of flags, without a request", async () => {
    writeKubeconfig(options(), { prod: real, second });
    expect((await home.run(["trust", "list"])).stderr).toContain("has no list of servers: any may use it until one is added");
    await logInAs("prod");
    const before = issuer.seen.length;
    const wanted = {
      issuer: issuer.url,
      clientId: "kubernetes",
      account: "ann@example.com",
      servers: [{ server: real.server, tlsServerName: null, certificateAuthority: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), proxy: null }],
    };
    for (const how of [[], ["--context=second"], options()]) expect(await listed(...how)).toEqual(wanted);
    const table = await home.run(["trust", "list"]);
    expect(table.stdout).toMatch(/^SERVER +TLS NAME +CERTIFICATE AUTHORITY +PROXY\nhttps:\/\/k8s\.example\.com:6443 +- +sha256:[0-9a-f]{64} +-\n$/);
    expect(issuer.seen.length).toBe(before);
  });

  it("add lets a server use the session: by its context, and by its URL with what the kubeconfig says of it", async () => {
    for (const how of [["--context=second"], [second.server], [`${second.server}/path?x`, ...options()]]) {
      writeKubeconfig(options(), { prod: real, second });
      await logInAs("prod");
      credentialOf(await home.run(session(), toServer(real)));
      expect(await status(second)).toBe(40);
      const before = issuer.count("/token");
      const added = await home.run(["trust", "add", ...how]);
      expect([added.status, added.stdout], added.stderr).toEqual([0, ""]);
      expect(added.stderr).toContain("may be used with https://second.example.com, certificate authority system");
      // The cached token serves it at once; nothing else was opened.
      credentialOf(await home.run(session(), toServer(second)));
      expect([await status(real), await status({ server: "https://third.example.com" }), issuer.count("/token")]).toEqual([0, 40, before]);
      ageToken();
      expect(await status(second)).toBe(0);
      await home.run(["logout", "--all"]);
    }
  });

  it("add by URL takes the certificate authority and proxy of the context that has this server, and says whose words they are", async () => {
    const proxied = { ...real, server: "https://third.example.com", "proxy-url": "http://proxy.example.com:3128" };
    writeKubeconfig(options(), { prod: real, proxied });
    await logInAs("prod");
    const added = await home.run(["trust", "add", "https://third.example.com"]);
    expect(added.stderr).toMatch(/certificate authority sha256:[0-9a-f]{64} \(context proxied\)/);
    expect([await status(proxied), await status({ server: proxied.server })]).toEqual([0, 40]);
  });

  it("a caller that names the authority's file, as the Python client does, means the server that kubectl names by its data; the file's content counts at every call", async () => {
    writeKubeconfig(options(), { prod: real });
    await logInAs("prod");
    const file = join(home.folder, "ca.pem");
    writeFileSync(file, Buffer.from(real["certificate-authority-data"], "base64"));
    const byFile = { server: real.server, "certificate-authority": "ca.pem" };
    expect(await status(byFile)).toBe(0);
    // Until the answer is remembered: a file that was just written is not trusted to stay.
    const isRemembered = () =>
      existsSync(join(home.data, "memo")) && readdirSync(join(home.data, "memo")).some((name) => readFileSync(join(home.data, "memo", name), "utf8").includes(file));
    await expect
      .poll(
        async () => {
          await status(byFile);
          return isRemembered();
        },
        { timeout: 15_000 },
      )
      .toBe(true);
    expect(await status(byFile)).toBe(0);
    writeFileSync(file, "-----BEGIN CERTIFICATE-----\nsomebody else's\n-----END CERTIFICATE-----\n");
    expect(errorCode(await home.run(session(), toServer(byFile)))).toBe("SERVER_NOT_TRUSTED");
    rmSync(file);
    expect(errorCode(await home.run(session(), toServer(byFile)))).toBe("EXEC_INFO_INVALID");
  });

  it("add asks which one, when contexts do not agree about a server", async () => {
    writeKubeconfig(options(), { prod: real, one: second, other: { ...second, "insecure-skip-tls-verify": true } });
    await logInAs("prod");
    const ended = await home.run(["trust", "add", second.server]);
    expect([ended.status, errorCode(ended)]).toEqual([40, "SETTINGS_INCOMPLETE"]);
    expect((await home.run(["trust", "add", "--context=other"])).stderr).toContain("certificate authority insecure");
    expect([await status(second), await status({ ...second, "insecure-skip-tls-verify": true })]).toEqual([40, 0]);
  });

  it("add before the first login holds that login to the list", async () => {
    expect((await home.run(["trust", "add", real.server, ...options()])).status).toBe(0);
    expect(errorCode(await home.run(session(), toServer(second)))).toBe("SERVER_NOT_TRUSTED");
    expect((await runWithBrowser(home, session(), toServer({ server: real.server }))).status).toBe(0);
    expect(await listed(...options())).toMatchObject({ servers: [{ server: real.server }] });
  });

  it("remove takes the server off the list: what the hot path would still release goes with it", async () => {
    writeKubeconfig(options(), { prod: real, second });
    await logInAs("prod");
    await home.run(["trust", "add", "--context=second"]);
    for (const _ of [1, 2]) credentialOf(await home.run(session(), toServer(second)));
    const removed = await home.run(["trust", "remove", second.server]);
    expect(removed.status, removed.stderr).toBe(0);
    expect(await status(second)).toBe(40);
    expect(await status(real)).toBe(0);
    const again = await home.run(["trust", "remove", second.server]);
    expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("was not on the list")]);
    expect((await home.run(["trust", "remove", real.server])).stderr).toContain("warning: the list of servers is empty now");
  });

  it("says of each step what holds now, and a step that was done already changes nothing", async () => {
    writeKubeconfig(options(), { prod: real, second, other: { ...second, "insecure-skip-tls-verify": true } });
    const steps = [
      ["list"],
      ["add", "--context=prod"],
      ["add", "--context=prod"],
      ["add", second.server, ...options()],
      ["add", "--context=other"],
      ["list"],
      ["remove", second.server],
      ["remove", second.server],
      ["remove", real.server],
      ["list"],
      ["add"],
      ["add", "http://k8s.example.com"],
    ];
    const told: string[] = [];
    for (const step of steps) {
      if (step.includes(second.server) && step[0] === "add") writeKubeconfig(options(), { prod: real, second });
      const ended = await home.run(["trust", ...step]);
      const typed = step.filter((word) => !options().includes(word));
      told.push(`$ kubectl oidc trust ${typed.join(" ")}\n${ended.stdout}${ended.stderr}${ended.status === 0 ? "" : `exit ${ended.status}\n`}`);
      writeKubeconfig(options(), { prod: real, second, other: { ...second, "insecure-skip-tls-verify": true } });
    }
    expect(issuer.seen).toEqual([]);
    await expect(told.join("\n").replaceAll(issuer.url, "https://id.example.com")).toMatchFileSnapshot(resolve(import.meta.dirname, "../golden/trust.txt"));
  });

  it.each([
    [["trust"], "FLAG_INVALID"],
    [["trust", "forget"], "FLAG_INVALID"],
    [["trust", "add"], "FLAG_INVALID"],
    [["trust", "remove"], "FLAG_INVALID"],
    [["trust", "list", "https://a"], "FLAG_INVALID"],
    [["trust", "add", "http://a"], "FLAG_INVALID"],
    [["trust", "add", "https://me@a"], "FLAG_INVALID"],
    [["trust", "add", "not a url"], "FLAG_INVALID"],
    [["trust", "add", "https://a", "b"], "FLAG_INVALID"],
    [["trust", "add", "https://a", "--token-cache-storage=none"], "SETTINGS_INVALID"],
    [["trust", "add", "--context=nowhere"], "CONTEXT_NOT_FOUND"],
  ])("%j is %s", async (args, code) => {
    writeKubeconfig(options(), { prod: real });
    const ended = await home.run(args);
    expect([ended.stdout, errorCode(ended)], ended.stderr).toEqual(["", code]);
  });
});
